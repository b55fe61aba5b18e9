;; Imports an interface of rally's package that there is not.
;; Expected: refused at load: no extension has that
(component
  (import "rally:track/shell@0.1.0" (instance)))
