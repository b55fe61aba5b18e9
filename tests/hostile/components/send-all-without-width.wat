;; Sends requests with none of them in flight.
;; Expected: the race ends well, or the message says that nothing can be sent like that
;;@ roles: runner
;;@ iterations: 2
(module
  (import "rally:track/client@0.1.0" "send-all" (func $send_all (param i32 i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 3)
  (func $fill (local $at i32)
    (local.set $at (i32.const 131072))
    (loop $next
      (i32.store offset=16 (local.get $at) (i32.const 16))
      (i32.store offset=20 (local.get $at) (i32.const 6))
      (local.set $at (i32.add (local.get $at) (i32.const 48)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 131264)))))
  (start $fill)
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $send_all (i32.const 131072) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3072))
    (i32.const 2560))
  (data (i32.const 16) "/asked")
  (data (i32.const 2560) (i32 0 0) (f64 1) (i32 2656 3) (i8 1))
  (data (i32.const 2656) "ops"))
