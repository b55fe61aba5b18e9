;; Its allocator gives room at odd addresses: a list of feedback has to lie at multiples of eight.
;; Expected: the task fails; the message says that the room is not aligned, or the race ends well, for names may
;;   lie anywhere
;;@ roles: source
;;@ iterations: 3
(module
  (func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32) (i32.const 65537)))
