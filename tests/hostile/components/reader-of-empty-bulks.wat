;; Wants the documents in bulks of none.
;; Expected: the task fails, in the words of the host
;;@ roles: source
(module
  (import "rally:track/corpora@0.1.0" "[static]reader.open" (func $open_reader (param i32 i32 i32 i32 i32 i32)))
  (global $context (mut i32) (i32.const 0))
  (func $open (export "rally:track/param-sources@0.1.0#[static]source.open") (param $name i32) (param $length i32) (param $context i32) (result i32)
    (global.set $context (local.get $context))
    (i32.store (i32.const 2048) (i32.const 0))
    (i32.store (i32.const 2052) (call $new_source (i32.const 1)))
    (i32.const 2048))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (call $open_reader (global.get $context) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4096))
    (i32.const 4096)))
