;; Says that it has a million requests and ends after the first.
;; Expected: the race ends well: what the source has is raced
;;@ roles: source
(module
  (func $extent (export "rally:track/param-sources@0.1.0#[method]source.extent") (param $source i32) (result i32) (i32.const 4080))
  (data (i32.const 4080) (i32 1 0 1 0) (i64 1000000))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.const 4128))
  (data (i32.const 4128) (i32 0  2240 1  4200 1  2320 26  0 0  1))
  (data (i32.const 4200) (i32 0 26 0 0 0))
  (data (i32.const 2240) (i32 0 2288 16))
  (data (i32.const 2288) "{\"index\":\"_all\"}")
  (data (i32.const 2320) "{\"query\":{\"match_all\":{}}}"))
