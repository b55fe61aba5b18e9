;; Loops for ever in `next`.
;; Expected: the task fails, time per call (--extension-time-per-call)
;;@ roles: source
(module
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
