;; Loops for ever in `run`, without ever waiting for anything.
;; Expected: the task fails, time per call (--extension-time-per-call)
;;@ roles: runner
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
