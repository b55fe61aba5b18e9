;; Announces 5,000 shapes in one batch.
;; Expected: the task fails, or the shapes that were announced last count: there are no more slots than 256
;;@ roles: source
;;@ iterations: 3
(module
  (func $shapes (local $at i32)
    (local.set $at (i32.const 4400))
    (loop $next
      (i32.store (local.get $at) (i32.and (local.get $at) (i32.const 255)))
      (i32.store offset=4 (local.get $at) (i32.const 2288))
      (i32.store offset=8 (local.get $at) (i32.const 16))
      (local.set $at (i32.add (local.get $at) (i32.const 12)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 64400)))))
  (start $shapes)
  (data (i32.const 4096) (i32 0  4400 5000  2256 1  2320 26  0 0  0))
  (data (i32.const 2256) (i32 48 26 0 0 0))
  (data (i32.const 2240) (i32 0 2288 16))
  (data (i32.const 2288) "{\"index\":\"_all\"}")
  (data (i32.const 2320) "{\"query\":{\"match_all\":{}}}")
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32) (i32.const 4096)))
