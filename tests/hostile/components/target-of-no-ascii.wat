;; Sends a request whose path is not encoded.
;; Expected: the request fails: it is not sent
;;@ roles: runner
;;@ uses: run-send send
;;@ iterations: 2
(module
  (global $target_length i32 (i32.const 3))
  (global $headers i32 (i32.const 0))
  (global $want i32 (i32.const 0))
  (global $pointers i32 (i32.const 0))
  (global $pointer_count i32 (i32.const 0))
  (data (i32.const 16) "/\c3\a4"))
