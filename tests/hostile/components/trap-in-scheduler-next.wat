;; Gives up when it is asked for due times.
;; Expected: the task fails; the message has the backtrace
;;@ roles: scheduler
(module
  (func $next (export "rally:track/schedulers@0.1.0#[method]scheduler.next") (param $scheduler i32) (param $current f64) (param $finished i32) (param $length i32) (param $limit i32) (result i32) unreachable))
