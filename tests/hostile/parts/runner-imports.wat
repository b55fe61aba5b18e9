(import "[export]rally:track/runners@0.1.0" "[resource-new]runner" (func $new_runner (param i32) (result i32)))
