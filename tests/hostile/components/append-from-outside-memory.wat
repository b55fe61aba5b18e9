;; Appends bytes that its memory does not have.
;; Expected: the task fails; the message says that a pointer leads out of memory
;;@ roles: source
(module
  (import "rally:track/bodies@0.1.0" "[constructor]builder" (func $new_builder (result i32)))
  (import "rally:track/bodies@0.1.0" "[method]builder.append" (func $append (param i32 i32 i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (call $append (call $new_builder) (i32.const 131000) (i32.const 1000))
    unreachable))
