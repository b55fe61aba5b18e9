;; Uses shared memory and atomic instructions.
;; Expected: refused at load: that feature is not offered
(component
  (core module
    (memory 1 1 shared)))
