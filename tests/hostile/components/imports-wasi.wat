;; Imports the environment of the machine.
;; Expected: refused at load: no extension has that
(component
  (import "wasi:cli/environment@0.2.0" (instance
    (export "get-environment" (func (result (list (tuple string string))))))))
