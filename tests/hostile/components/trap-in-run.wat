;; Gives up in `run`.
;; Expected: the task fails; the message has the backtrace
;;@ roles: runner
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable))
