;; Returns a list of 268 million requests in 128 KiB of memory.
;; Expected: the task fails; the message says that a pointer or length leads out of memory
;;@ roles: source
(module
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0  0 0  4200 0x10000000  0 0  0 0  0)))
