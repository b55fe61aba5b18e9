;; Is a core module, not a component.
;; Expected: refused at load
(module
  (memory (export "memory") 1))
