;; Gives up when it is to change the track.
;; Expected: refused before the race; the message has the backtrace
;;@ roles: processor
(module
  (func $on_load (export "rally:track/processors@0.1.0#on-load") (param i32 i32 i32) (result i32) unreachable))
