;; Divides by zero in `next`.
;; Expected: the task fails; the message says so
;;@ roles: source
(module
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.div_u (i32.const 1) (i32.const 0))))
