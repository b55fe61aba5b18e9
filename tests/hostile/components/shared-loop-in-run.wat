;; Loops for ever in `run`, in an instance that all clients share.
;; Expected: the task fails, time per call (--extension-time-per-call)
;;@ roles: source runner
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
