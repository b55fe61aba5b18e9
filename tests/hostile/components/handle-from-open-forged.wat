;; Returns a source that it never made.
;; Expected: refused before the race; the message says that the handle is unknown
;;@ roles: source
(module
  (func $open (export "rally:track/param-sources@0.1.0#[static]source.open") (param $name i32) (param $length i32) (param $context i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 0 77)))
