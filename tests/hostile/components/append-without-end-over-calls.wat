;; Appends to one builder in each call, a little at a time.
;; Expected: the task fails, memory (--extension-memory)
;;@ roles: source
;;@ iterations: 1000000
(module
  (import "rally:track/bodies@0.1.0" "[constructor]builder" (func $new_builder (result i32)))
  (import "rally:track/bodies@0.1.0" "[method]builder.append" (func $append (param i32 i32 i32)))
  (global $builder (mut i32) (i32.const 0))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (if (i32.eqz (global.get $builder)) (then (global.set $builder (call $new_builder))))
    (call $append (global.get $builder) (i32.const 0) (i32.const 131072))
    (i32.const 2176))
  (data (i32.const 2176) (i32 0  2240 1  2256 1  2320 26  0 0  0))
  (data (i32.const 2256) (i32 0 26 0 0 0))
  (data (i32.const 2240) (i32 0 2288 16))
  (data (i32.const 2288) "{\"index\":\"_all\"}")
  (data (i32.const 2320) "{\"query\":{\"match_all\":{}}}"))
