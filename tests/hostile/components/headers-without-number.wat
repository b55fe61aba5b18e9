;; Sends 15,000 headers.
;; Expected: the request fails: it is not sent
;;@ roles: runner
;;@ uses: send
;;@ iterations: 2
(module
  (memory (export "memory") 8)
  (func $fill
    (local $at i32)
    (local.set $at (i32.const 131072))
    (loop $next
      (i32.store (local.get $at) (i32.const 300))
      (i32.store offset=4 (local.get $at) (i32.const 6))
      (i32.store offset=8 (local.get $at) (i32.const 306))
      (i32.store offset=12 (local.get $at) (i32.const 1))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 371072)))))
  (start $fill)
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $send
      (i32.const 0) (i32.const 0) (i32.const 0) ;; the default cluster
      (i32.const 0) (i32.const 16) (i32.const 6)
      (i32.const 131072) (i32.const 15000)
      (i32.const 0) (i32.const 0) ;; no body
      (i32.const 0) (i32.const 0) ;; no timeout
      (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 3072))
    (i32.const 3072)) ;; result<response, error> and result<outcome, error> have their error in one place
  (data (i32.const 16) "/asked")
  (data (i32.const 300) "x-manyv"))
