;; Loops for ever in `next-lines`.
;; Expected: the task fails, time per call (--extension-time-per-call)
;;@ roles: source
(module
  (func $describe (export "rally:track/extension@0.1.0#describe") (result i32) (i32.const 1024))
  (data (i32.const 1024) (i32 0  1100 7  1108 5  0  1120 1  0 0  0 0  0 0  0 0))
  (data (i32.const 1100) "hostile\00" "6.6.6")
  (data (i32.const 1120) (i32 1140 6) (i8 1 1))
  (data (i32.const 1140) "source")
  (func $next_lines (export "rally:track/param-sources@0.1.0#[method]source.next-lines") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
