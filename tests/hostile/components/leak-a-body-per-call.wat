;; Makes one body in each call and never drops it.
;; Expected: the task fails after as many calls as there may be handles (--extension-handles)
;;@ roles: source
;;@ iterations: 1000000
(module
  (import "rally:track/bodies@0.1.0" "of-bytes" (func $of_bytes (param i32 i32) (result i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (drop (call $of_bytes (i32.const 0) (i32.const 1)))
    (i32.const 2176))
  (data (i32.const 2176) (i32 0  2240 1  2256 1  2320 26  0 0  0))
  (data (i32.const 2256) (i32 0 26 0 0 0))
  (data (i32.const 2240) (i32 0 2288 16))
  (data (i32.const 2288) "{\"index\":\"_all\"}")
  (data (i32.const 2320) "{\"query\":{\"match_all\":{}}}"))
