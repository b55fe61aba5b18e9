;; Returns an odd address.
;; Expected: the task fails; the message says that a pointer is not aligned
;;@ roles: source
(module
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.const 4097)))
