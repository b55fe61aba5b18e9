;; Loops for ever when it is to prepare data.
;; Expected: refused before the race, time to open (--extension-time-to-open)
;;@ roles: processor
(module
  (func $on_prepare (export "rally:track/processors@0.1.0#on-prepare") (param i32 i32 i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
