;; Gives up in `next`, three calls deep.
;; Expected: the task fails; the message has the backtrace with the names of the functions
;;@ roles: source
(module
  (func $innermost (result i32) unreachable)
  (func $middle (result i32) (call $innermost))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (call $middle)))
