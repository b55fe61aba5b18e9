;; Gives up in a job of its preparation.
;; Expected: refused before the race; the message has the backtrace
;;@ roles: processor
(module
  (func $on_prepare (export "rally:track/processors@0.1.0#on-prepare") (param i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 1 3))
  (func $run_job (export "rally:track/processors@0.1.0#run-job") (param i32) (result i32) unreachable))
