;; Overwrites bytes at an offset that overflows when the length is added.
;; Expected: the task fails; the message says that the body has no such bytes
;;@ roles: source
(module
  (import "rally:track/bodies@0.1.0" "[constructor]builder" (func $new_builder (result i32)))
  (import "rally:track/bodies@0.1.0" "[method]builder.append" (func $append (param i32 i32 i32)))
  (import "rally:track/bodies@0.1.0" "[method]builder.patch" (func $patch (param i32 i64 i32 i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (local $builder i32)
    (local.set $builder (call $new_builder))
    (call $append (local.get $builder) (i32.const 0) (i32.const 10))
    (call $patch (local.get $builder) (i64.const -2) (i32.const 0) (i32.const 4))
    unreachable))
