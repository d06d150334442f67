//! Text models: encoders and static token tables, their folders and their tokenizer.
//!
//! Each embedder takes texts and returns vectors; batching by length and caching belong to the tasks. Invariant: a text's
//! vector does not depend on the texts embedded beside it.

pub(super) mod config;
pub(super) mod distil;
pub(super) mod encoder;
pub(super) mod files;
pub(super) mod folder;
pub(super) mod modules;
pub(super) mod pool;
pub(super) mod settings;
pub(super) mod static_folder;
pub(super) mod static_save;
pub(super) mod static_table;
pub(super) mod tokens;
mod vocabulary;
mod wordpiece;
pub(super) mod words;
