;; 128 KiB. Below 1024 is the case's own room, then what the parts keep; the heap begins at 65536.
(memory (export "memory") 2)
