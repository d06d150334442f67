//! Our own text encoder for CPUs: BERT, RoBERTa, XLM-R, DistilBERT and MPNet by one engine, in three precisions.
//!
//! Groups of whole texts, packed without padding, go through all layers on one core each. It knows no tokenizer and no files. Invariant:
//! a text's vector is the same, bit by bit, alone or beside any others, in any order, on any number of threads.

mod attention;
mod kernel;
mod linear;
mod math;
mod sheet;

pub(in crate::models) use kernel::Kernel;
