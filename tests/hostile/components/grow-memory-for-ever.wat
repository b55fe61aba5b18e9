;; Asks for more memory again and again, whatever it is told.
;; Expected: the task fails, memory or time per call
;;@ roles: source
(module
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (loop $more
      (drop (memory.grow (i32.const 16)))
      (br $more))
    unreachable))
