;; Says that a body ends behind the bodies that there are.
;; Expected: the task fails; the message says what the batch is
;;@ roles: source
(module
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0  2240 1  4200 1  2320 26  0 0  0))
  (data (i32.const 4200) (i32 0 27 0 0 0))
  (data (i32.const 2240) (i32 0 2288 16))
  (data (i32.const 2288) "{\"index\":\"_all\"}")
  (data (i32.const 2320) "{\"query\":{\"match_all\":{}}}"))
