;; Says that it has 18,446,744,073,709,551,615 requests.
;; Expected: the race ends well
;;@ roles: source
;;@ iterations: 3
(module
  (func $extent (export "rally:track/param-sources@0.1.0#[method]source.extent") (param $source i32) (result i32) (i32.const 4080))
  (data (i32.const 4080) (i32 1 0 1 0) (i64 -1)))
