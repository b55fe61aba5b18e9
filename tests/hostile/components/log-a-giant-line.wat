;; Logs a line of 64 KiB.
;; Expected: the race ends well; the line is cut short
;;@ roles: source
;;@ iterations: 1
;;@ clients: 1
(module
  (import "rally:track/log@0.1.0" "emit" (func $emit (param i32 i32 i32)))
  (global $said (mut i32) (i32.const 0))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (if (global.get $said) (then (return (i32.const 2176))))
    (global.set $said (i32.const 1))
    (memory.fill (i32.const 65536) (i32.const 97) (i32.const 65536))
    (call $emit (i32.const 3) (i32.const 65536) (i32.const 65536))
    (i32.const 2176))
  (data (i32.const 2176) (i32 0  2240 1  2256 1  2320 26  0 0  0))
  (data (i32.const 2256) (i32 0 26 0 0 0))
  (data (i32.const 2240) (i32 0 2288 16))
  (data (i32.const 2288) "{\"index\":\"_all\"}")
  (data (i32.const 2320) "{\"query\":{\"match_all\":{}}}"))
