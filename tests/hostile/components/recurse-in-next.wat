;; Calls itself without end in `next`.
;; Expected: the task fails, stack
;;@ roles: source
(module
  (func $deeper (param i32) (result i32) (i32.add (call $deeper (local.get 0)) (i32.const 1)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (call $deeper (i32.const 1))))
