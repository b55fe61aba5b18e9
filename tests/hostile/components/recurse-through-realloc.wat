;; Its allocator calls the allocator.
;; Expected: refused before the race, stack
;;@ roles: source
(module
  (func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (i32.add (call $realloc (local.get 0) (local.get 1) (local.get 2) (local.get 3)) (i32.const 8))))
