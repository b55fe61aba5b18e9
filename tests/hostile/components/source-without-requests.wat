;; Has no request at all, and says so at once.
;; Expected: the race ends well, or the message says that nothing was raced
;;@ roles: source
(module
  (func $extent (export "rally:track/param-sources@0.1.0#[method]source.extent") (param $source i32) (result i32) (i32.const 4080))
  (data (i32.const 4080) (i32 1 0 1 0) (i64 0))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.const 4128))
  (data (i32.const 4128) (i32 0  0 0  0 0  0 0  0 0  1)))
