//! What can keep vectors from being laid out.

use crate::progress::Cancelled;
use crate::vectors::VectorsError;

/// What can keep vectors from being laid out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProjectionError {
    /// There is nothing to project.
    #[error("there are no vectors to project")]
    Empty,
    /// The numbers are too large for single precision.
    #[error("the vectors' values are too large to project; scale them down first")]
    TooLarge,
    /// Vectors of another dimension than those the projection was fitted on.
    #[error("the projection was fitted on {expected} dimensions, these vectors have {found}")]
    Dimension {
        /// Dimensions fitted.
        expected: usize,
        /// Dimensions given.
        found: usize,
    },
    /// The eigenvalues could not be found.
    #[error("the principal components of {dim} dimensions did not converge")]
    NoConvergence {
        /// Dimensions of the vectors.
        dim: usize,
    },
    /// Two things that must describe the same rows do not.
    #[error("the neighbour graph has {graph} rows, the starting map {start}")]
    LengthsDiffer {
        /// Rows of the graph.
        graph: usize,
        /// Rows of the starting map.
        start: usize,
    },
    /// The graph names a row that is not there.
    #[error("the neighbour graph names row {row}, but there are only {rows}")]
    NoSuchRow {
        /// The row named.
        row: u32,
        /// Rows there are.
        rows: usize,
    },
    /// Several rows, but no neighbours: all but one of the vectors are broken.
    #[error("none of the {rows} vectors has a neighbour: are they all NaN?")]
    NoNeighbours {
        /// Rows of the starting map.
        rows: usize,
    },
    /// A saved t-SNE cannot be gone on with.
    #[error("the saved t-SNE cannot be read: {0}")]
    Snapshot(String),
    /// The reference engine is for small sets.
    #[error(
        "linfa-tsne is offered as a reference up to {limit} points, and these are {rows}; choose the built-in t-SNE"
    )]
    TooManyForLinfa {
        /// Rows given.
        rows: usize,
        /// Most rows it takes.
        limit: usize,
    },
    /// The user cancelled it.
    #[error("cancelled")]
    Cancelled,
    /// The rows cannot be read.
    #[error(transparent)]
    Read(#[from] VectorsError),
    /// The reference engine refused.
    #[error("linfa-tsne: {0}")]
    Linfa(String),
}

impl From<Cancelled> for ProjectionError {
    fn from(Cancelled: Cancelled) -> Self {
        Self::Cancelled
    }
}
