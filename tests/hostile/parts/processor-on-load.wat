;; Leaves the track as it is.
(func $on_load (export "rally:track/processors@0.1.0#on-load") (param i32 i32 i32) (result i32) (i32.const 2800))
