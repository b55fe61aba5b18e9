;; Exports what it is, but no role.
;; Expected: refused at load
(component
  (instance $extension)
  (export "rally:track/extension@0.1.0" (instance $extension)))
