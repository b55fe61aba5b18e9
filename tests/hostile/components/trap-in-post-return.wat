;; Gives up when the host is done with what `next` returned.
;; Expected: the task fails; the message has the backtrace
;;@ roles: source
(module
  (func $post_next (export "cabi_post_rally:track/param-sources@0.1.0#[method]source.next") (param $result i32) unreachable))
