//! One query against all rows: a scan in parallel, with no index to build or to keep.
//!
//! Memory-bound: 100,000 x 384 values are 154 MB a query. Invariant: the same answer at any number of threads.

use rayon::prelude::*;

use super::{Best, Hit};
use crate::vectors::{Metric, Vectors, cosine, dot, norm, score};

/// Rows one task scans.
const ROWS: usize = 1024;

/// Which rows may be answers.
pub type Allowed<'a> = dyn Fn(usize) -> bool + Sync + 'a;

/// The `k` rows nearest to `query`, greatest score first, ties by position; only those that `allowed` admits.
///
/// Rows without a score (NaN) are never among them, so there may be fewer than `k`; there are none where the query has
/// another dimension than the vectors.
pub fn top_k(vectors: &Vectors, query: &[f32], metric: Metric, k: usize, allowed: Option<&Allowed<'_>>) -> Vec<Hit> {
    if query.len() != vectors.dim() {
        return Vec::new();
    }
    let length = norm(query);
    let score = |row: &[f32]| match metric {
        Metric::Cosine => cosine(dot(query, row), length, norm(row)),
        Metric::Dot | Metric::Euclidean => score(metric, query, row),
    };
    let found: Vec<Vec<Hit>> = vectors
        .values()
        .par_chunks(ROWS * vectors.dim())
        .enumerate()
        .map(|(block, values)| {
            let mut best = Best::new(k.min(ROWS));
            for (offset, row) in values.chunks_exact(vectors.dim()).enumerate() {
                let position = block * ROWS + offset;
                if allowed.is_none_or(|allowed| allowed(position)) {
                    best.offer(position as u32, score(row) + 0.0);
                }
            }
            best.sorted().to_vec()
        })
        .collect();
    let mut best = Best::new(k.min(vectors.len()));
    let mut hits = found.concat();
    hits.sort_unstable_by_key(|hit| hit.position);
    for hit in hits {
        best.offer(hit.position, hit.score);
    }
    best.sorted().to_vec()
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::progress::Progress;
    use crate::search::exact_graph;

    fn vectors() -> Vectors {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(3);
        let values: Vec<f32> = (0..3000 * 9).map(|_| random.random_range(-1.0f32..1.0)).collect();
        Vectors::new(values, 9).unwrap()
    }

    #[test]
    fn a_row_as_query_finds_itself_and_then_its_neighbours() {
        let vectors = vectors();
        for metric in [Metric::Cosine, Metric::Euclidean] {
            let graph = exact_graph(&vectors, metric, 7, &Progress::new()).unwrap();
            for row in [0, 1023, 1024, 2999] {
                let hits = top_k(&vectors, vectors.row(row), metric, 8, None);
                assert_eq!(hits[0].position as usize, row);
                let (positions, scores): (Vec<u32>, Vec<f32>) =
                    hits[1..].iter().map(|hit| (hit.position, hit.score)).unzip();
                assert_eq!(positions, graph.of(row));
                assert_eq!(scores, graph.scores_of(row), "the same score in list and answer");
            }
        }
    }

    #[test]
    fn only_allowed_rows_answer() {
        let vectors = vectors();
        let hits = top_k(&vectors, vectors.row(5), Metric::Dot, 4000, Some(&|row| row % 3 == 1));
        assert_eq!(hits.len(), 1000);
        assert!(hits.iter().all(|hit| hit.position % 3 == 1));
        assert!(hits.is_sorted_by(|a, b| a.score >= b.score));
    }

    #[test]
    fn odd_queries_have_no_answer_but_do_no_harm() {
        let vectors = vectors();
        assert!(top_k(&vectors, &[1.0], Metric::Cosine, 3, None).is_empty());
        assert!(top_k(&vectors, &[f32::NAN; 9], Metric::Cosine, 3, None).is_empty());
        assert!(top_k(&vectors, &[1.0; 9], Metric::Cosine, 0, None).is_empty());
        assert_eq!(top_k(&vectors, &[0.0; 9], Metric::Cosine, 2, None)[1].position, 1);
        assert!(top_k(&Vectors::new(Vec::new(), 9).unwrap(), &[1.0; 9], Metric::Dot, 3, None).is_empty());
    }
}
