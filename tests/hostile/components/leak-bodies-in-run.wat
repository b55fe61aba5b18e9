;; Makes bodies without end in `run` and drops none.
;; Expected: the task fails, handles (--extension-handles)
;;@ roles: runner
(module
  (import "rally:track/bodies@0.1.0" "of-bytes" (func $of_bytes (param i32 i32) (result i32)))
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop $more
      (drop (call $of_bytes (i32.const 0) (i32.const 1)))
      (br $more))
    unreachable))
