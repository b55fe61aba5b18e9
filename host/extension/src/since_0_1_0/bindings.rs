//! What `wit/0.1.0` looks like in Rust, twice: calls that wait for nothing, and calls that may wait for the target. Both share
//! the types and resources of all imports but the client.

/// For param sources and schedulers: no call waits, and the client is there only to be refused.
pub mod sync {
    wasmtime::component::bindgen!({
        path: "../../wit/0.1.0",
        world: "track",
        imports: { default: trappable },
        with: {
            "rally:track/race.context": crate::context::RaceContext,
            "rally:track/bodies.slice": crate::since_0_1_0::bodies::Slice,
            "rally:track/bodies.body": crate::since_0_1_0::bodies::Body,
            "rally:track/bodies.builder": crate::since_0_1_0::bodies::Builder,
            "rally:track/corpora.reader": crate::since_0_1_0::corpora::Reader,
        },
        require_store_data_send: true,
    });
}

/// For runners, and for instances that hold a runner beside other roles.
pub mod async_ {
    wasmtime::component::bindgen!({
        path: "../../wit/0.1.0",
        world: "track",
        imports: {
            "rally:track/client.send": async | trappable,
            "rally:track/client.send-all": async | trappable,
            "rally:track/client.submit": async | trappable,
            "rally:track/client.wait": async | trappable,
            "rally:track/client.sleep": async | trappable,
            "rally:track/client.builtin": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        with: {
            "rally:track/types": super::sync::rally::track::types,
            "rally:track/race": super::sync::rally::track::race,
            "rally:track/log": super::sync::rally::track::log,
            "rally:track/clock": super::sync::rally::track::clock,
            "rally:track/files": super::sync::rally::track::files,
            "rally:track/assets": super::sync::rally::track::assets,
            "rally:track/data": super::sync::rally::track::data,
            "rally:track/bodies": super::sync::rally::track::bodies,
            "rally:track/corpora": super::sync::rally::track::corpora,
        },
        require_store_data_send: true,
    });
}

pub use async_::rally::track::client;
pub use sync::rally::track as imports;
