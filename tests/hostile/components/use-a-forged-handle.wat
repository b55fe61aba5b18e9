;; Appends to a builder that it never made.
;; Expected: the task fails; the message says that the handle is unknown
;;@ roles: source
(module
  (import "rally:track/bodies@0.1.0" "[method]builder.append" (func $append (param i32 i32 i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (call $append (i32.const 123456789) (i32.const 0) (i32.const 1))
    unreachable))
