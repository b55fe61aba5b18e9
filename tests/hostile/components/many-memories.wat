;; Has modules with a hundred memories.
;; Expected: refused at load
(component
  (core module
    (memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)
    (memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)
    (memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)
    (memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)
    (memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)
    (memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)
    (memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)
    (memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)
    (memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)
    (memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)(memory 1)))
