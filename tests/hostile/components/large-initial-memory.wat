;; Wants 1 GiB from the start.
;; Expected: refused at load, memory (--extension-memory)
;;@ roles: source
(module
  (memory (export "memory") 16384))
