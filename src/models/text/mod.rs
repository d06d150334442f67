//! Text models: encoders and static token tables, their folders and their tokenizer.
//!
//! Each embedder takes texts and returns vectors; batching by length and caching belong to the tasks. Invariant: a text's
//! vector does not depend on the texts embedded beside it.

pub(super) mod config;
pub(super) mod encoder;
pub(super) mod files;
pub(super) mod folder;
pub(super) mod modules;
pub(super) mod pool;
pub(super) mod settings;
#[cfg(feature = "bundled-models")]
pub(super) mod static_table;
pub(super) mod tokens;
mod wordpiece;
pub(super) mod words;
