;; Does nothing hostile: all of it is made of parts.
;;@ roles: source
(module)
