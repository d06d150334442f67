//! All integration tests in one binary, so that the library is linked once.

mod cli;
mod corpus;
#[cfg(feature = "gui")]
mod gui;
mod layering;
mod models;
mod numerics;
#[cfg(all(feature = "gui", feature = "bundled-models"))]
mod sample;
mod tsne;
