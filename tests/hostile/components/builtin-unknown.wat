;; Performs a built-in operation that there is not.
;; Expected: the request fails: there is no such operation
;;@ roles: runner
;;@ iterations: 2
(module
  (import "rally:track/client@0.1.0" "builtin" (func $builtin (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $builtin (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 11) (i32.const 64) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 3072))
    ;; The error lies four bytes further on in result<outcome, error>.
    (memory.copy (i32.const 3080) (i32.const 3076) (i32.const 40))
    (if (result i32) (i32.load8_u (i32.const 3072)) (then (i32.const 3072)) (else (i32.const 2560))))
  (data (i32.const 16) "format-disk")
  (data (i32.const 64) "{}")
  (data (i32.const 2560) (i32 0 0) (f64 1) (i32 2656 3) (i8 1))
  (data (i32.const 2656) "ops"))
