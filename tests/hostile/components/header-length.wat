;; Says how long the body is, to smuggle a second request behind it.
;; Expected: the request fails: it is not sent
;;@ roles: runner
;;@ uses: run-send send
;;@ iterations: 2
(module
  (global $target_length i32 (i32.const 6))
  (global $headers i32 (i32.const 1))
  (global $want i32 (i32.const 0))
  (global $pointers i32 (i32.const 0))
  (global $pointer_count i32 (i32.const 0))
  (data (i32.const 16) "/asked")
  (data (i32.const 256) (i32 300 14 400 3))
  (data (i32.const 300) "content-length")
  (data (i32.const 400) "100"))
