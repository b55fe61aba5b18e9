;; Loops for ever when its source is dropped.
;; Expected: the race is over by then: nothing waits for the destructor, or it is stopped
;;@ roles: source
;;@ iterations: 3
(module
  (func (export "rally:track/param-sources@0.1.0#[dtor]source") (param i32)
    (loop $for_ever (br $for_ever))))
