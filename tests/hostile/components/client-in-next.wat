;; Sends a request from a source, which may not.
;; Expected: the task fails: a source has no client
;;@ roles: source
;;@ uses: send
(module
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3072))
    ;; The error lies four bytes further on in result<batch, error>.
    (memory.copy (i32.const 3076) (i32.const 3080) (i32.const 40))
    (i32.const 3072))
  (data (i32.const 16) "/asked"))
