;; Registers 5,000 sources, each of the same 100 bytes.
;; Expected: refused at load
;;@ roles: source
(module
  (func $describe (export "rally:track/extension@0.1.0#describe") (result i32) (i32.const 1024))
  (data (i32.const 1024) (i32 0  1100 7  1108 5  0  4096 5000  0 0  0 0  0 0  0 0))
  (data (i32.const 1100) "hostile\00" "6.6.6")
  (func $fill (local $at i32)
    (local.set $at (i32.const 4096))
    (loop $next
      (i32.store (local.get $at) (i32.const 1160))
      (i32.store offset=4 (local.get $at) (i32.const 100))
      (local.set $at (i32.add (local.get $at) (i32.const 12)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 64096)))))
  (start $fill))
