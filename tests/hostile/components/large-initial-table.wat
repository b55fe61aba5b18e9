;; Wants ten million table elements from the start.
;; Expected: refused at load, table elements (--extension-table-elements)
;;@ roles: source
(module
  (table $table 10000000 funcref))
