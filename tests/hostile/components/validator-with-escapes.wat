;; Refuses the parameters of the track with escape sequences of terminals.
;; Expected: refused before the race; the message is made printable
;;@ roles: validator
(module
  (func $validate (export "rally:track/validators@0.1.0#validate") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 1  0  4200 24  0  0 0 0  0 0 0))
  (data (i32.const 4200) "\1b[2J\1b[31mrace done\0d\0aok"))
