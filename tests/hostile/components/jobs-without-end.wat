;; Announces four billion jobs.
;; Expected: refused before the race, by a limit
;;@ roles: processor
(module
  (func $on_prepare (export "rally:track/processors@0.1.0#on-prepare") (param i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 1 -1)))
