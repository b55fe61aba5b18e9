;; Returns an extent that is neither finite nor infinite.
;; Expected: refused before the race; the message says that the discriminant is unknown
;;@ roles: source
(module
  (func $extent (export "rally:track/param-sources@0.1.0#[method]source.extent") (param $source i32) (result i32) (i32.const 4080))
  (data (i32.const 4080) (i32 9 0 1 0)))
