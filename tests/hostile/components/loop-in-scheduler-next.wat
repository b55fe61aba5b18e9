;; Loops for ever when it is asked for due times.
;; Expected: the task fails, time per call (--extension-time-per-call)
;;@ roles: scheduler
(module
  (func $next (export "rally:track/schedulers@0.1.0#[method]scheduler.next") (param $scheduler i32) (param $current f64) (param $finished i32) (param $length i32) (param $limit i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
