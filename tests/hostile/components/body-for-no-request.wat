;; Returns a body of the host for a request that is not there.
;; Expected: the task fails; the message says what the batch is
;;@ roles: source
(module
  (import "rally:track/bodies@0.1.0" "of-bytes" (func $of_bytes (param i32 i32) (result i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (i32.store (i32.const 8192) (i32.const 9))
    (i32.store (i32.const 8196) (i32.const 0))
    (i32.store (i32.const 8200) (call $of_bytes (i32.const 2320) (i32.const 26)))
    (i32.const 4096))
  (data (i32.const 4096) (i32 0  2240 1  4200 1  0 0  8192 1  0))
  (data (i32.const 4200) (i32 0 0 0 0 0))
  (data (i32.const 2240) (i32 0 2288 16))
  (data (i32.const 2288) "{\"index\":\"_all\"}")
  (data (i32.const 2320) "{\"query\":{\"match_all\":{}}}"))
