//! Our own text encoder for CPUs: BERT, RoBERTa, XLM-R, DistilBERT and MPNet by one engine, in three precisions.
//!
//! Groups of whole texts, packed without padding, go through all layers on one core each. It knows no tokenizer and no files. Invariant:
//! a text's vector is the same, bit by bit, alone or beside any others, in any order, on any number of threads.

mod attention;
mod kernel;
mod linear;
mod load;
mod math;
mod shape;
mod sheet;
mod stack;
mod table;
mod together;

pub(in crate::models) use kernel::Kernel;
pub(in crate::models) use math::Activation;
pub(in crate::models) use shape::{Family, Shape};
pub(in crate::models) use stack::{Encoder, Workspace};
