;; Tells more about its request as a JSON list.
;; Expected: the task fails
;;@ roles: runner
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 0) (f64 1) (i32 2656 3) (i8 1))
  (data (i32.const 4160) (i32 1 4200 6))
  (data (i32.const 4200) "[1, 2]")
  (data (i32.const 2656) "ops"))
