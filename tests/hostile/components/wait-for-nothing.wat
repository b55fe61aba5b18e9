;; Waits for requests that it never submitted, for ever.
;; Expected: the race ends well: nothing is in flight, so nothing is waited for
;;@ roles: runner
;;@ iterations: 2
(module
  (import "rally:track/client@0.1.0" "wait" (func $wait (param i32 i64 i32)))
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $wait (i32.const 0) (i64.const 0) (i32.const 3072))
    (if (i32.load (i32.const 3076)) (then unreachable))
    (i32.const 2560))
  (data (i32.const 2560) (i32 0 0) (f64 1) (i32 2656 3) (i8 1))
  (data (i32.const 2656) "ops"))
