;; Every millisecond.
(func $next (export "rally:track/schedulers@0.1.0#[method]scheduler.next") (param $scheduler i32) (param $current f64) (param $finished i32) (param $length i32) (param $limit i32) (result i32)
  (i32.store (i32.const 2404) (i32.const 2432))
  (i32.store (i32.const 2408) (i32.const 1))
  (f64.store (i32.const 2432) (f64.add (local.get $current) (f64.const 0.001)))
  (i32.const 2400))
