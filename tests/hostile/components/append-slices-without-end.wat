;; Appends the same slice to a body without end: no byte is copied, but the body grows.
;; Expected: the task fails, memory or bytes per host call
;;@ roles: source
(module
  (import "rally:track/corpora@0.1.0" "[static]reader.open" (func $open_reader (param i32 i32 i32 i32 i32 i32)))
  (import "rally:track/corpora@0.1.0" "[method]reader.next" (func $next_slice (param i32 i32)))
  (import "rally:track/bodies@0.1.0" "[constructor]builder" (func $new_builder (result i32)))
  (import "rally:track/bodies@0.1.0" "[method]builder.append-slice" (func $append_slice (param i32 i32 i64 i64)))
  (global $context (mut i32) (i32.const 0))
  (func $open (export "rally:track/param-sources@0.1.0#[static]source.open") (param $name i32) (param $length i32) (param $context i32) (result i32)
    (global.set $context (local.get $context))
    (i32.store (i32.const 2048) (i32.const 0))
    (i32.store (i32.const 2052) (call $new_source (i32.const 1)))
    (i32.const 2048))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (local $builder i32)
    (call $open_reader (global.get $context) (i32.const 0) (i32.const 0) (i32.const 2000) (i32.const 2000) (i32.const 4096))
    (if (i32.load8_u (i32.const 4096)) (then unreachable))
    (call $next_slice (i32.load (i32.const 4100)) (i32.const 4160))
    (local.set $builder (call $new_builder))
    (loop $more
      (call $append_slice (local.get $builder) (i32.load (i32.const 4168)) (i64.const 0) (i64.const 10000))
      (br $more))
    unreachable))
