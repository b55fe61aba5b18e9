;; Tells ten megabytes about its request.
;; Expected: the task fails, bytes per host call (--extension-host-call-bytes)
;;@ roles: runner
(module
  (memory (export "memory") 192)
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 0) (f64 1) (i32 2656 3) (i8 1))
  (data (i32.const 4160) (i32 1 131072 10000000))
  (data (i32.const 2656) "ops"))
