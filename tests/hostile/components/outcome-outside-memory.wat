;; Returns an outcome whose unit is out of memory.
;; Expected: the task fails; the message says that a pointer leads out of memory
;;@ roles: runner
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 0) (f64 1) (i32 -8 3) (i8 1)))
