;; Sends a request while it is opened: before the race, when nothing may be sent.
;; Expected: refused before the race: nothing may be sent
;;@ roles: runner
;;@ uses: send
(module
  (func $open_runner (export "rally:track/runners@0.1.0#[static]runner.open") (param $name i32) (param $length i32) (param $context i32) (result i32)
    (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 3072))
    (memory.copy (i32.const 3076) (i32.const 3080) (i32.const 40))
    (i32.const 3072))
  (data (i32.const 16) "/asked"))
