;; Sends a request with a method that there is not.
;; Expected: the task fails; the message says that the discriminant is unknown
;;@ roles: runner
;;@ uses: send
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 99) (i32.const 16) (i32.const 6) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3072))
    (i32.const 3072))
  (data (i32.const 16) "/asked"))
