;; Loops for ever in `open`.
;; Expected: refused before the race, time to open (--extension-time-to-open)
;;@ roles: source
(module
  (func $open (export "rally:track/param-sources@0.1.0#[static]source.open") (param $name i32) (param $length i32) (param $context i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
