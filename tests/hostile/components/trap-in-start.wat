;; Gives up while it is instantiated.
;; Expected: refused at load; the message has the backtrace
;;@ roles: source
(module
  (func $start unreachable)
  (start $start))
