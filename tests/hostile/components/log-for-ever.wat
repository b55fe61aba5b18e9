;; Logs without end.
;; Expected: the task fails, time per call (--extension-time-per-call)
;;@ roles: source
;;@ clients: 1
(module
  (import "rally:track/log@0.1.0" "emit" (func $emit (param i32 i32 i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (loop $more
      (call $emit (i32.const 3) (i32.const 2320) (i32.const 26))
      (br $more))
    unreachable)
  (data (i32.const 2240) (i32 0 2288 16))
  (data (i32.const 2288) "{\"index\":\"_all\"}")
  (data (i32.const 2320) "{\"query\":{\"match_all\":{}}}"))
