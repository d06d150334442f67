//! All integration tests in one binary, so that the library is linked once.

mod cli;
mod clusters;
mod corpus;
mod encoders;
mod folders;
#[cfg(feature = "gui")]
mod gui;
#[cfg(feature = "gui")]
mod gui_maps;
#[cfg(all(feature = "gui", feature = "bundled-models"))]
mod gui_models;
#[cfg(all(feature = "gui", feature = "bundled-models"))]
mod gui_precision;
#[cfg(feature = "gui")]
mod gui_vectors;
mod hostile_folders;
mod hub;
mod layering;
mod make_models;
mod models;
mod numerics;
mod pacmap;
mod pictures;
mod reduce;
#[cfg(all(feature = "gui", feature = "bundled-models"))]
mod sample;
mod shards;
mod statics;
mod stored_rows;
mod tsne;
mod umap;
mod vectors_files;
