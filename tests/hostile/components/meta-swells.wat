;; Tells 30,000 numbers about its request, which would take a hundred times their text in the host.
;; Expected: the task fails; the message says how much is too much
;;@ roles: runner
(module
  (memory (export "memory") 4)
  (func $fill
    (local $at i32)
    (local.set $at (i32.const 131078))
    (loop $next
      (i32.store16 (local.get $at) (i32.const 0x2c30)) ;; "0,"
      (local.set $at (i32.add (local.get $at) (i32.const 2)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 191078))))
    (i32.store8 (local.get $at) (i32.const 0x30))
    (i32.store8 offset=1 (local.get $at) (i32.const 0x5d))
    (i32.store8 offset=2 (local.get $at) (i32.const 0x7d)))
  (start $fill)
  (data (i32.const 131072) "{\"a\":[")
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 0) (f64 1) (i32 2656 3) (i8 1))
  (data (i32.const 4160) (i32 1 131072 60009))
  (data (i32.const 2656) "ops"))
