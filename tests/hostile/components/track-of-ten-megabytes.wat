;; Returns ten megabytes as a track.
;; Expected: refused before the race, bytes per host call (--extension-host-call-bytes)
;;@ roles: processor
(module
  (memory (export "memory") 192)
  (func $on_load (export "rally:track/processors@0.1.0#on-load") (param i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 1 131072 10000000)))
