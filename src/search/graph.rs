//! The exact neighbour graph: rounded products first, the best of each row kept by bounds, those scored again one by one.
//!
//! Does not approximate and does not store all scores. Invariant: a row is left out only when the upper bound of its score is below
//! `k` others' scores, so the graph is the same bytes however the work was shared out.

use super::NeighbourGraph;
use super::field::{Field, grain};
use super::lists::Lists;
use super::order::arrange;
use super::rounded::{Rounded, Scorer};
use super::settle::Output;
use super::sweep::{All, sweep};
use super::twins::Twins;
use super::types::STAGE;
use crate::progress::{Cancelled, Progress};
use crate::vectors::tiles::BLOCK;
use crate::vectors::{Metric, Vectors};

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
    progress.stage(STAGE, "items", vectors.len() as u64);
    progress.check()?;
    let scorer = Scorer::new(vectors, metric, progress);
    progress.check()?;
    let sound = scorer.sound();
    let k = k.min(sound.len().saturating_sub(1));
    if k == 0 {
        progress.advance(vectors.len() as u64);
        return Ok(NeighbourGraph::new(0, metric, [], []));
    }
    let twins = Twins::find(vectors, &sound, progress);
    progress.check()?;
    let mut out = Output::new(&scorer, sound, k);
    if scorer.is_extreme() {
        out.fill_by_scores(progress)?;
    } else {
        let rounded = Rounded::for_tiles(&scorer);
        let mut order = twins.firsts.clone();
        progress.check()?;
        arrange(&rounded, &mut order, (BLOCK, 0), progress);
        progress.check()?;
        let grain = grain(&rounded, &twins.firsts, k, progress);
        progress.check()?;
        let field = Field::new(&scorer, &rounded, order, grain);
        drop(rounded);
        progress.check()?;
        let lists = Lists::new(&field, &scorer, k, false);
        let rows = vectors.len() as u64;
        sweep(&field, &lists, &All(field.panels.blocks()), rows - rows / 8, progress)?;
        out.fill(&field, &lists, &twins, progress)?;
    }
    Ok(out.finish())
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::search::top_k;

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

    /// What a scan by the same scores gives, ties by position.
    fn check_against_scan(vectors: &Vectors, k: usize) {
        for metric in METRICS {
            let graph = graph(vectors, metric, k);
            for row in (0..vectors.len()).step_by(vectors.len() / 60 + 1) {
                let hits = top_k(vectors, vectors.row(row), metric, k + 1, Some(&|other| other != row));
                for (at, hit) in hits.iter().take(graph.k).enumerate() {
                    assert_eq!(graph.of(row)[at], hit.position, "{metric:?}, row {row}, place {at}");
                    assert_eq!(graph.scores_of(row)[at].to_bits(), hit.score.to_bits());
                }
            }
        }
    }

    #[test]
    fn lists_are_those_of_a_scan_however_hard_rounding_is() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(9);
        for (rows, dim, k) in [(2, 3, 5), (385, 2, 200), (1100, 3, 15), (900, 65, 30), (800, 130, 10)] {
            let mut values: Vec<f32> = (0..rows * dim).map(|_| random.random_range(-1.0f32..1.0)).collect();
            check_against_scan(&Vectors::new(values.clone(), dim).unwrap(), k);
            // Far from the origin, in tight heaps, of very unequal length, and many rows the same.
            for (at, value) in values.iter_mut().enumerate() {
                let row = at / dim;
                *value = match row % 4 {
                    0 => 40.0 + (row % 3) as f32 + *value * 1e-4,
                    1 => (row % 5) as f32 + (at % dim) as f32,
                    2 => *value * (row as f32 / 50.0).exp2(),
                    _ => *value,
                };
            }
            check_against_scan(&Vectors::new(values.clone(), dim).unwrap(), k);
            values[0] = 1e25;
            check_against_scan(&Vectors::new(values.clone(), dim).unwrap(), k.min(20));
            values.iter_mut().for_each(|value| *value *= 1e-20);
            check_against_scan(&Vectors::new(values, dim).unwrap(), k.min(20));
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
