//! The hub: its cache on this computer, shared with Python, and fetching models into it.
//!
//! Opening a model reads the cache and never the network; only [`download`] asks it, and only when the user said so. Invariants: a
//! name from outside can only lead to a place inside the cache, and what is in the cache is whole.

mod cache;
mod client;
mod download;
mod error;
mod fetch;
mod listing;
mod names;
mod options;
mod wire;

pub use download::{Downloaded, download};
pub use error::HubError;
pub use options::{HubOptions, Token};

pub(super) use cache::{names, snapshot};
pub(super) use names::is_hub_name;

/// The cache folder that the environment names, in the hub client's own order.
pub(super) fn cache_dir() -> Option<std::path::PathBuf> {
    HubOptions::default().cache
}
