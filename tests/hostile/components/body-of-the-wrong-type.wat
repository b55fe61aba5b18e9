;; Returns the handle of its own context as a body.
;; Expected: the task fails; the message says that the handle is of another type
;;@ roles: source
(module
  (global $context (mut i32) (i32.const 0))
  (func $open (export "rally:track/param-sources@0.1.0#[static]source.open") (param $name i32) (param $length i32) (param $context i32) (result i32)
    (global.set $context (local.get $context))
    (i32.store (i32.const 2048) (i32.const 0))
    (i32.store (i32.const 2052) (call $new_source (i32.const 1)))
    (i32.const 2048))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (i32.store (i32.const 8200) (global.get $context))
    (i32.const 4096))
  (data (i32.const 4096) (i32 0  2240 1  4200 1  0 0  8192 1  0))
  (data (i32.const 4200) (i32 0 0 0 0 0))
  (data (i32.const 2240) (i32 0 2288 16))
  (data (i32.const 2288) "{\"index\":\"_all\"}")
  (data (i32.const 2320) "{\"query\":{\"match_all\":{}}}"))
