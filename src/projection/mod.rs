//! Projections to the plane: PCA and t-SNE as resumable optimisers, and how far a map may be trusted.
//!
//! An optimiser is `new(...) -> state`, then `run_to(iteration)`, as often as wanted; it knows nothing of threads, progress or
//! windows. Invariant: same input, parameters and seed give the same bytes at any number of threads.

mod error;
mod linfa_engine;
mod params;
mod pca;
mod quality;
mod tsne;
mod umap;

pub use error::ProjectionError;
pub use linfa_engine::{LINFA_LIMIT, linfa_tsne};
pub use params::*;
pub use pca::Pca;
pub use quality::{PointQuality, quality, quality_by_point};
pub use tsne::{Affinities, Tsne, neighbours_needed};
pub use umap::{Curve, FuzzySet, Umap, UmapParams, UmapSnapshot, UmapStart};
