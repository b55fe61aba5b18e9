;; Its `describe` returns a number.
;; Expected: refused at load: its interfaces are not those of 0.1.0
(component
  (core module $module
    (func (export "describe") (result i32) (i32.const 7)))
  (core instance $instance (instantiate $module))
  (func $describe (result u32) (canon lift (core func $instance "describe")))
  (instance $extension (export "describe" (func $describe)))
  (instance $sources)
  (export "rally:track/extension@0.1.0" (instance $extension))
  (export "rally:track/param-sources@0.1.0" (instance $sources)))
