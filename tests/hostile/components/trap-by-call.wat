;; Calls through a table entry that is empty.
;; Expected: the task fails; the message says so
;;@ roles: source
(module
  (table 1 funcref)
  (type $nothing (func (result i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (call_indirect (type $nothing) (i32.const 0))))
