;; Returns no request and does not say that there are no more.
;; Expected: the task fails; the message says what the batch is
;;@ roles: source
(module
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0  0 0  0 0  0 0  0 0  0)))
