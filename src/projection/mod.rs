//! Projections to the plane: PCA, t-SNE, UMAP and `PaCMAP` as resumable optimisers, and how far a map may be trusted.
//!
//! An optimiser is `new(...) -> state`, then `run_to(iteration)`, as often as wanted; it knows nothing of threads, progress or
//! windows. Invariant: same input, parameters and seed give the same bytes at any number of threads.

mod distances;
mod error;
mod fitted;
mod linfa_engine;
mod map_neighbours;
mod pacmap;
mod params;
mod pca;
mod plane;
mod quality;
mod reduce;
mod tsne;
mod umap;

pub use distances::{DistanceCorrelation, distance_correlation};
pub use error::ProjectionError;
pub use fitted::FittedReduction;
pub use linfa_engine::{LINFA_LIMIT, linfa_tsne};
pub use map_neighbours::{MapNeighbours, PointNeighbours, differences};
pub use pacmap::{Pacmap, PacmapPairs, PacmapParams, PacmapSnapshot, PairCounts, PairWeights, pacmap_place};
pub use params::*;
pub use pca::Pca;
pub use plane::{PlaneNeighbours, PlaneTree};
pub use quality::{FEWEST_JUDGED, PointQuality, quality, quality_by_point};
pub use reduce::{CostSettings, Reduction, ReductionCost, reduce, reduction_costs};
pub use tsne::{Affinities, PlaceError, PlaceParams, Tsne, TsneSnapshot, neighbours_needed, noise, place};
pub use umap::{Curve, FuzzySet, Umap, UmapParams, UmapSnapshot, UmapStart};
