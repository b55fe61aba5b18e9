;; Gives up when the scheduler is opened.
;; Expected: refused before the race; the message has the backtrace
;;@ roles: scheduler
(module
  (func $open (export "rally:track/schedulers@0.1.0#[static]scheduler.open") (param $name i32) (param $length i32) (param $context i32) (result i32) unreachable))
