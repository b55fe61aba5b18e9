;; Sleeps for 584 years.
;; Expected: the task fails, time to run (--extension-time-to-run)
;;@ roles: runner
(module
  (import "rally:track/client@0.1.0" "sleep" (func $sleep (param i64)))
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $sleep (i64.const -1))
    (i32.const 2560)))
