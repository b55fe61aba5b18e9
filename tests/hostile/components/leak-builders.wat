;; Makes builders without end and drops none.
;; Expected: the task fails, handles (--extension-handles)
;;@ roles: source
(module
  (import "rally:track/bodies@0.1.0" "[constructor]builder" (func $new_builder (result i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (loop $more
      (drop (call $new_builder))
      (br $more))
    unreachable))
