;; Returns an error of a class that there is not.
;; Expected: refused before the race; the message says that the discriminant is unknown
;;@ roles: source
(module
  (func $open (export "rally:track/param-sources@0.1.0#[static]source.open") (param $name i32) (param $length i32) (param $context i32) (result i32) (i32.const 4096))
  (data (i32.const 4096) (i32 1  99  4200 4  0  0 0 0  0 0 0))
  (data (i32.const 4200) "boom"))
