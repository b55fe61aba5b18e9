;; Announces 5,000 shapes in one batch.
;; Expected: the task fails, or the shapes that were announced last count: there are no more slots than 256
;;@ roles: source
(module
  (data (i32.const 4096) (i32 0  8192 5000  2256 1  2320 26  0 0  0))
  (func (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.const 4096)))
