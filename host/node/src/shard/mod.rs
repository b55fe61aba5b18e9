//! One index on disk and in the search engine.

mod view;

pub use view::ShardView;
