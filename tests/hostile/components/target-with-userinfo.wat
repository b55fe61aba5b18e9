;; Sends a request with a name and a password in front of the path.
;; Expected: the request fails: it is not sent
;;@ roles: runner
;;@ uses: run-send send
;;@ iterations: 2
(module
  (global $target_length i32 (i32.const 26))
  (global $headers i32 (i32.const 0))
  (global $want i32 (i32.const 0))
  (global $pointers i32 (i32.const 0))
  (global $pointer_count i32 (i32.const 0))
  (data (i32.const 16) "user:secret@other.example/"))
