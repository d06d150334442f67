//! Which graph a set gets: exact while that is quick, approximate beyond, and then with its recall measured.
//!
//! Invariant: what comes out says of itself whether it is exact.

use super::{NeighbourGraph, approximate_graph, exact_graph, recall};
use crate::progress::{Cancelled, Progress};
use crate::vectors::{Metric, Vectors};

/// Sets up to this size get an exact graph by themselves.
const EXACT_UP_TO: usize = 200_000;
/// Rows on which recall is measured.
const SAMPLE: usize = 1000;

/// How neighbours are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GraphChoice {
    /// Exact up to 200,000 vectors, approximate above.
    #[default]
    Automatic,
    /// Always exact: the time grows with the square of the number of vectors.
    Exact,
    /// Approximate from a few thousand vectors on.
    Approximate,
}

/// The `k` nearest neighbours of every row, by `choice`; `k` from 1 to 200, usually 15. The recall of an approximate graph is measured
/// on 1,000 rows chosen by `seed`, which also seeds the search. See [`exact_graph`] for ties, broken rows and small sets.
pub fn neighbour_graph(
    vectors: &Vectors,
    metric: Metric,
    k: usize,
    (choice, seed): (GraphChoice, u64),
    progress: &Progress,
) -> Result<NeighbourGraph, Cancelled> {
    let exact = match choice {
        GraphChoice::Automatic => vectors.len() <= EXACT_UP_TO,
        GraphChoice::Exact => true,
        GraphChoice::Approximate => false,
    };
    if exact {
        return exact_graph(vectors, metric, k, progress);
    }
    let graph = approximate_graph(vectors, metric, k, seed, progress)?;
    if graph.exact {
        return Ok(graph);
    }
    let measured = recall(vectors, &graph, SAMPLE, seed, progress)?;
    Ok(NeighbourGraph { recall: Some(measured), ..graph })
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::search::extend_graph;

    /// Heaps of rows, some rows the same, some broken.
    fn heaps(rows: usize, dim: usize) -> Vectors {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(4);
        let centres: Vec<f32> = (0..40 * dim).map(|_| random.random_range(-1.0f32..1.0)).collect();
        let mut values: Vec<f32> = Vec::new();
        for row in 0..rows {
            let centre = &centres[random.random_range(0..40) * dim..][..dim];
            values.extend(centre.iter().map(|centre| centre + random.random_range(-0.5f32..0.5)));
            if row % 500 == 499 {
                values.truncate(row * dim);
                values.extend_from_within((row - 7) * dim..(row - 6) * dim);
            }
            if row == 77 {
                values[row * dim] = f32::NAN;
            }
        }
        Vectors::new(values, dim).unwrap()
    }

    fn bytes(graph: &NeighbourGraph) -> (Vec<u32>, Vec<u32>) {
        (graph.indices.to_vec(), graph.scores.iter().map(|score| score.to_bits()).collect())
    }

    #[test]
    fn approximate_graphs_find_most_and_say_how_many() {
        let vectors = heaps(12_000, 40);
        for metric in [Metric::Cosine, Metric::Euclidean] {
            let progress = Progress::new();
            let of = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let choice = (GraphChoice::Approximate, 5);
                pool.install(|| neighbour_graph(&vectors, metric, 12, choice, &progress)).unwrap()
            };
            let (graph, again) = (of(1), of(3));
            assert_eq!(bytes(&graph), bytes(&again), "threads change nothing");
            assert!(!graph.exact);
            let measured = graph.recall.unwrap();
            let exact = exact_graph(&vectors, metric, 12, &progress).unwrap();
            let listed = |row: usize| graph.of(row).iter().filter(|near| exact.of(row).contains(near)).count();
            let share = (0..12_000).map(listed).sum::<usize>() as f32 / (12_000.0 * 12.0);
            assert!(share > 0.97 && (share - measured).abs() < 0.01, "{share}, measured {measured}");
            assert_eq!(recall(&vectors, &exact, 100, 1, &progress), Ok(1.0));
            assert!(graph.of(77).starts_with(&[0, 1, 2]), "a broken row");
        }
    }

    #[test]
    fn an_extended_graph_is_the_graph_made_anew() {
        let vectors = heaps(2600, 24);
        for metric in [Metric::Cosine, Metric::Dot, Metric::Euclidean] {
            let progress = Progress::new();
            let whole = exact_graph(&vectors, metric, 9, &progress).unwrap();
            for old in [60, 1000, 2599, 2600] {
                let first = vectors.select(0..old);
                let graph = exact_graph(&first, metric, 9, &progress).unwrap();
                let extended = extend_graph(&graph, &vectors, &progress).unwrap();
                assert!(extended.exact);
                assert_eq!(bytes(&extended), bytes(&whole), "{metric:?} from {old}");
            }
            let deep = exact_graph(&vectors, metric, 30, &progress).unwrap();
            assert_eq!(bytes(&deep.nearest(9)), bytes(&whole), "the first of a deeper graph");
        }
    }
}
