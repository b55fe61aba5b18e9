;; Loops for ever when the scheduler is opened.
;; Expected: refused before the race, time to open (--extension-time-to-open)
;;@ roles: scheduler
(module
  (func $open (export "rally:track/schedulers@0.1.0#[static]scheduler.open") (param $name i32) (param $length i32) (param $context i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
