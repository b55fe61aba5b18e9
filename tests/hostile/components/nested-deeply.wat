;; Has components in components in components.
;; Expected: refused at load
(component
  (component (component (component (component (component (component (component (component (component (component (component (component (component (component (component (component (component (component (component (component )))))))))))))))))))))
