;; Wants the whole of an answer that is larger than may be kept.
;; Expected: the request fails, bytes of an answer (--extension-response-bytes)
;;@ roles: runner
;;@ uses: run-send send
;;@ iterations: 2
(module
  (global $target_length i32 (i32.const 6))
  (global $headers i32 (i32.const 0))
  (global $want i32 (i32.const 2))
  (global $pointers i32 (i32.const 0))
  (global $pointer_count i32 (i32.const 0))
  (data (i32.const 16) "/large"))
