;; Announces parameters that are 4000 lists deep in one another.
;; Expected: the task fails; the message says what the batch is
;;@ roles: source
(module
  (func $nest
    (memory.fill (i32.const 8192) (i32.const 91) (i32.const 4000))
    (memory.copy (i32.const 8186) (i32.const 4240) (i32.const 6)))
  (start $nest)
  (data (i32.const 4096) (i32 0  4160 1  4200 1  0 0  0 0  0))
  (data (i32.const 4160) (i32 0 8186 4000))
  (data (i32.const 4200) (i32 0 0 0 0 0))
  (data (i32.const 4240) "{\"x\": ")
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.const 4096)))
