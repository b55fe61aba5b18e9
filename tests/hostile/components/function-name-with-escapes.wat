;; Gives up in a function whose name has escape sequences of terminals.
;; Expected: the task fails; the backtrace is printable
;;@ roles: source
(module
  (func $"\1b[2J\0arace done" (result i32) unreachable)
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (call $"\1b[2J\0arace done")))
