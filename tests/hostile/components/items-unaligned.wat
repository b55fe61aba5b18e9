;; Returns requests at an address that no request can be at.
;; Expected: the task fails; the message says that a pointer is not aligned
;;@ roles: source
(module
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0  2240 1  2257 1  0 0  0 0  0)))
