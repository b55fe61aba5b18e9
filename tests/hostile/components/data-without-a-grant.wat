;; Writes to the data folder without a grant.
;; Expected: refused before the race: writing needs --extension-data-bytes
;;@ roles: source
(module
  (import "rally:track/data@0.1.0" "create" (func $create (param i32 i32 i32)))
  (func $open (export "rally:track/param-sources@0.1.0#[static]source.open") (param $name i32) (param $length i32) (param $context i32) (result i32)
    (call $create (i32.const 16) (i32.const 4) (i32.const 3072))
    (if (i32.eqz (i32.load8_u (i32.const 3072))) (then unreachable))
    (i32.const 3072))
  (data (i32.const 16) "loot"))
