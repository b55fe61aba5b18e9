;; Exports interfaces with the right names that are empty.
;; Expected: refused at load: its interfaces are not those of 0.1.0
(component
  (instance $empty)
  (export "rally:track/extension@0.1.0" (instance $empty))
  (export "rally:track/param-sources@0.1.0" (instance $empty)))
