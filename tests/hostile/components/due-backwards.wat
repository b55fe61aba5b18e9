;; Goes back by a second with each call.
;; Expected: the task fails
;;@ roles: scheduler
(module
  (func $next (export "rally:track/schedulers@0.1.0#[method]scheduler.next") (param $scheduler i32) (param $current f64) (param $finished i32) (param $length i32) (param $limit i32) (result i32)
    (f64.store (i32.const 4200) (f64.sub (f64.load (i32.const 4200)) (f64.const 1)))
    (i32.const 4096))
  (data (i32.const 4096) (i32 0 4200 1))
  (data (i32.const 4200) (f64 3.5)))
