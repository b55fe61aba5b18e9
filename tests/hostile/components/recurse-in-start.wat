;; Calls itself without end while it is instantiated.
;; Expected: refused at load, stack
;;@ roles: source
(module
  (func $start (call $start) (call $start))
  (start $start))
