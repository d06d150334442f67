//! What a search gives back.

use std::sync::Arc;

use crate::vectors::Metric;

/// What is shown while neighbours are looked for.
pub(super) const STAGE: &str = "Finding neighbours";

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
    /// Whether no row can have a neighbour closer than those listed.
    pub exact: bool,
    /// Share of the true neighbours that are listed, 0 to 1, measured on a sample of rows; `None` where it was not measured.
    pub recall: Option<f32>,
}

impl NeighbourGraph {
    /// An exact graph of `k` positions and scores a vector, nearest first.
    pub fn new(k: usize, metric: Metric, indices: impl Into<Arc<[u32]>>, scores: impl Into<Arc<[f32]>>) -> Self {
        Self { k, metric, indices: indices.into(), scores: scores.into(), exact: true, recall: None }
    }

    /// The same graph with the nearest `k` neighbours alone: serves whoever needs fewer. Shares its memory where `k` is not less.
    pub fn nearest(&self, k: usize) -> Self {
        if k >= self.k {
            return self.clone();
        }
        let cut = |row: usize| row * self.k..row * self.k + k;
        let rows = 0..self.len();
        let indices: Vec<u32> = rows.clone().flat_map(|row| &self.indices[cut(row)]).copied().collect();
        let scores: Vec<f32> = rows.flat_map(|row| &self.scores[cut(row)]).copied().collect();
        Self { k, indices: indices.into(), scores: scores.into(), ..self.clone() }
    }

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
