//! The exact neighbour graph: blocks of products, the best of each row kept, those scored again one by one.
//!
//! Does not approximate and does not store all scores. Invariant: blocks depend on the input's size only, so the graph is the
//! same bytes at any number of threads.

use std::borrow::Cow;

use rayon::prelude::*;

use super::best::order;
use super::{Best, Hit, NeighbourGraph};
use crate::progress::{Cancelled, Progress};
use crate::vectors::products::{Centred, column_means, products_into};
use crate::vectors::{Metric, Vectors, dot, norm, normalize_rows, score};

/// Rows whose neighbours one task looks for.
const QUERIES: usize = 256;
/// Rows they are compared with at a time.
const BASE: usize = 1024;
/// Candidates kept beyond `k`, so that the rounding of block products cannot lose a neighbour.
const SPARE: usize = 8;

/// The `k` nearest neighbours of every row, itself left out, ties by position.
///
/// `k` shrinks to what the set can give: one less than the rows without NaN or infinities. Such broken rows are nobody's
/// neighbour; their own lists hold the first sound rows with a score of −∞. A zero row has cosine 0 with everything.
/// Counts rows done in the stage "Finding neighbours".
pub fn exact_graph(
    vectors: &Vectors,
    metric: Metric,
    k: usize,
    progress: &Progress,
) -> Result<NeighbourGraph, Cancelled> {
    progress.stage("Finding neighbours", "items", vectors.len() as u64);
    let prepared = Prepared::new(vectors, metric);
    let k = k.min(prepared.sound.len().saturating_sub(1));
    if k == 0 {
        progress.advance(vectors.len() as u64);
        return Ok(NeighbourGraph { k, metric, indices: [].into(), scores: [].into() });
    }
    let mut indices = vec![0u32; vectors.len() * k];
    let mut scores = vec![0.0f32; vectors.len() * k];
    indices
        .par_chunks_mut(QUERIES * k)
        .zip(scores.par_chunks_mut(QUERIES * k))
        .enumerate()
        .with_max_len(1)
        .try_for_each(|(block, (indices, scores))| {
            let first = block * QUERIES;
            let rows = indices.len() / k;
            let mut best = prepared.candidates(first..first + rows, k + SPARE, progress)?;
            for (row, best) in best.iter_mut().enumerate() {
                let neighbours = prepared.settle(first + row, best.sorted(), k);
                let out = indices[row * k..].iter_mut().zip(&mut scores[row * k..]);
                for (hit, (index, score)) in neighbours.iter().zip(out) {
                    (*index, *score) = (hit.position, hit.score);
                }
            }
            progress.advance(rows as u64);
            Ok(())
        })?;
    Ok(NeighbourGraph { k, metric, indices: indices.into(), scores: scores.into() })
}

/// Rows made ready so that a product (and an offset a column) ranks them.
struct Prepared<'a> {
    original: &'a Vectors,
    metric: Metric,
    values: Cow<'a, [f32]>,
    /// Added to the products of each column; empty for none.
    offsets: Vec<f32>,
    /// Positions of the rows of finite length.
    sound: Vec<u32>,
}

impl<'a> Prepared<'a> {
    fn new(vectors: &'a Vectors, metric: Metric) -> Self {
        let norms: Vec<f32> = vectors.values().par_chunks(vectors.dim()).map(norm).collect();
        let sound: Vec<u32> =
            (0u32..).zip(&norms).filter(|(_, norm)| norm.is_finite()).map(|(position, _)| position).collect();
        let unit = norms.iter().all(|norm| (norm - 1.0).abs() < 1e-6);
        let mut offsets = Vec::new();
        let values = match metric {
            Metric::Cosine if unit => Cow::Borrowed(vectors.values()),
            Metric::Cosine => {
                let mut values = vectors.values().to_vec();
                normalize_rows(&mut values, vectors.dim());
                Cow::Owned(values)
            }
            Metric::Dot if sound.len() == vectors.len() => Cow::Borrowed(vectors.values()),
            Metric::Dot => Cow::Owned(without_broken(vectors.values().to_vec(), vectors.dim(), &norms)),
            Metric::Euclidean => {
                let mean = column_means(vectors);
                let values = without_broken(Centred { vectors, mean: &mean }.all(), vectors.dim(), &norms);
                offsets = values.par_chunks(vectors.dim()).map(|row| -0.5 * dot(row, row)).collect();
                Cow::Owned(values)
            }
        };
        Self { original: vectors, metric, values, offsets, sound }
    }

    /// The best of each row of a block by products alone.
    fn candidates(
        &self,
        rows: std::ops::Range<usize>,
        keep: usize,
        progress: &Progress,
    ) -> Result<Vec<Best>, Cancelled> {
        let dim = self.original.dim();
        let mut best = vec![Best::new(keep); rows.len()];
        let mut block = vec![0.0f32; rows.len() * BASE];
        let queries = &self.values[rows.start * dim..rows.end * dim];
        for (number, base) in self.values.chunks(BASE * dim).enumerate() {
            progress.check()?;
            let (first, columns) = (number * BASE, base.len() / dim);
            let block = &mut block[..rows.len() * columns];
            products_into(queries, base, dim, block);
            for (row, (scores, best)) in block.chunks_exact_mut(columns).zip(&mut best).enumerate() {
                if let Some(offsets) = self.offsets.get(first..first + columns) {
                    for (score, offset) in scores.iter_mut().zip(offsets) {
                        *score += offset;
                    }
                }
                best.offer_run(first, scores, rows.start + row);
            }
        }
        Ok(best)
    }

    /// Scores candidates one by one, as a query would be, and fills up where too few had a score.
    fn settle(&self, row: usize, candidates: &[Hit], k: usize) -> Vec<Hit> {
        let own = self.original.row(row);
        let mut hits: Vec<Hit> = candidates
            .iter()
            .map(|hit| {
                let score = score(self.metric, own, self.original.row(hit.position as usize)) + 0.0;
                Hit { position: hit.position, score: if score.is_nan() { f32::NEG_INFINITY } else { score } }
            })
            .collect();
        hits.sort_unstable_by(order);
        hits.truncate(k);
        for &position in &self.sound {
            if hits.len() == k {
                break;
            }
            if position as usize != row && hits.iter().all(|hit| hit.position != position) {
                hits.push(Hit { position, score: f32::NEG_INFINITY });
            }
        }
        hits
    }
}

/// Makes broken rows all NaN, so that no product with them is ever a score.
fn without_broken(mut values: Vec<f32>, dim: usize, norms: &[f32]) -> Vec<f32> {
    for (row, norm) in values.chunks_exact_mut(dim).zip(norms) {
        if !norm.is_finite() {
            row.fill(f32::NAN);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::Euclidean];

    fn random(rows: usize, dim: usize) -> Vec<f32> {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(7);
        (0..rows * dim).map(|_| random.random_range(-1.0f32..2.0)).collect()
    }

    fn graph(vectors: &Vectors, metric: Metric, k: usize) -> NeighbourGraph {
        exact_graph(vectors, metric, k, &Progress::new()).unwrap()
    }

    #[test]
    fn neighbours_are_those_of_a_full_sort_in_double_precision() {
        let vectors = Vectors::new(random(1500, 24), 24).unwrap();
        for metric in METRICS {
            let graph = graph(&vectors, metric, 10);
            for row in [0, 1, 255, 256, 1023, 1024, 1499] {
                let mut all: Vec<(f64, u32)> =
                    (0..1500).filter(|&j| j != row).map(|j| (-wide(metric, &vectors, row, j), j as u32)).collect();
                all.sort_by(|a, b| a.partial_cmp(b).unwrap());
                let expected: Vec<u32> = all[..10].iter().map(|&(_, j)| j).collect();
                assert_eq!(graph.of(row), expected, "{metric:?}, row {row}");
                for (found, (expected, _)) in graph.scores_of(row).iter().zip(&all) {
                    assert!((f64::from(*found) + expected).abs() < 1e-4);
                }
            }
        }
    }

    fn wide(metric: Metric, vectors: &Vectors, a: usize, b: usize) -> f64 {
        let pairs = || vectors.row(a).iter().zip(vectors.row(b)).map(|(&x, &y)| (f64::from(x), f64::from(y)));
        let dot: f64 = pairs().map(|(x, y)| x * y).sum();
        match metric {
            Metric::Dot => dot,
            Metric::Euclidean => -pairs().map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt(),
            Metric::Cosine => {
                let (p, q): (f64, f64) = pairs().fold((0.0, 0.0), |(p, q), (x, y)| (p + x * x, q + y * y));
                dot / (p * q).sqrt()
            }
        }
    }

    #[test]
    fn equal_rows_come_in_order_and_never_name_themselves() {
        let vectors = Vectors::new([1.0, 2.0, 3.0].repeat(300), 3).unwrap();
        for metric in METRICS {
            let graph = graph(&vectors, metric, 4);
            assert_eq!(graph.of(0), [1, 2, 3, 4]);
            assert_eq!(graph.of(2), [0, 1, 3, 4]);
            assert_eq!(graph.of(299), [0, 1, 2, 3]);
        }
    }

    #[test]
    fn broken_rows_are_nobodys_neighbour_and_zero_rows_do_no_harm() {
        let mut values = random(40, 5);
        values[5] = f32::NAN;
        values[11] = f32::INFINITY;
        values[15..20].fill(0.0);
        let vectors = Vectors::new(values, 5).unwrap();
        for metric in METRICS {
            let graph = graph(&vectors, metric, 60);
            assert_eq!(graph.k, 37, "two of forty are broken");
            for row in 0..40 {
                let of = graph.of(row);
                assert!(!of.contains(&1) && !of.contains(&2) && !of.contains(&(row as u32)), "{metric:?} {row}");
                assert!(graph.scores_of(row).iter().all(|score| !score.is_nan()));
            }
            assert_eq!(graph.of(1)[..3], [0, 3, 4]);
            assert_eq!(graph.scores_of(1)[0], f32::NEG_INFINITY);
        }
    }

    #[test]
    fn tiny_sets_have_what_neighbours_there_are() {
        for rows in 0..4 {
            let vectors = Vectors::new(random(rows, 2), 2).unwrap();
            assert_eq!(graph(&vectors, Metric::Cosine, 15).k, rows.saturating_sub(1));
        }
    }

    #[test]
    fn threads_change_nothing_and_cancelling_ends_it() {
        let vectors = Vectors::new(random(900, 33), 33).unwrap();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let graph = pool.install(|| graph(&vectors, Metric::Euclidean, 12));
            (graph.indices.to_vec(), graph.scores.iter().map(|s| s.to_bits()).collect::<Vec<_>>())
        };
        assert_eq!(with(1), with(3));
        let progress = Progress::new();
        progress.cancel();
        assert!(exact_graph(&vectors, Metric::Dot, 3, &progress).is_err());
    }
}
