;; Registers a name of 60,000 bytes.
;; Expected: refused at load
;;@ roles: source
(module
  (func $describe (export "rally:track/extension@0.1.0#describe") (result i32) (i32.const 1024))
  (data (i32.const 1024) (i32 0  1100 7  1108 5  0  1120 1  0 0  0 0  0 0  0 0))
  (data (i32.const 1100) "hostile\00" "6.6.6")
  (data (i32.const 1120) (i32 4096 60000) (i8 0 1 0 0))
  (func $fill (memory.fill (i32.const 4096) (i32.const 97) (i32.const 60000)))
  (start $fill))
