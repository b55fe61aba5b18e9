(import "[export]rally:track/schedulers@0.1.0" "[resource-new]scheduler" (func $new_scheduler (param i32) (result i32)))
