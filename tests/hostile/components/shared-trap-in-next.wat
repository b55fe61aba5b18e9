;; Gives up in `next`, in an instance that all clients share.
;; Expected: the task fails; the message has the backtrace
;;@ roles: source runner
(module
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) unreachable))
