;; Returns a JSON object that is no track.
;; Expected: refused before the race
;;@ roles: processor
(module
  (func $on_load (export "rally:track/processors@0.1.0#on-load") (param i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 1 4200 7))
  (data (i32.const 4200) "{\"a\":1}"))
