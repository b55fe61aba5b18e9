;; Loops for ever when it is to change the track.
;; Expected: refused before the race, time to open (--extension-time-to-open)
;;@ roles: processor
(module
  (func $on_load (export "rally:track/processors@0.1.0#on-load") (param i32 i32 i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
