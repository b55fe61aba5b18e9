;; Logs what is no UTF-8.
;; Expected: the task fails; the message says that it is no UTF-8
;;@ roles: source
;;@ clients: 1
(module
  (import "rally:track/log@0.1.0" "emit" (func $emit (param i32 i32 i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (call $emit (i32.const 3) (i32.const 4096) (i32.const 3))
    unreachable)
  (data (i32.const 4096) "\ff\fe\80"))
