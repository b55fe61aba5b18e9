;; Grows a table without end.
;; Expected: the task fails, table elements (--extension-table-elements)
;;@ roles: source
(module
  (table $table 1 funcref)
  (func $next (export "rally:track/param-sources@0.1.0#[method]source.next") (param $source i32) (param $limit i32) (param $most i32) (result i32)
    (loop $more
      (br_if $more (i32.ne (i32.const -1) (table.grow $table (ref.null func) (i32.const 1000)))))
    unreachable))
