//! The document: a corpus and what was made of it, immutable artefacts by id; and the cache of vectors on disk.
//!
//! An artefact never changes once made. Invariant: every embedding set's rows belong to the corpus revision it names.

mod answers;
pub mod cache;
mod clustering;
mod columns;
mod document;
mod graph;
mod report;

pub use answers::*;
pub use clustering::*;
pub use columns::*;
pub use document::*;
pub use graph::{Making, SharedGraph};
pub use report::ErrorReport;

// The window reads cards and explanations from here, so that it need not know the room of the models.
pub use crate::models::{Explanation, InputKind, ModelCard, ModelId, ModelSource, Pooling, Precision};
