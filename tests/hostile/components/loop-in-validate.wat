;; Loops for ever when it is to check the parameters of the track.
;; Expected: refused before the race, time to open (--extension-time-to-open)
;;@ roles: validator
(module
  (func $validate (export "rally:track/validators@0.1.0#validate") (param i32 i32 i32 i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
