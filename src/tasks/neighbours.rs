//! Neighbours in the original space: the graph of a whole set, and those of one row.

use super::{Environment, TaskError};
use crate::progress::Progress;
use crate::search::{self, NeighbourGraph};
use crate::vectors::{Metric, RowId};
use crate::workspace::EmbeddingSet;

/// The `k` nearest neighbours of every row of a set, by cosine.
///
/// # Errors
/// Cancelled.
pub fn neighbours(
    set: &EmbeddingSet,
    k: usize,
    env: &Environment,
    progress: &Progress,
) -> Result<NeighbourGraph, TaskError> {
    Ok(env.run(|| search::exact_graph(&set.vectors, Metric::Cosine, k, progress))?)
}

/// Up to so many dimensions, vectors from a file are taken for positions.
const POSITIONS: usize = 3;

/// The `k` rows nearest to a row, itself left out, greatest cosine first; of positions from a file (two or three dimensions), by distance,
/// whose negative is the score. Empty when the set does not hold the row. Takes
/// milliseconds for 100,000 rows.
pub fn nearest(set: &EmbeddingSet, row: RowId, k: usize) -> Vec<(RowId, f32)> {
    let Some(position) = set.position_of(row) else { return Vec::new() };
    let others = |other: usize| other != position;
    let positions = set.card.is_of_file() && set.vectors.dim() <= POSITIONS;
    let metric = if positions { Metric::Euclidean } else { Metric::Cosine };
    let hits = search::top_k(&set.vectors, set.vectors.row(position), metric, k, Some(&others));
    hits.into_iter().map(|hit| (set.rows[hit.position as usize], hit.score)).collect()
}
