//! Nearest neighbours in the original space: the graph that everything shares, and answers to one query.
//!
//! Exact unless asked otherwise. Knows vectors, not texts. Invariant: neighbours of a row are sorted by score, greatest first, ties by row,
//! and never hold the row itself.

mod approximate;
mod best;
mod choice;
mod extend;
mod field;
mod graph;
mod index;
mod lists;
mod nearby;
mod order;
mod parts;
mod query;
mod recall;
mod refine;
mod rounded;
mod settle;
mod sweep;
mod twins;
mod types;
mod visits;

pub use approximate::approximate_graph;
pub(crate) use best::Best;
pub use choice::{GraphChoice, neighbour_graph};
pub use extend::extend_graph;
pub use graph::exact_graph;
pub use index::Index;
pub use query::{Allowed, top_k};
pub use recall::recall;
pub use types::*;
