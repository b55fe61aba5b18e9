;; Imports a function that is in no interface.
;; Expected: refused at load: no extension has that
(component
  (import "shell" (func (param "command" string))))
