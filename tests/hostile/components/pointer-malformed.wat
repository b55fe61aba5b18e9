;; Wants a value of the answer by a pointer that is none.
;; Expected: the request fails: that is no pointer
;;@ roles: runner
;;@ uses: run-send send
;;@ iterations: 2
(module
  (global $target_length i32 (i32.const 6))
  (global $headers i32 (i32.const 0))
  (global $want i32 (i32.const 1))
  (global $pointers i32 (i32.const 512))
  (global $pointer_count i32 (i32.const 1))
  (data (i32.const 16) "/asked")
  (data (i32.const 512) (i32 600 8))
  (data (i32.const 600) "no-slash"))
