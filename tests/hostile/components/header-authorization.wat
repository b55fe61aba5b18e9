;; Brings an authorization of its own, instead of the one of --client-options.
;; Expected: the request fails: it is not sent, or sent as it is: the target is the race's own
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
  (data (i32.const 256) (i32 300 13 400 14))
  (data (i32.const 300) "authorization")
  (data (i32.const 400) "Basic bWU6bWU="))
