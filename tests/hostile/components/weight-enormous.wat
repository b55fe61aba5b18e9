;; Says that one request did 1e308 operations.
;; Expected: the task fails, or the race ends well with that figure
;;@ roles: runner
;;@ iterations: 3
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 0) (f64 1e308) (i32 2656 3) (i8 1))
  (data (i32.const 2656) "ops"))
