;; Gives up when it is asked how much there is.
;; Expected: refused before the race; the message has the backtrace
;;@ roles: source
(module
  (func $extent (export "rally:track/param-sources@0.1.0#[method]source.extent") (param $source i32) (result i32) unreachable))
