//! What a search gives back.

use std::sync::Arc;

use crate::vectors::Metric;

/// The `k` nearest neighbours of every vector, in positions of its embedding set (0-based, not corpus rows).
#[derive(Clone, Debug)]
pub struct NeighbourGraph {
    /// Neighbours a vector; less than asked for when the set is small.
    pub k: usize,
    /// The metric they were found by.
    pub metric: Metric,
    /// `k` positions a vector, nearest first.
    pub indices: Arc<[u32]>,
    /// Their scores; greater is closer.
    pub scores: Arc<[f32]>,
}

impl NeighbourGraph {
    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.indices.len().checked_div(self.k).unwrap_or(0)
    }

    /// Whether it holds no neighbours.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Neighbours of the vector at `position`.
    pub fn of(&self, position: usize) -> &[u32] {
        &self.indices[position * self.k..(position + 1) * self.k]
    }

    /// Scores of those neighbours.
    pub fn scores_of(&self, position: usize) -> &[f32] {
        &self.scores[position * self.k..(position + 1) * self.k]
    }
}

/// One answer to a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Position in the embedding set.
    pub position: u32,
    /// Its score; greater is closer.
    pub score: f32,
}
