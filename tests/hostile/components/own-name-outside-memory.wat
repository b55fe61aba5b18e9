;; Has a name that its memory does not have.
;; Expected: refused at load; the message says that a pointer leads out of memory
;;@ roles: source
(module
  (func $describe (export "rally:track/extension@0.1.0#describe") (result i32) (i32.const 1024))
  (data (i32.const 1024) (i32 0  -8 7  1108 5  0  1120 1  0 0  0 0  0 0  0 0))
  (data (i32.const 1100) "hostile\00" "6.6.6"))
