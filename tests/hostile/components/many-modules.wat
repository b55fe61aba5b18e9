;; Consists of a hundred modules.
;; Expected: refused at load
(component
  (core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)
  (core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)
  (core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)
  (core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)
  (core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)
  (core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)
  (core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)
  (core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)
  (core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)
  (core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module)(core module))
