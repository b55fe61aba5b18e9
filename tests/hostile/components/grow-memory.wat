;; Grows its memory until it is refused, then uses it.
;; Expected: the task fails, memory (--extension-memory)
;;@ roles: source
(module
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (loop $more
      (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 16)))))
    (i32.store (i32.const -8) (i32.const 1))
    (i32.const 2176)))
