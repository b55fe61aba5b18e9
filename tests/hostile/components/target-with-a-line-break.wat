;; Puts a second request into the path of the first.
;; Expected: the request fails: it is not sent
;;@ roles: runner
;;@ uses: run-send send
;;@ iterations: 2
(module
  (global $target_length i32 (i32.const 47))
  (global $headers i32 (i32.const 0))
  (global $want i32 (i32.const 0))
  (global $pointers i32 (i32.const 0))
  (global $pointer_count i32 (i32.const 0))
  (data (i32.const 16) "/ HTTP/1.1\0d\0ahost: other.example\0d\0a\0d\0aDELETE /_all"))
