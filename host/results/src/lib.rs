//! From histograms to a summary, a report and a stored race.
//!
//! A [`Collector`] adds up the [`Recording`](rally_race::Recording)s of the load drivers, exactly and in any order, and makes a
//! [`Summary`] of them: per task and lap, and over all laps. [`render`] turns it into the report, [`write_report`] keeps that in
//! a file. A [`RaceStore`] keeps each race: its [`RaceRecord`] in `race.json` and its [`HistogramLog`]. This crate knows nothing of
//! where recordings come from.
//!
//! Where rally and Rally define a figure differently, rally's own is shown under the familiar name, and Rally's where
//! [`Compat::Rally`] is asked for; JSON always has both:
//!
//! - *throughput*: rally's is what was completed per second of the measured span ([`windows`]), Rally's an average since the
//!   task's start with its warm-up ([`running_average()`]).
//! - *times*: rally's rows are those of successful requests, and failed ones have rows of their own; Rally mixes them.
//! - *percentiles* are read from histograms of three significant digits, Rally's from all samples: they differ by at most
//!   0.05 %.

mod collector;
mod distribution;
mod histogram_log;
mod percentiles;
mod race_record;
mod race_store;
mod record;
mod report;
mod rows;
mod running_average;
mod summary;
mod table;
mod throughput;
mod totals;
mod user_tags;
mod warnings;

pub use collector::*;
pub use distribution::*;
pub use histogram_log::*;
pub use percentiles::*;
pub use race_record::*;
pub use race_store::*;
pub use record::SCHEMA_VERSION;
pub use report::*;
pub use rows::*;
pub use running_average::*;
pub use summary::*;
pub use throughput::*;
pub use user_tags::*;
pub use warnings::headline;
