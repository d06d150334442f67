//! Our own encoder for CPUs: BERT and its kin, newer text encoders and the towers of picture models by one engine, in three
//! precisions.
//!
//! Groups of whole texts, packed without padding, go through all layers on one core each. It knows no tokenizer and no files. Invariant:
//! a text's vector is the same, bit by bit, alone or beside any others, in any order, on any number of threads.

mod attention;
mod kernel;
mod linear;
mod load;
mod math;
mod patches;
mod probe;
mod shape;
mod sheet;
mod stack;
mod table;
mod together;

pub(in crate::models) use attention::Reach;
pub(in crate::models) use kernel::Kernel;
pub(in crate::models) use math::Activation;
pub(in crate::models) use patches::{Grid, Patches, Tensors};
pub(in crate::models) use probe::{Probe, ProbeShape};
pub(in crate::models) use shape::{Family, Options, Shape};
pub(in crate::models) use stack::{Encoder, Workspace};
