//! Neighbours in the original space: the graph of a whole set, made once and shared, and those of one row.

use std::sync::Arc;
use std::time::Duration;

use super::{Environment, TaskError};
use crate::progress::Progress;
use crate::search::{self, GraphChoice, NeighbourGraph};
use crate::vectors::{Metric, RowId, Vectors};
use crate::workspace::{EmbeddingSet, SharedGraph};

/// Depth that serves every method at its usual parameters (three times t-SNE's perplexity of 30).
const DEEP: usize = 90;
/// Up to so many vectors a graph is made that deep at once: finding more neighbours costs little beside comparing all pairs.
const DEEP_UP_TO: usize = 100_000;
/// Depth that serves all but t-SNE.
const SHALLOW: usize = 15;
/// Seed of approximate graphs.
const SEED: u64 = 42;

/// The `k` nearest neighbours of every row of a set, by cosine: the set's shared graph, which may be deeper.
///
/// # Errors
/// Cancelled.
pub fn neighbours(
    set: &EmbeddingSet,
    k: usize,
    env: &Environment,
    progress: &Progress,
) -> Result<Arc<NeighbourGraph>, TaskError> {
    env.run(|| shared_graph(&set.graph, &set.vectors, Metric::Cosine, k, progress))
}

/// The graph of at least `k` neighbours (or as many as there are), from its shared place or made and put there. Where another job is making
/// one, waits for it rather than doing the same work twice.
pub(crate) fn shared_graph(
    shared: &SharedGraph,
    vectors: &Vectors,
    metric: Metric,
    k: usize,
    progress: &Progress,
) -> Result<Arc<NeighbourGraph>, TaskError> {
    let k = k.min(vectors.len().saturating_sub(1));
    loop {
        if let Some(graph) = shared.get(metric, k) {
            return Ok(graph);
        }
        if let Some(_making) = shared.try_making() {
            let usual = if vectors.len() <= DEEP_UP_TO { DEEP } else { SHALLOW };
            let k = k.max(usual);
            let graph =
                Arc::new(search::neighbour_graph(vectors, metric, k, (GraphChoice::Automatic, SEED), progress)?);
            shared.put(k, graph.clone());
            return Ok(graph);
        }
        progress.check()?;
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Up to so many dimensions, vectors from a file are taken for positions.
const POSITIONS: usize = 3;

/// The `k` rows nearest to a row, itself left out, greatest cosine first; of positions from a file (two or three dimensions), by distance,
/// whose negative is the score. Empty when the set does not hold the row. Takes milliseconds for 100,000 rows.
pub fn nearest(set: &EmbeddingSet, row: RowId, k: usize) -> Vec<(RowId, f32)> {
    let Some(position) = set.position_of(row) else { return Vec::new() };
    let positions = set.card.is_of_file() && set.vectors.dim() <= POSITIONS;
    let metric = if positions { Metric::Euclidean } else { Metric::Cosine };
    if let Some(graph) = set.graph.get(metric, k).filter(|graph| graph.exact) {
        let found = graph.of(position).iter().zip(graph.scores_of(position)).take(k);
        return found.map(|(&other, &score)| (set.rows[other as usize], score)).collect();
    }
    let (own, others) = (set.vectors.row(position), |other: usize| other != position);
    let hits = match metric {
        Metric::Cosine => set.graph.index(&set.vectors).top_k(own, k, Some(&others)),
        _ => search::top_k(&set.vectors, own, metric, k, Some(&others)),
    };
    hits.into_iter().map(|hit| (set.rows[hit.position as usize], hit.score)).collect()
}
