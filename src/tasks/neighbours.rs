//! Neighbours in the original space: the graph of a whole set, made once and shared, and those of one row.

use std::sync::Arc;
use std::time::Duration;

use super::{Environment, TaskError};
use crate::progress::{Cancelled, Progress};
use crate::search::{self, GraphChoice, NeighbourGraph};
use crate::vectors::{Metric, RowId, Vectors};
use crate::workspace::{Damaged, EmbeddingSet, GraphStore, SharedGraph, SmallerGraph, StoredGraph};

/// Depth that serves every method at its usual parameters (three times t-SNE's perplexity of 30).
const DEEP: usize = 90;
/// Up to so many vectors a graph is made that deep at once, in about twice the time of one of [`SHALLOW`].
const DEEP_UP_TO: usize = 100_000;
/// Depth that serves all but t-SNE.
const SHALLOW: usize = 15;
/// Seed of approximate graphs.
const SEED: u64 = 42;
/// Sets below this have their neighbours found sooner than a file is opened.
const STORED_FROM: usize = 500;
/// Of a larger set, the share of rows that a stored graph must have to be extended: an exact one, and an approximate one, which is made
/// anew much quicker.
const EXTENDED: [f64; 2] = [0.75, 0.98];
/// Rows on which the recall of an extended graph is measured.
const SAMPLE: usize = 1000;

/// The `k` nearest neighbours of every row of a set, by the metric of its model: the set's shared graph, which may be deeper.
///
/// # Errors
/// Cancelled.
pub fn neighbours(
    set: &EmbeddingSet,
    k: usize,
    env: &Environment,
    progress: &Progress,
) -> Result<Arc<NeighbourGraph>, TaskError> {
    env.run(|| shared_graph(&set.graph, &set.vectors, (set.metric(), k), env, progress))
}

/// The graph of at least `k` neighbours by `metric` (or as many as there are): from its shared place; else from the cache on disk; else a
/// smaller set's graph extended; else made. Where another job is at it, waits for it rather than doing the same work twice.
pub(crate) fn shared_graph(
    shared: &SharedGraph,
    vectors: &Vectors,
    (metric, k): (Metric, usize),
    env: &Environment,
    progress: &Progress,
) -> Result<Arc<NeighbourGraph>, TaskError> {
    let usual = if vectors.len() <= DEEP_UP_TO { DEEP } else { SHALLOW };
    graph_of_depth(shared, vectors, (metric, k, k.max(usual)), env, progress)
}

/// As [`shared_graph`], with `usual` neighbours, at least `k`, where it has to be made.
pub(super) fn graph_of_depth(
    shared: &SharedGraph,
    vectors: &Vectors,
    (metric, k, usual): (Metric, usize, usize),
    env: &Environment,
    progress: &Progress,
) -> Result<Arc<NeighbourGraph>, TaskError> {
    let k = k.min(vectors.len().saturating_sub(1));
    loop {
        if let Some(graph) = shared.get(metric, k) {
            return Ok(graph);
        }
        if let Some(_making) = shared.try_making() {
            let wanted = Wanted { shared, vectors, metric, k, usual };
            let StoredGraph { graph, asked } = wanted.find(env, progress)?;
            let graph = Arc::new(graph);
            shared.put(asked, graph.clone());
            return Ok(graph);
        }
        progress.check()?;
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Neighbours by which clusters of vectors are found, whatever graphs were made before.
pub(super) fn depth_for_clusters(min_samples: usize, rows: usize) -> usize {
    min_samples.max(if rows <= DEEP_UP_TO { DEEP } else { SHALLOW })
}

/// A graph that is not in memory yet.
struct Wanted<'a> {
    shared: &'a SharedGraph,
    vectors: &'a Vectors,
    metric: Metric,
    /// The fewest neighbours that do, and how many are found when they are found anew.
    k: usize,
    usual: usize,
}

impl Wanted<'_> {
    fn find(&self, env: &Environment, progress: &Progress) -> Result<StoredGraph, Cancelled> {
        let store = env.cache_dir.as_deref().filter(|_| self.vectors.len() >= STORED_FROM).map(GraphStore::in_cache);
        let Some(store) = store else { return self.made(progress) };
        progress.stage("Looking for neighbours in the cache", "steps", 0);
        let identity = self.shared.identity_with(self.vectors, progress)?;
        if let Some(stored) = self.sound(store.find(identity, self.metric, self.k)) {
            self.shared.note("Neighbours from the cache".to_owned());
            return Ok(stored);
        }
        let fewest = (self.vectors.len() as f64 * EXTENDED[0]) as usize;
        let smaller = store.find_smaller((identity, self.vectors.dim()), self.metric, (self.k, fewest));
        let made = match self.sound(smaller).filter(|smaller| self.is_worth_extending(smaller)) {
            Some(smaller) => self.extended(&smaller, progress)?,
            None => self.made(progress)?,
        };
        if let Err(error) = store.keep(identity, self.vectors, &made) {
            self.shared.note(format!("The neighbours could not be kept in the cache: {error}"));
        }
        Ok(made)
    }

    /// What was found; damage is noted, and then there is nothing.
    fn sound<T>(&self, found: Result<Option<T>, Damaged>) -> Option<T> {
        found.unwrap_or_else(|damaged| {
            self.shared.note(format!("Neighbours in the cache are not used: {damaged}"));
            None
        })
    }

    fn made(&self, progress: &Progress) -> Result<StoredGraph, Cancelled> {
        let choice = (GraphChoice::Automatic, SEED);
        let graph = search::neighbour_graph(self.vectors, self.metric, self.usual, choice, progress)?;
        Ok(StoredGraph { graph, asked: self.usual })
    }

    fn is_worth_extending(&self, smaller: &SmallerGraph) -> bool {
        let share = smaller.places.len() as f64 / self.vectors.len() as f64;
        share >= EXTENDED[usize::from(!smaller.stored.graph.exact)]
    }

    fn extended(&self, smaller: &SmallerGraph, progress: &Progress) -> Result<StoredGraph, Cancelled> {
        let graph = extend(smaller, self.vectors, progress)?;
        let graph = match graph.exact {
            true => graph,
            false => {
                let recall = search::recall(self.vectors, &graph, SAMPLE, SEED, progress)?;
                NeighbourGraph { recall: Some(recall), ..graph }
            }
        };
        let (old, new) = (smaller.places.len(), self.vectors.len() - smaller.places.len());
        self.shared.note(format!("Neighbours of {old} rows from the cache, extended by {new} new rows"));
        Ok(StoredGraph { graph, asked: smaller.stored.asked })
    }
}

/// The graph of `vectors` from one of some of its rows. Where those stand first, an exact graph becomes the one that is found anew, byte
/// for byte; where they stand among the new rows, of equally near rows at the end of a list those that were there stay.
fn extend(smaller: &SmallerGraph, vectors: &Vectors, progress: &Progress) -> Result<NeighbourGraph, Cancelled> {
    let (graph, places) = (&smaller.stored.graph, &smaller.places);
    if (0u32..).zip(places).all(|(row, &place)| row == place) {
        return search::extend_graph(graph, vectors, progress);
    }
    let mut order = places.clone();
    let mut known = vec![false; vectors.len()];
    places.iter().for_each(|&place| known[place as usize] = true);
    order.extend((0..vectors.len() as u32).filter(|&place| !known[place as usize]));
    let arranged = vectors.select(order.iter().map(|&place| place as usize));
    let found = search::extend_graph(graph, &arranged, progress)?;
    let k = found.k;
    let (mut indices, mut scores) = (vec![0u32; vectors.len() * k], vec![0.0f32; vectors.len() * k]);
    for (row, &place) in order.iter().enumerate() {
        let mut list: Vec<(f32, u32)> = found
            .scores_of(row)
            .iter()
            .zip(found.of(row))
            .map(|(&score, &near)| (score, order[near as usize]))
            .collect();
        list.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let at = place as usize * k;
        for (offset, (score, near)) in list.into_iter().enumerate() {
            (indices[at + offset], scores[at + offset]) = (near, score);
        }
    }
    let (exact, recall) = (found.exact, found.recall);
    Ok(NeighbourGraph { exact, recall, ..NeighbourGraph::new(k, found.metric, indices, scores) })
}

/// Up to so many dimensions, vectors from a file are taken for positions.
const POSITIONS: usize = 3;

/// What the rows of a set are near to one another by: the metric of its model; the distance for positions from a file.
pub(super) fn metric_of(set: &EmbeddingSet) -> Metric {
    if are_positions(set) { Metric::Euclidean } else { set.metric() }
}

fn are_positions(set: &EmbeddingSet) -> bool {
    set.card.is_of_file() && set.vectors.dim() <= POSITIONS
}

/// The `k` rows nearest to a row, itself left out, nearest first by the metric of its model; of positions from a file (two or three dimensions), by distance,
/// whose negative is the score. Empty when the set does not hold the row. Takes milliseconds for 100,000 rows.
pub fn nearest(set: &EmbeddingSet, row: RowId, k: usize) -> Vec<(RowId, f32)> {
    nearest_among(set, row, k, None)
}

/// As [`nearest`], among those rows only that `among` takes.
pub(super) fn nearest_among(
    set: &EmbeddingSet,
    row: RowId,
    k: usize,
    among: Option<&(dyn Fn(RowId) -> bool + Sync)>,
) -> Vec<(RowId, f32)> {
    let Some(position) = set.position_of(row) else { return Vec::new() };
    let (positions, metric) = (are_positions(set), metric_of(set));
    if let Some(graph) = set.graph.get(metric, k).filter(|graph| graph.exact && among.is_none()) {
        let found = graph.of(position).iter().zip(graph.scores_of(position)).take(k);
        return found.map(|(&other, &score)| (set.rows[other as usize], score)).collect();
    }
    let taken = |other: usize| among.is_none_or(|among| among(set.rows[other]));
    let (own, others) = (set.vectors.row(position), |other: usize| other != position && taken(other));
    let hits = match positions {
        false => set.graph.index(&set.vectors, metric).top_k(own, k, Some(&others)),
        true => search::top_k(&set.vectors, own, metric, k, Some(&others)),
    };
    hits.into_iter().map(|hit| (set.rows[hit.position as usize], hit.score)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::exact_graph;

    /// Rows of 16 values that are all different.
    fn vectors(rows: std::ops::Range<usize>) -> Vectors {
        let value = |at: usize| ((at * 7919 % 104_729) as f32 * 0.613).sin();
        Vectors::new(rows.flat_map(|row| (0..16).map(move |axis| value(row * 16 + axis))).collect::<Vec<f32>>(), 16)
            .unwrap()
    }

    fn joined(parts: &[&Vectors]) -> Vectors {
        Vectors::new(parts.iter().flat_map(|part| part.values().to_vec()).collect::<Vec<f32>>(), 16).unwrap()
    }

    fn graph_of(vectors: &Vectors, env: &Environment) -> (Arc<NeighbourGraph>, String) {
        let shared = SharedGraph::default();
        let graph = shared_graph(&shared, vectors, (Metric::Euclidean, 20), env, &Progress::new()).unwrap();
        (graph, shared.take_notes().join("; "))
    }

    fn check(graph: &NeighbourGraph, vectors: &Vectors) {
        let anew = exact_graph(vectors, Metric::Euclidean, DEEP, &Progress::new()).unwrap();
        assert!(graph.exact && graph.indices == anew.indices);
        assert!(graph.scores.iter().zip(anew.scores.iter()).all(|(a, b)| a.to_bits() == b.to_bits()));
    }

    #[test]
    fn neighbours_come_from_the_cache_and_are_extended() {
        let dir = tempfile::tempdir().unwrap();
        let env = Environment { cache_dir: Some(dir.path().to_owned()), ..Environment::default() };
        let (old, new) = (vectors(0..900), vectors(900..1000));
        let (made, notes) = graph_of(&old, &env);
        assert_eq!(notes, "");
        check(&made, &old);
        let (again, notes) = graph_of(&old, &env);
        assert_eq!(notes, "Neighbours from the cache");
        assert_eq!((&again.indices, &again.scores), (&made.indices, &made.scores));
        let more = joined(&[&old, &new]);
        let (extended, notes) = graph_of(&more, &env);
        assert_eq!(notes, "Neighbours of 900 rows from the cache, extended by 100 new rows");
        check(&extended, &more);
        assert_eq!(graph_of(&more, &env).1, "Neighbours from the cache");
    }

    #[test]
    fn new_rows_may_stand_among_the_old_ones() {
        let dir = tempfile::tempdir().unwrap();
        let env = Environment { cache_dir: Some(dir.path().to_owned()), ..Environment::default() };
        let parts = [vectors(0..300), vectors(300..400), vectors(400..900)];
        graph_of(&joined(&[&parts[0], &parts[2]]), &env);
        let whole = joined(&[&parts[0], &parts[1], &parts[2]]);
        let (extended, notes) = graph_of(&whole, &env);
        assert!(notes.contains("extended by 100"), "{notes}");
        check(&extended, &whole);
    }
}
