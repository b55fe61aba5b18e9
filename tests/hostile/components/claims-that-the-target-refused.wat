;; Says that the target refused its connection, which it did not: in a real race that would mean that the target is gone.
;; Expected: its requests fail; the race goes on to its end
;;@ roles: runner
;;@ iterations: 2
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 1 0) (i32 2) (i32 4200 7) (i32 0) (i32 1 4220 18) (i32 0 0 0))
  (data (i32.const 4200) "refused")
  (data (i32.const 4220) "connection-refused"))
