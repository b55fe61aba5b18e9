;; Puts a line without its end before each document.
;; Expected: the task fails, or the bodies are what the component made them
;;@ roles: source
;;@ iterations: 3
(module
  (import "rally:track/corpora@0.1.0" "[static]reader.open" (func $open_reader (param i32 i32 i32 i32 i32 i32)))
  (import "rally:track/corpora@0.1.0" "[method]reader.next" (func $next_slice (param i32 i32)))
  (import "rally:track/bodies@0.1.0" "[constructor]builder" (func $new_builder (result i32)))
  (import "rally:track/bodies@0.1.0" "[method]builder.append-interleaved" (func $append_interleaved (param i32 i32 i32 i32)))
  (global $context (mut i32) (i32.const 0))
  (func $open (export "rally:track/param-sources@0.1.0#[static]source.open") (param $name i32) (param $length i32) (param $context i32) (result i32)
    (global.set $context (local.get $context))
    (i32.store (i32.const 2048) (i32.const 0))
    (i32.store (i32.const 2052) (call $new_source (i32.const 1)))
    (i32.const 2048))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (local $builder i32)
    (call $open_reader (global.get $context) (i32.const 0) (i32.const 0) (i32.const 2000) (i32.const 2000) (i32.const 4096))
    (if (i32.load8_u (i32.const 4096)) (then unreachable))
    (call $next_slice (i32.load (i32.const 4100)) (i32.const 4160))
    (local.set $builder (call $new_builder))
    (call $append_interleaved (local.get $builder) (i32.const 2288) (i32.const 5) (i32.load (i32.const 4168)))
    (i32.const 2176))
  (data (i32.const 2176) (i32 0  2240 1  2256 1  2320 26  0 0  0))
  (data (i32.const 2256) (i32 0 26 0 0 0))
  (data (i32.const 2240) (i32 0 2288 16))
  (data (i32.const 2288) "{\"index\":\"_all\"}")
  (data (i32.const 2320) "{\"query\":{\"match_all\":{}}}"))
