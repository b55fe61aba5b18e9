;; Says that it cannot say what it is.
;; Expected: refused at load, in its own words
;;@ roles: source
(module
  (func $describe (export "rally:track/extension@0.1.0#describe") (result i32) (i32.const 1024))
  (data (i32.const 1024) (i32 1  0  1160 11  0  0 0 0  0 0 0))
  (data (i32.const 1160) "no idea, me"))
