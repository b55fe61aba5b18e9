;; Gives up when the host is done with what `run` returned.
;; Expected: the task fails; the message has the backtrace
;;@ roles: runner
(module
  (func $post_run (export "cabi_post_rally:track/runners@0.1.0#[method]runner.run") (param $result i32) unreachable))
