;; Grows its memory without end in `run`.
;; Expected: the task fails, memory (--extension-memory)
;;@ roles: runner
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop $more
      (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 16)))))
    unreachable))
