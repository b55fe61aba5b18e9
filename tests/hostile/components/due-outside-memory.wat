;; Gives due times that its memory does not have.
;; Expected: the task fails; the message says that a pointer leads out of memory
;;@ roles: scheduler
(module
  (func $next (export "rally:track/schedulers@0.1.0#[method]scheduler.next") (param $scheduler i32) (param $current f64) (param $finished i32) (param $length i32) (param $limit i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 4200 100000))
  (data (i32.const 4200) (f64 0)))
