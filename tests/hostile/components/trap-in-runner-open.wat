;; Gives up when the runner is opened.
;; Expected: refused before the race; the message has the backtrace
;;@ roles: runner
(module
  (func $open_runner (export "rally:track/runners@0.1.0#[static]runner.open") (param $name i32) (param $length i32) (param $context i32) (result i32) unreachable))
