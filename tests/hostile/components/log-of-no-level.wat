;; Logs at a level that there is not.
;; Expected: the task fails; the message says that the discriminant is unknown
;;@ roles: source
;;@ clients: 1
(module
  (import "rally:track/log@0.1.0" "emit" (func $emit (param i32 i32 i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (call $emit (i32.const 42) (i32.const 2320) (i32.const 26))
    unreachable))
