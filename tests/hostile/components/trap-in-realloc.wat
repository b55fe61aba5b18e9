;; Gives up when the host asks for room for the name of the source.
;; Expected: refused before the race; the message has the backtrace
;;@ roles: source
(module
  (func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32) unreachable))
