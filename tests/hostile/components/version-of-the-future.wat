;; Was built for version 0.9.0 of the interface.
;; Expected: refused at load: it needs a newer rally
(component
  (import "rally:track/log@0.9.0" (instance))
  (instance $extension)
  (export "rally:track/extension@0.9.0" (instance $extension)))
