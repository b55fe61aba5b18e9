;; Reads a body from an offset that overflows when the length is added.
;; Expected: the race ends well: there are no such bytes
;;@ roles: source
;;@ iterations: 3
(module
  (import "rally:track/bodies@0.1.0" "of-bytes" (func $of_bytes (param i32 i32) (result i32)))
  (import "rally:track/bodies@0.1.0" "[method]body.read" (func $read (param i32 i64 i32 i32)))
  (import "rally:track/bodies@0.1.0" "[resource-drop]body" (func $drop_body (param i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (local $body i32)
    (local.set $body (call $of_bytes (i32.const 0) (i32.const 10)))
    (call $read (local.get $body) (i64.const -2) (i32.const -1) (i32.const 4096))
    (if (i32.load (i32.const 4100)) (then unreachable))
    (call $drop_body (local.get $body))
    (i32.const 2176))
  (data (i32.const 2176) (i32 0  2240 1  2256 1  2320 26  0 0  0))
  (data (i32.const 2256) (i32 0 26 0 0 0))
  (data (i32.const 2240) (i32 0 2288 16))
  (data (i32.const 2288) "{\"index\":\"_all\"}")
  (data (i32.const 2320) "{\"query\":{\"match_all\":{}}}"))
