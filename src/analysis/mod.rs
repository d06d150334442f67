//! What embedding sets say about each other, measured in the original space.
//!
//! Pure functions over vectors and neighbour graphs.

mod agreement;
pub mod clusters;
pub mod names;
mod ranks;

pub use agreement::{linear_cka, neighbour_overlap, procrustes};
pub use ranks::rank_biased_overlap;

/// Why two embedding sets cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnalysisError {
    /// They must describe the same rows.
    #[error("the sets have {a} and {b} rows; only sets over the same rows can be compared")]
    RowsDiffer {
        /// Rows of the first.
        a: usize,
        /// Rows of the second.
        b: usize,
    },
    /// All rows of one set are the same, or their numbers are too large.
    #[error("one of the sets has no variance that could be compared")]
    NoVariance,
}
