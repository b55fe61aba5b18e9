;; Returns 256 shapes that are all the same 64 KiB: 16 MiB out of 128 KiB of memory.
;; Expected: the task fails, bytes per host call (--extension-host-call-bytes)
;;@ roles: source
(module
  (func $shapes (local $at i32)
    (local.set $at (i32.const 8192))
    (loop $next
      (i32.store offset=4 (local.get $at) (i32.const 65536))
      (i32.store offset=8 (local.get $at) (i32.const 65536))
      (local.set $at (i32.add (local.get $at) (i32.const 12)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 11264))))
    (memory.fill (i32.const 65536) (i32.const 32) (i32.const 65536)))
  (start $shapes)
  (data (i32.const 4096) (i32 0  8192 256  0 0  0 0  0 0  0))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.const 4096)))
