//! How many of the true neighbours a graph lists, measured on a sample.
//!
//! Invariant: a listed neighbour counts when its score reaches that of the last true neighbour, so ties are never held against it.

use rand::SeedableRng;
use rand::seq::index;
use rayon::prelude::*;

use super::NeighbourGraph;
use super::field::{Field, grain};
use super::lists::Lists;
use super::rounded::{Rounded, Scorer};
use super::settle::settle;
use super::sweep::{first_with_all, sweep};
use crate::progress::{Cancelled, Progress};
use crate::vectors::Vectors;
use crate::vectors::tiles::BLOCK;

/// Share of the true neighbours that `graph` lists, 0 to 1, on average over `sample` rows chosen by `seed` (usual: 1,000; more are
/// surer and slower). Rows without NaN and infinities are asked; 1 where there are none, and for a graph without neighbours.
/// Counts the sampled rows in the stage "Measuring recall". Gives 1 at once when the graph says it is exact.
pub fn recall(
    vectors: &Vectors,
    graph: &NeighbourGraph,
    sample: usize,
    seed: u64,
    progress: &Progress,
) -> Result<f32, Cancelled> {
    if graph.exact || graph.k == 0 || graph.len() != vectors.len() {
        return Ok(1.0);
    }
    let scorer = Scorer::new(vectors, graph.metric, progress);
    progress.check()?;
    let mut order = scorer.sound();
    let sample = sample.min(order.len());
    progress.stage("Measuring recall", "items", sample as u64);
    progress.check()?;
    let k = graph.k.min(order.len().saturating_sub(1));
    if sample == 0 || k == 0 || scorer.is_extreme() {
        return Ok(1.0);
    }
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    let mut chosen = index::sample(&mut random, order.len(), sample).into_vec();
    chosen.sort_unstable();
    for (front, chosen) in chosen.into_iter().enumerate() {
        order.swap(front, chosen);
    }
    let rounded = Rounded::for_tiles(&scorer);
    progress.check()?;
    let grain = grain(&rounded, &order, k, progress);
    progress.check()?;
    let field = Field::new(&scorer, &rounded, order, grain);
    drop(rounded);
    progress.check()?;
    let floor = |row: usize| if row < sample { f32::MIN } else { f32::INFINITY };
    let lists = Lists::new(&field, &scorer, k, false).with_floors(floor);
    let asked = sample.div_ceil(BLOCK);
    sweep(&field, &lists, &first_with_all(asked, field.panels.blocks())[..], sample as u64, progress)?;
    let shares: Vec<f64> = (0..asked)
        .into_par_iter()
        .flat_map_iter(|block| {
            let rows = lists.take(block).into_iter().enumerate().take(sample - block * BLOCK);
            let share = |(at, held): (usize, Vec<_>)| {
                let at = block * BLOCK + at;
                let truth = settle((&scorer, &field), k, at, &held);
                let last = truth.last().map_or(f32::NEG_INFINITY, |hit| hit.score);
                let listed = graph.scores_of(field.order[at] as usize).iter().take(k);
                listed.filter(|&&score| score >= last).count() as f64 / k as f64
            };
            rows.map(share).collect::<Vec<f64>>()
        })
        .collect();
    Ok((shares.iter().sum::<f64>() / sample as f64) as f32)
}
