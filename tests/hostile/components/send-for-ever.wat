;; Sends requests without end in one run.
;; Expected: the task fails, time to run (--extension-time-to-run)
;;@ roles: runner
;;@ uses: send
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop $more
      (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3072))
      (br $more))
    unreachable)
  (data (i32.const 16) "/asked"))
