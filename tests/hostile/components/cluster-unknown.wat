;; Sends a request to a cluster that the race does not have.
;; Expected: the request fails: there is no such cluster
;;@ roles: runner
;;@ uses: send
;;@ iterations: 2
(module
  (global $target_length i32 (i32.const 1))
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $send (i32.const 1) (i32.const 32) (i32.const 5) (i32.const 0) (i32.const 16) (i32.const 6) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3072))
    (i32.const 3072))
  (data (i32.const 16) "/asked")
  (data (i32.const 32) "other"))
