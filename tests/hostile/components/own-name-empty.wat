;; Has neither name nor version.
;; Expected: refused at load
;;@ roles: source
(module
  (func $describe (export "rally:track/extension@0.1.0#describe") (result i32) (i32.const 1024))
  (data (i32.const 1024) (i32 0  0 0  0 0  0  1120 1  0 0  0 0  0 0  0 0))
  (data (i32.const 1120) (i32 1160 6) (i8 0 1 0 0))
  (data (i32.const 1160) "source"))
