;; Gives up when it is asked what it is.
;; Expected: refused at load; the message has the backtrace
;;@ roles: source
(module
  (func $describe (export "rally:track/extension@0.1.0#describe") (result i32) unreachable))
