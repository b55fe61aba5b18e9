;; Appends to a builder without end: the memory is the host's.
;; Expected: the task fails, memory or bytes per host call
;;@ roles: source
(module
  (import "rally:track/bodies@0.1.0" "[constructor]builder" (func $new_builder (result i32)))
  (import "rally:track/bodies@0.1.0" "[method]builder.append" (func $append (param i32 i32 i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (local $builder i32)
    (local.set $builder (call $new_builder))
    (loop $more
      (call $append (local.get $builder) (i32.const 0) (i32.const 131072))
      (br $more))
    unreachable))
