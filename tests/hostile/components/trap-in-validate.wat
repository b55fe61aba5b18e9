;; Gives up when it is to check the parameters of the track.
;; Expected: refused before the race; the message has the backtrace
;;@ roles: validator
(module
  (func $validate (export "rally:track/validators@0.1.0#validate") (param i32 i32 i32 i32) (result i32) unreachable))
