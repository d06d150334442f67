//! The command line as a user meets it: files in a folder, one command, what it prints and leaves behind.

mod ask;
mod catalogue;
mod compare;
mod degenerate;
mod embed;
mod failures;
mod layouts;
mod maps;
mod numerics;
mod precision;
pub(crate) mod rig;
mod stopping;
