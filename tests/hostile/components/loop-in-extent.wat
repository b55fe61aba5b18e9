;; Loops for ever when it is asked how much there is.
;; Expected: refused before the race, time to open (--extension-time-to-open)
;;@ roles: source
(module
  (func $extent (export "rally:track/param-sources@0.1.0#[method]source.extent") (param $source i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
