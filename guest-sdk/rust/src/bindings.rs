//! The interface of `wit/`, as the generator of bindings writes it: one module with all that rally offers, and one per role,
//! so that a component exports only the roles that it registers and imports only what these use.

/// What rally offers.
#[allow(unsafe_code, missing_docs, dead_code, clippy::all)]
pub mod host {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package rally:sdk;
            world host {
                import rally:track/log@0.1.0;
                import rally:track/clock@0.1.0;
                import rally:track/assets@0.1.0;
                import rally:track/data@0.1.0;
                import rally:track/race@0.1.0;
                import rally:track/bodies@0.1.0;
                import rally:track/corpora@0.1.0;
                import rally:track/client@0.1.0;
            }
        ",
        world: "rally:sdk/host",
        generate_all,
    });
}

/// What a component says that it is.
#[allow(unsafe_code, missing_docs, dead_code, unused_imports, clippy::all)]
pub mod extension {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package rally:sdk; world extension-role { export rally:track/extension@0.1.0; }",
        world: "rally:sdk/extension-role",
        with: {
            "rally:track/types@0.1.0": crate::bindings::host::rally::track::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_extension",
        default_bindings_module: "::rally_sdk::bindings::extension",
        runtime_path: "::rally_sdk::bindings::runtime",
        generate_all,
    });
}

/// Parameter sources.
#[allow(unsafe_code, missing_docs, dead_code, unused_imports, clippy::all)]
pub mod sources {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package rally:sdk; world sources-role { export rally:track/param-sources@0.1.0; }",
        world: "rally:sdk/sources-role",
        with: {
            "rally:track/types@0.1.0": crate::bindings::host::rally::track::types,
            "rally:track/race@0.1.0": crate::bindings::host::rally::track::race,
            "rally:track/bodies@0.1.0": crate::bindings::host::rally::track::bodies,
        },
        pub_export_macro: true,
        export_macro_name: "export_sources",
        default_bindings_module: "::rally_sdk::bindings::sources",
        runtime_path: "::rally_sdk::bindings::runtime",
        generate_all,
    });
}

/// Runners.
#[allow(unsafe_code, missing_docs, dead_code, unused_imports, clippy::all)]
pub mod runners {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package rally:sdk; world runners-role { export rally:track/runners@0.1.0; }",
        world: "rally:sdk/runners-role",
        with: {
            "rally:track/types@0.1.0": crate::bindings::host::rally::track::types,
            "rally:track/race@0.1.0": crate::bindings::host::rally::track::race,
            "rally:track/bodies@0.1.0": crate::bindings::host::rally::track::bodies,
        },
        pub_export_macro: true,
        export_macro_name: "export_runners",
        default_bindings_module: "::rally_sdk::bindings::runners",
        runtime_path: "::rally_sdk::bindings::runtime",
        generate_all,
    });
}

/// Schedulers.
#[allow(unsafe_code, missing_docs, dead_code, unused_imports, clippy::all)]
pub mod schedulers {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package rally:sdk; world schedulers-role { export rally:track/schedulers@0.1.0; }",
        world: "rally:sdk/schedulers-role",
        with: {
            "rally:track/types@0.1.0": crate::bindings::host::rally::track::types,
            "rally:track/race@0.1.0": crate::bindings::host::rally::track::race,
        },
        pub_export_macro: true,
        export_macro_name: "export_schedulers",
        default_bindings_module: "::rally_sdk::bindings::schedulers",
        runtime_path: "::rally_sdk::bindings::runtime",
        generate_all,
    });
}

/// Track processors.
#[allow(unsafe_code, missing_docs, dead_code, unused_imports, clippy::all)]
pub mod processors {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package rally:sdk; world processors-role { export rally:track/processors@0.1.0; }",
        world: "rally:sdk/processors-role",
        with: {
            "rally:track/types@0.1.0": crate::bindings::host::rally::track::types,
            "rally:track/race@0.1.0": crate::bindings::host::rally::track::race,
        },
        pub_export_macro: true,
        export_macro_name: "export_processors",
        default_bindings_module: "::rally_sdk::bindings::processors",
        runtime_path: "::rally_sdk::bindings::runtime",
        generate_all,
    });
}

/// Checks of track parameters.
#[allow(unsafe_code, missing_docs, dead_code, unused_imports, clippy::all)]
pub mod validators {
    wit_bindgen::generate!({
        path: "wit",
        inline: "package rally:sdk; world validators-role { export rally:track/validators@0.1.0; }",
        world: "rally:sdk/validators-role",
        with: {
            "rally:track/types@0.1.0": crate::bindings::host::rally::track::types,
        },
        pub_export_macro: true,
        export_macro_name: "export_validators",
        default_bindings_module: "::rally_sdk::bindings::validators",
        runtime_path: "::rally_sdk::bindings::runtime",
        generate_all,
    });
}

pub use wit_bindgen::rt as runtime;
