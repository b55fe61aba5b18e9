;; Sends a request when it is asked what it is.
;; Expected: refused at load: nothing may be sent
;;@ roles: runner
;;@ uses: send
(module
  (func $describe (export "rally:track/extension@0.1.0#describe") (result i32)
    (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3072))
    (memory.copy (i32.const 3076) (i32.const 3080) (i32.const 40))
    (i32.const 3072))
  (data (i32.const 16) "/asked"))
