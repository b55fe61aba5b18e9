;; Was built for two versions of the interface.
;; Expected: refused at load
(component
  (import "rally:track/log@0.1.0" (instance))
  (import "rally:track/clock@0.2.0" (instance)))
