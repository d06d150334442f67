//! Clusters: by density with a hierarchy (HDBSCAN), around means (k-means), and live on the map.
//!
//! HDBSCAN (Campello, Moulavi and Sander 2013; `McInnes` and Healy 2017) follows the Python package hdbscan in what counts as a core
//! distance, a cluster and noise. A [`Hierarchy`] is found once; [`Hierarchy::clusters`] cuts it again for another size in little
//! time. Knows no texts; names are given by [`names`](super::names). Invariant: same input, same clusters, at any number of threads;
//! clusters are numbered by size, largest first, ties by their first row.

mod agreement;
mod condense;
mod density;
mod hierarchy;
mod kdtree;
mod kmeans;
mod linkage;
mod merges;
mod select;
mod soft;
mod spanning;
mod sparse;

pub use agreement::adjusted_rand;
pub use density::{DensityClusters, DensityParams, Region, density_clusters};
pub use hierarchy::Hierarchy;
pub use kmeans::{KMeans, KMeansParams, k_means};
pub use linkage::average_linkage;
pub use select::{ClusterParams, Clusters, Selection};
pub use soft::{Exemplars, LISTED, Likeliest};
