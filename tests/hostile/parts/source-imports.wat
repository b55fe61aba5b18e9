(import "[export]rally:track/param-sources@0.1.0" "[resource-new]source" (func $new_source (param i32) (result i32)))
