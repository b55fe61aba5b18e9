;; Reads the documents again and again and drops no slice.
;; Expected: the task fails, handles or memory
;;@ roles: source
(module
  (import "rally:track/corpora@0.1.0" "[static]reader.open" (func $open_reader (param i32 i32 i32 i32 i32 i32)))
  (import "rally:track/corpora@0.1.0" "[method]reader.next" (func $next_slice (param i32 i32)))
  (global $context (mut i32) (i32.const 0))
  (func $open (export "rally:track/param-sources@0.1.0#[static]source.open") (param $name i32) (param $length i32) (param $context i32) (result i32)
    (global.set $context (local.get $context))
    (i32.store (i32.const 2048) (i32.const 0))
    (i32.store (i32.const 2052) (call $new_source (i32.const 1)))
    (i32.const 2048))
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (loop $again
      (call $open_reader (global.get $context) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 4096))
      (if (i32.load8_u (i32.const 4096)) (then unreachable))
      (loop $more
        (call $next_slice (i32.load (i32.const 4100)) (i32.const 4160))
        (if (i32.load8_u (i32.const 4160)) (then unreachable))
        (br_if $more (i32.load8_u (i32.const 4164))))
      (br $again))
    unreachable))
