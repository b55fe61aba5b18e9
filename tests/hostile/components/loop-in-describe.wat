;; Loops for ever when it is asked what it is.
;; Expected: refused at load, time to open (--extension-time-to-open)
;;@ roles: source
(module
  (func $describe (export "rally:track/extension@0.1.0#describe") (result i32)
    (loop $for_ever (br $for_ever))
    unreachable))
