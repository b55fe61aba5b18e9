;; Loops for ever while it is instantiated, before any function is called.
;; Expected: refused at load, time to open (--extension-time-to-open)
;;@ roles: source
(module
  (func $start (loop $for_ever (br $for_ever)))
  (start $start))
