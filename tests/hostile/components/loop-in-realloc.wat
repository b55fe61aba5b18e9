;; Loops for ever when the host asks for room for the name of the source.
;; Expected: refused before the race, time to open (--extension-time-to-open)
;;@ roles: source
(module
  (func $realloc (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
