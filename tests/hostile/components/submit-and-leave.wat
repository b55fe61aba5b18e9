;; Submits requests in each run and never waits for them.
;; Expected: the race ends well, or the task fails: nothing of a run is under way after it
;;@ roles: runner
;;@ iterations: 200
(module
  (import "rally:track/client@0.1.0" "submit" (func $submit (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $submit (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3072))
    (i32.const 2560))
  (data (i32.const 16) "/asked")
  (data (i32.const 2560) (i32 0 0) (f64 1) (i32 2656 3) (i8 1))
  (data (i32.const 2656) "ops"))
