;; Makes bodies without end and drops none.
;; Expected: the task fails, handles (--extension-handles)
;;@ roles: source
(module
  (import "rally:track/bodies@0.1.0" "of-bytes" (func $of_bytes (param i32 i32) (result i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (loop $more
      (drop (call $of_bytes (i32.const 0) (i32.const 1)))
      (br $more))
    unreachable))
