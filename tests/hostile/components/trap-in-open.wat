;; Gives up in `open`.
;; Expected: refused before the race; the message has the backtrace
;;@ roles: source
(module
  (func $open (export "rally:track/param-sources@0.1.0#[static]source.open") (param $name i32) (param $length i32) (param $context i32) (result i32) unreachable))
