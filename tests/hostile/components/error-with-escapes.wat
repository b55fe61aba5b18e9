;; Returns an error whose class, message and traceback have escape sequences of terminals.
;; Expected: refused before the race; the message is printable, its lines stay
;;@ roles: source
(module
  (func $open (export "rally:track/param-sources@0.1.0#[static]source.open") (param $name i32) (param $length i32) (param $context i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 1  0  4200 24  0  1 4200 24  1 4200 24))
  (data (i32.const 4200) "\1b[2J\1b[31mrace done\0d\0aok"))
