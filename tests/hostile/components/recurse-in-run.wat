;; Two functions call each other without end in `run`, on the stack of an asynchronous call.
;; Expected: the task fails, stack
;;@ roles: runner
(module
  (func $ping (result i32) (i32.add (call $pong) (i32.const 1)))
  (func $pong (result i32) (i32.add (call $ping) (i32.const 1)))
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $ping)))
