;; Logs escape sequences of terminals as its last words and gives up.
;; Expected: the task fails; the last words are made printable
;;@ roles: source
;;@ clients: 1
(module
  (import "rally:track/log@0.1.0" "emit" (func $emit (param i32 i32 i32)))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (call $emit (i32.const 3) (i32.const 4096) (i32.const 24))
    unreachable)
  (data (i32.const 4096) "\1b[2J\1b[31mrace done\0d\0aok"))
