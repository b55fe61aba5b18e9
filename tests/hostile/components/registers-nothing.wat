;; Exports sources, but registers none.
;; Expected: refused: nobody registers the source that the track asks for
;;@ roles: source
(module
  (func $describe (export "rally:track/extension@0.1.0#describe") (result i32) (i32.const 1024))
  (data (i32.const 1024) (i32 0  1100 7  1108 5  0  0 0  0 0  0 0  0 0  0 0))
  (data (i32.const 1100) "hostile\00" "6.6.6"))
