;; Loops for ever when the host is done with what `next` returned.
;; Expected: the task fails, time per call (--extension-time-per-call)
;;@ roles: source
(module
  (func $post_next (export "cabi_post_rally:track/param-sources@0.1.0#[method]source.next") (param $result i32)
    (loop $for_ever (br $for_ever))))
