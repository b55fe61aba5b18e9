;; Announces parameters of 30,000 numbers in slot after slot, which take a hundred times their text in the host.
;; Expected: the task fails, memory (--extension-memory)
;;@ roles: source
;;@ iterations: 50
(module
  (memory (export "memory") 4)
  (global $slot (mut i32) (i32.const 0))
  (func $fill
    (local $at i32)
    (local.set $at (i32.const 131088))
    (loop $next
      (i32.store16 (local.get $at) (i32.const 0x2c30)) ;; "0,"
      (local.set $at (i32.add (local.get $at) (i32.const 2)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 191088))))
    (i32.store8 (local.get $at) (i32.const 0x30))
    (i32.store8 offset=1 (local.get $at) (i32.const 0x5d))
    (i32.store8 offset=2 (local.get $at) (i32.const 0x7d)))
  (start $fill)
  (data (i32.const 131072) "{\"body\":{},\"a\":[")
  (data (i32.const 4096) (i32 0  4160 1  4200 1  0 0  0 0  0))
  (data (i32.const 4160) (i32 0 131072 60019))
  (data (i32.const 4200) (i32 0 0 0 0 0))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (global.set $slot (i32.and (i32.add (global.get $slot) (i32.const 1)) (i32.const 255)))
    (i32.store (i32.const 4160) (global.get $slot))
    (i32.store (i32.const 4200) (global.get $slot))
    (i32.const 4096)))
