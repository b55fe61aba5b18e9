;; Says that it is seven times as far as it can be.
;; Expected: the task fails, or it is held to the end
;;@ roles: runner
;;@ iterations: 3
(module
  (func $describe (export "rally:track/extension@0.1.0#describe") (result i32) (i32.const 1024))
  (data (i32.const 1024) (i32 0  1100 7  1108 5  0  0 0  1120 1  0 0  0 0  0 0))
  (data (i32.const 1100) "hostile\00" "6.6.6")
  (data (i32.const 1120) (i32 1140 6) (i8 0 1))
  (data (i32.const 1140) "runner")
  (func $runner_progress (export "rally:track/runners@0.1.0#[method]runner.progress") (param $runner i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 0 1 0) (f64 7)))
