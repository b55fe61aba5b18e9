;; Puts a header into the name of a header.
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
  (data (i32.const 256) (i32 300 18 400 1))
  (data (i32.const 300) "x-note: a\0d\0ax-other")
  (data (i32.const 400) "b"))
