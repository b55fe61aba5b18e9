;; Gives work without a unit.
;; Expected: the task fails, or the race ends well with the usual unit
;;@ roles: runner
;;@ iterations: 3
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 0) (f64 1) (i32 0 0) (i8 1)))
