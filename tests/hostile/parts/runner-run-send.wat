;; Sends the one request that the case describes: a GET for the target at 16 with the headers at 256. Fails with its error.
(func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
  (call $send
    (i32.const 0) (i32.const 0) (i32.const 0) ;; the default cluster
    (i32.const 0) (i32.const 16) (global.get $target_length)
    (i32.const 256) (global.get $headers)
    (i32.const 0) (i32.const 0) ;; no body
    (i32.const 0) (i32.const 0) ;; no timeout
    (global.get $want) (global.get $pointers) (global.get $pointer_count)
    (i32.const 3072))
  (if (result i32) (i32.load8_u (i32.const 3072))
    (then (i32.const 3072)) ;; result<response, error> and result<outcome, error> have their error in one place
    (else (i32.const 2560))))
(data (i32.const 2560) (i32 0 0) (f64 1) (i32 2656 3) (i8 1))
(data (i32.const 2656) "ops")
