//! Built-in runners: each performs one operation and returns its result.
//!
//! [`procedure`] has the code for each row of the table of operations. Most are one request ([`calls`], and [`answers`] where its answer counts)
//! or as a few that depend on each other, and share a runner ([`general`]), which tries again where parameters ask for it
//! ([`retry`]). What a race sends by the thousands has runners of its own: [`bulk`] and [`search`].

mod answers;
mod bulk;
mod bulk_answer;
mod bulk_details;
mod call;
mod calls;
mod common;
mod composite;
mod context;
mod factory;
mod general;
mod handles;
mod indices;
mod paging;
mod procedure;
mod retry;
mod search;
mod session;
mod shrink;
mod small;
mod transform;
mod waiting;

pub use composite::check as check_composite;
pub use factory::BuiltinRunnerFactory;
