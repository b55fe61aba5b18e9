;; Imports a function of the log that there is not.
;; Expected: refused at load: its interfaces are not those of 0.1.0
(component
  (import "rally:track/log@0.1.0" (instance (export "read-all" (func (result string)))))
  (instance $empty)
  (export "rally:track/extension@0.1.0" (instance $empty))
  (export "rally:track/param-sources@0.1.0" (instance $empty)))
