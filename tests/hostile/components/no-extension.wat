;; Exports nothing.
;; Expected: refused at load
(component)
