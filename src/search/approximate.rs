//! An approximate neighbour graph for sets too large for the exact one.
//!
//! Rows are rounded to bytes and ordered by a tree of halvings; near blocks are compared whole, then neighbours of neighbours are
//! tried. Does not measure how good it is (that is `recall`). Invariant: the same seed gives the same bytes at any number of threads.

use rayon::prelude::*;

use super::NeighbourGraph;
use super::field::{Field, Grain};
use super::lists::{Candidate, Lists};
use super::nearby::near_pairs;
use super::order::arrange;
use super::refine::{NONE, Reach, Rough, refine};
use super::rounded::{Rounded, Scorer};
use super::settle::Output;
use super::sweep::sweep;
use super::twins::Twins;
use super::{exact_graph, types};
use crate::progress::{Cancelled, Progress};
use crate::vectors::tiles::{BLOCK, Panels};
use crate::vectors::{Metric, Vectors};

/// Below so many rows the exact graph is as quick.
const FEW: usize = 8192;
/// Blocks that each block is compared with.
const NEAR_BLOCKS: usize = 80;
/// Rounds of neighbours of neighbours, and from how many rows on there is one more: there blocks reach less far.
const ROUNDS: usize = 1;
const MANY: usize = 200_000;

/// About the `k` nearest neighbours of every row: as [`exact_graph`], but some may be missed. On vectors with structure more than
/// 95 of 100 are found. Another `seed` misses others.
pub fn approximate_graph(
    vectors: &Vectors,
    metric: Metric,
    k: usize,
    seed: u64,
    progress: &Progress,
) -> Result<NeighbourGraph, Cancelled> {
    if vectors.len() <= FEW {
        return exact_graph(vectors, metric, k, progress);
    }
    let rows = vectors.len() as u64;
    progress.stage(types::STAGE, "items", rows);
    progress.check()?;
    let scorer = Scorer::new(vectors, metric, progress);
    progress.check()?;
    let sound = scorer.sound();
    let k = k.min(sound.len().saturating_sub(1));
    let twins = Twins::find(vectors, &sound, progress);
    progress.check()?;
    if k == 0 || scorer.is_extreme() || twins.firsts.len() <= FEW {
        return exact_graph(vectors, metric, k, progress);
    }
    let mut order = twins.firsts.clone();
    let field = {
        let rounded = Rounded::new(&scorer);
        progress.check()?;
        arrange(&rounded, &mut order, seed, progress);
        progress.check()?;
        let mut field = Field::new(&scorer, &rounded, order, Grain::Bytes);
        progress.check()?;
        field.trust();
        field
    };
    let mut out = Output::new(&scorer, sound, k);
    if let Panels::Bytes(bytes) = &field.panels {
        let keep = k + k / 4 + 5;
        let mut rough = {
            let lists = Lists::new(&field, &scorer, keep, true);
            let pairs = near_pairs(&field, bytes, metric, NEAR_BLOCKS, progress)?;
            sweep(&field, &lists, &pairs[..], rows / 2, progress)?;
            rough(&field, &lists, keep, progress)?
        };
        let reach = Reach { near: 8, back: 6 };
        let rounds = ROUNDS + usize::from(vectors.len() > MANY);
        for _ in 0..rounds {
            rough = refine(&field, bytes, &rough, reach, (rows / 8 / rounds as u64, progress))?;
        }
        out.fill_from(&field, &rough, &twins, progress)?;
    }
    Ok(NeighbourGraph { exact: false, ..out.finish() })
}

/// All lists at one length.
fn rough(field: &Field, lists: &Lists<'_>, keep: usize, progress: &Progress) -> Result<Rough, Cancelled> {
    let none = Candidate { row: NONE, bound: f32::MIN };
    let mut flat = Vec::with_capacity(field.order.len() * keep);
    flat.par_extend(rayon::iter::repeat_n(none, field.order.len() * keep));
    flat.par_chunks_mut(BLOCK * keep).enumerate().try_for_each(|(block, out)| {
        progress.check()?;
        for (out, held) in out.chunks_exact_mut(keep).zip(lists.take(block)) {
            out[..held.len()].copy_from_slice(&held);
        }
        Ok(())
    })?;
    Ok(Rough { keep, lists: flat })
}
