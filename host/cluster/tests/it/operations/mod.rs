//! Operations of the current dialect: what they send for Rally's parameters, and what comes of the answers.

mod answers;
mod bulk;
mod composite;
mod indices;
mod performing;
mod requests;
mod searches;
mod waiting;
