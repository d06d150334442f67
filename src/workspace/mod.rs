//! The document: a corpus and what was made of it, immutable artefacts by id; and the cache on disk: vectors, neighbour
//! graphs, layouts under way.
//!
//! An artefact never changes once made. Invariant: every embedding set's rows belong to the corpus revision it names.

mod answers;
pub mod cache;
mod captions;
mod clustering;
mod columns;
mod document;
mod fairness;
mod graph;
mod graphs;
mod identity;
mod positions;
mod report;
mod shelf;
mod texts;

pub use answers::*;
pub use captions::*;
pub use clustering::*;
pub use columns::*;
pub use document::*;
pub use fairness::*;
pub use graph::{Making, SharedGraph};
pub use graphs::{GraphStore, SmallerGraph, StoredGraph};
pub use identity::{RowHash, SetIdentity};
pub use positions::{MapPoints, Positions};
pub use report::ErrorReport;
pub use shelf::{Damaged, Shelf};
pub use texts::data_of;

pub use crate::models::catalogue;
// The window reads cards and explanations from here, so that it need not know the room of the models.
pub use crate::models::{
    Explanation, InputKind, ModelCard, ModelId, ModelSource, Overrides, Pooling, Precision, Prompts, Similarity,
};
