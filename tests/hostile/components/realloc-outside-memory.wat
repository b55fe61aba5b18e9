;; Its allocator gives room that its memory does not have.
;; Expected: refused before the race; the message says that the room is out of memory
;;@ roles: source
(module
  (func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32) (i32.const -4096)))
