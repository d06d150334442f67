//! Embedlens shows how embedding models see your data.
//!
//! Rooms, and who may know whom (the `layering` test holds the same table and fails on a path that breaks it):
//!
//! | room | is | may use |
//! |---|---|---|
//! | [`vectors`] | flat `f32` vectors, metrics, kernels | – |
//! | [`progress`] | progress, rates, cancellation; std only | – |
//! | `memory` | large blocks on large pages | – |
//! | [`corpus`] | folders → items → chunks, and why a file was skipped | vectors, progress |
//! | [`models`] | model cards, embedders and the encoders' kernels | vectors, progress |
//! | [`search`] | neighbour graph, exact search | vectors, progress |
//! | [`projection`] | PCA, t-SNE as resumable optimisers; quality of a map | vectors, progress, search |
//! | [`analysis`] | agreement of models, rank agreement | vectors, progress, search |
//! | [`workspace`] | the document: immutable artefacts by id; the vector cache | the rooms above |
//! | [`picture`] | the drawn scene without a toolkit: colours, picking, lasso, raster, PNG, SVG | vectors |
//! | [`tasks`] | the use cases: load, embed, project, search, compare, render | all above |
//! | [`jobs`] | threads, queue, cancellation, panic capture; knows neither the window nor the tasks | progress |
//! | [`cli`] | the command line over `tasks` | all above but jobs |
//! | `ui` | theme, widgets, panes: reads a context, sends commands | corpus, workspace, picture and result types |
//! | `app` | the window's owner: workspace, jobs, settings | everything |

pub mod analysis;
pub mod cli;
pub mod corpus;
pub mod jobs;
mod memory;
pub mod models;
pub mod picture;
pub mod progress;
pub mod projection;
pub mod search;
pub mod tasks;
pub mod vectors;
pub mod workspace;

#[cfg(feature = "gui")]
pub mod app;
#[cfg(feature = "gui")]
pub mod ui;
