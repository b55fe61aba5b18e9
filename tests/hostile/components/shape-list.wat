;; Announces parameters that are a JSON list.
;; Expected: the task fails; the message says what the batch is
;;@ roles: source
(module
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0  4160 1  4200 1  0 0  0 0  0))
  (data (i32.const 4160) (i32 0 4240 6))
  (data (i32.const 4200) (i32 0 0 0 0 0))
  (data (i32.const 4240) "[1, 2]"))
