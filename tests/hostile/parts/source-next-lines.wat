;; Its form is the arena.
(func $next_lines (export "rally:track/param-sources@0.1.0#[method]source.next-lines") (param i32 i32 i32) (result i32) unreachable)
