;; Sends a request when it is to change the track.
;; Expected: refused before the race: nothing may be sent
;;@ roles: processor
;;@ uses: send
(module
  (func $on_load (export "rally:track/processors@0.1.0#on-load") (param i32 i32 i32) (result i32)
    (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3072))
    (memory.copy (i32.const 3076) (i32.const 3080) (i32.const 40))
    (i32.const 3072))
  (data (i32.const 16) "/asked"))
