;; Counts documents first and operations then.
;; Expected: the task fails
;;@ roles: runner
(module
  (global $calls (mut i32) (i32.const 0))
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (i32.gt_u (global.get $calls) (i32.const 1)) (then (i32.store (i32.const 4112) (i32.const 2656)) (i32.store (i32.const 4116) (i32.const 3))))
    (i32.const 4096))
  (data (i32.const 4096) (i32 0 0) (f64 1) (i32 2664 4) (i8 1))
  (data (i32.const 2656) "ops\00\00\00\00\00docs"))
