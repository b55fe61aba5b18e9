;; Gives a unit with escape sequences of terminals.
;; Expected: the task fails; the message shows them as escapes
;;@ roles: runner
(module
  (func $run (export "rally:track/runners@0.1.0#[method]runner.run") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 0) (f64 1) (i32 4200 9) (i8 1))
  (data (i32.const 4200) "\1b[2J\1b[31m"))
