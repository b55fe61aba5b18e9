;; Gives the status 65535 with a failure.
;; Expected: the request fails
;;@ roles: runner
;;@ iterations: 3
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 0) (f64 1) (i32 2656 3) (i8 0))
  (data (i32.const 4124) (i32 1 4200 4) (i8 1 0 255 255))
  (data (i32.const 4200) "boom")
  (data (i32.const 2656) "ops"))
