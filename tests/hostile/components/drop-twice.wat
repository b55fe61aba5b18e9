;; Drops a body twice.
;; Expected: the task fails; the message says that the handle is unknown
;;@ roles: source
(module
  (import "rally:track/bodies@0.1.0" "of-bytes" (func $of_bytes (param i32 i32) (result i32)))
  (import "rally:track/bodies@0.1.0" "[resource-drop]body" (func $drop_body (param i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (local $body i32)
    (local.set $body (call $of_bytes (i32.const 0) (i32.const 1)))
    (call $drop_body (local.get $body))
    (call $drop_body (local.get $body))
    unreachable))
