;; Submits requests without end and waits for none.
;; Expected: the request or the task fails, requests in flight (--extension-requests-in-flight)
;;@ roles: runner
;;@ iterations: 2
(module
  (import "rally:track/client@0.1.0" "submit" (func $submit (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop $more
      (call $submit (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3072))
      (br_if $more (i32.eqz (i32.load8_u (i32.const 3072)))))
    ;; The error lies four bytes further on in result<outcome, error>.
    (memory.copy (i32.const 3080) (i32.const 3076) (i32.const 40))
    (i32.const 3072))
  (data (i32.const 16) "/asked"))
