//! An approximate neighbour graph for sets too large for the exact one.
//!
//! Rows are rounded to bytes and ordered by a tree of halvings; the nearest blocks are compared whole, then every row with the parts
//! that its neighbours are likely in. As many as it takes, but where that would be too many, neighbours of neighbours are tried instead.
//! Does not measure how good it is (that is `recall`). Invariant: the same seed gives the same bytes at any number of threads.

use rayon::prelude::*;

use super::NeighbourGraph;
use super::field::{Field, Grain};
use super::lists::{Candidate, Lists};
use super::nearby::near_pairs;
use super::order::arrange;
use super::parts::{self, Met, Parts};
use super::refine::{NONE, Reach, Rough, refine};
use super::rounded::{Rounded, Scorer};
use super::settle::Output;
use super::sweep::sweep;
use super::twins::Twins;
use super::visits::{Plan, visit};
use super::{exact_graph, types};
use crate::progress::{Cancelled, Progress};
use crate::vectors::tiles::{BLOCK, Bytes, Panels};
use crate::vectors::{Metric, Vectors};

/// Below so many rows the exact graph is as quick.
const FEW: usize = 8192;
/// Blocks that each block is compared with whole.
const NEAR_BLOCKS: usize = 8;
/// Share of the true neighbours that every row is to be compared with, and with what less neighbours of neighbours are tried.
const WANTED: f32 = 0.984;
const ENOUGH: f32 = 0.975;
/// Blocks' worth of rows that a row visits at least and at most, on average.
const VISITED_BLOCKS: (f32, f32) = (7.0, 30.0);
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
    let size = parts::size(order.len());
    let field = {
        let rounded = Rounded::for_tiles(&scorer);
        progress.check()?;
        arrange(&rounded, &mut order, (size.min(BLOCK), seed), progress);
        progress.check()?;
        let mut field = Field::new(&scorer, &rounded, order, Grain::Bytes);
        progress.check()?;
        field.trust();
        field
    };
    let mut out = Output::new(&scorer, sound, k);
    if let Panels::Bytes(bytes) = &field.panels {
        // What short bytes blur takes more candidates.
        let keep = if bytes.is_short() { k + k / 2 + 8 } else { k + k / 4 + 5 };
        let lists = Lists::new(&field, &scorer, keep, true);
        let met = compare((&field, bytes), &lists, (k, size), progress)?;
        let mut rough = rough(&field, &lists, keep, progress)?;
        drop(lists);
        let reach = Reach { near: 8, back: 6 };
        let rounds = if met < ENOUGH { ROUNDS + usize::from(vectors.len() > MANY) } else { 0 };
        for _ in 0..rounds {
            rough = refine(&field, bytes, &rough, reach, (rows / 8 / rounds as u64, progress))?;
        }
        out.fill_from(&field, &rough, &twins, progress)?;
    }
    Ok(NeighbourGraph { exact: false, ..out.finish() })
}

/// Compares near blocks whole and then rows with parts of `size` rows; gives the share of the `k` nearest that were met, by a sample.
fn compare(
    (field, bytes): (&Field, &Bytes),
    lists: &Lists<'_>,
    (k, size): (usize, usize),
    progress: &Progress,
) -> Result<f32, Cancelled> {
    let (rows, blocks) = (field.order.len() as u64, field.panels.blocks());
    let pairs = near_pairs(field, bytes, lists.metric(), NEAR_BLOCKS, progress)?;
    sweep(field, lists, &pairs[..], rows / 8, progress)?;
    let floors = lists.settled_floors();
    let met = Met::new(blocks, &pairs);
    let parts = Parts::new(field, bytes, size, progress);
    progress.check()?;
    let visited = (VISITED_BLOCKS.0 / blocks as f32, VISITED_BLOCKS.1 / blocks as f32);
    let (depth, share) = parts.depth_for((&floors, &met), k, (WANTED, visited), progress)?;
    let visits = parts.visits((&floors, &met), depth, progress)?;
    visit((field, bytes), lists, &Plan { parts: &parts, visits: &visits, met: &met }, (rows * 3 / 8, progress))?;
    Ok(share)
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
