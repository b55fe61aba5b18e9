;; Loops for ever when the runner is opened.
;; Expected: refused before the race, time to open (--extension-time-to-open)
;;@ roles: runner
(module
  (func $open_runner (export "rally:track/runners@0.1.0#[static]runner.open") (param $name i32) (param $length i32) (param $context i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
