;; Logs ten thousand lines in each call.
;; Expected: the race ends well; lines over the limit are counted, not kept
;;@ roles: source
;;@ iterations: 3
;;@ clients: 1
(module
  (import "rally:track/log@0.1.0" "emit" (func $emit (param i32 i32 i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (local $left i32)
    (local.set $left (i32.const 10000))
    (loop $more
      (call $emit (i32.const 3) (i32.const 2320) (i32.const 26))
      (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.const 2176))
  (data (i32.const 2176) (i32 0  2240 1  2256 1  2320 26  0 0  0))
  (data (i32.const 2256) (i32 0 26 0 0 0))
  (data (i32.const 2240) (i32 0 2288 16))
  (data (i32.const 2288) "{\"index\":\"_all\"}")
  (data (i32.const 2320) "{\"query\":{\"match_all\":{}}}"))
