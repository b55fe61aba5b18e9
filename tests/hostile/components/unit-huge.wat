;; Gives a unit of 60,000 bytes.
;; Expected: the task fails
;;@ roles: runner
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 0) (f64 1) (i32 4200 60000) (i8 1))
  (func $fill (memory.fill (i32.const 4200) (i32.const 97) (i32.const 60000)))
  (start $fill))
