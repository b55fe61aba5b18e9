;; Returns an error whose message has a megabyte, with line breaks and escape sequences of terminals.
;; Expected: refused before the race; the message is cut short
;;@ roles: source
(module
  (memory (export "memory") 32)
  (func $fill (memory.fill (i32.const 131072) (i32.const 97) (i32.const 1000000))
    (memory.copy (i32.const 131072) (i32.const 4200) (i32.const 24)))
  (start $fill)
  (func $open (export "rally:track/param-sources@0.1.0#[static]source.open") (param $name i32) (param $length i32) (param $context i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 1  0  131072 1000000  0  0 0 0  0 0 0))
  (data (i32.const 4200) "\1b[2J\1b[31mrace done\0d\0aok"))
