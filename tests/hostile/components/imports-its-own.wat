;; Imports an interface of its own making.
;; Expected: refused at load: no extension has that
(component
  (import "evil:backdoor/shell@1.0.0" (instance
    (export "run" (func (param "command" string) (result string))))))
