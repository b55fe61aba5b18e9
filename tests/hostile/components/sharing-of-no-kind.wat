;; Wants to share its instances in a way that there is not.
;; Expected: refused at load; the message says that the discriminant is unknown
;;@ roles: source
(module
  (func $describe (export "rally:track/extension@0.1.0#describe") (result i32) (i32.const 1024))
  (data (i32.const 1024) (i32 0  1100 7  1108 5  7  1120 1  0 0  0 0  0 0  0 0))
  (data (i32.const 1100) "hostile\00" "6.6.6")
  (data (i32.const 1120) (i32 1160 6) (i8 0 1 0 0))
  (data (i32.const 1160) "source"))
