//! The indices of the node, and what goes with them: names, settings, templates.

pub mod index;
pub mod names;
pub mod settings;
pub mod state;
pub mod template;

pub use index::IndexHandle;
pub use names::IndexOptions;
pub use settings::Settings;
pub use state::Cluster;
pub use template::Template;
