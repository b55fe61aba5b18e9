;; Gives up when its source is dropped.
;; Expected: the race ends well: it is over by then
;;@ roles: source
;;@ iterations: 3
(module
  (func (export "rally:track/param-sources@0.1.0#[dtor]source") (param i32) unreachable))
