;; Has another component with code inside.
;; Expected: refused at load: composed components are not taken
(component
  (component $inner
    (core module (func (export "f")))))
