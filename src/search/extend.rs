//! Rows added to a set whose graph is known: only pairs with a new row are compared.
//!
//! Invariant: an exact graph extended is the graph made anew, byte for byte.

use rayon::prelude::*;

use super::best::order as by_score;
use super::field::{Field, grain};
use super::lists::{Candidate, Lists};
use super::order::arrange;
use super::rounded::{Rounded, Scorer, comparable};
use super::settle::{Output, settle};
use super::sweep::{first_with_all, sweep};
use super::types::STAGE;
use super::{Hit, NeighbourGraph, exact_graph};
use crate::progress::{Cancelled, Progress};
use crate::vectors::Vectors;
use crate::vectors::tiles::BLOCK;

/// The graph of `vectors`, which begin with the rows that `graph` was made of: new rows get their neighbours, and are put into the
/// lists of the old rows where they belong. As many neighbours a row as before.
///
/// What an exact graph becomes is exact; what an approximate one becomes has exact lists for the new rows. A graph without
/// neighbours, or of more rows than there are, is made anew (with 15 neighbours where it had none). Counts rows in the stage
/// "Finding neighbours".
pub fn extend_graph(
    graph: &NeighbourGraph,
    vectors: &Vectors,
    progress: &Progress,
) -> Result<NeighbourGraph, Cancelled> {
    let (old, k) = (graph.len(), graph.k);
    if k == 0 || old > vectors.len() {
        return exact_graph(vectors, graph.metric, if k == 0 { 15 } else { k }, progress);
    }
    if old == vectors.len() {
        return Ok(graph.clone());
    }
    let scorer = Scorer::new(vectors, graph.metric, progress);
    progress.check()?;
    if scorer.is_extreme() {
        return exact_graph(vectors, graph.metric, k, progress);
    }
    progress.stage(STAGE, "items", (vectors.len() - old) as u64);
    progress.check()?;
    let sound = scorer.sound();
    let rounded = Rounded::for_tiles(&scorer);
    progress.check()?;
    let (mut before, mut order): (Vec<u32>, Vec<u32>) = sound.iter().partition(|&&row| (row as usize) < old);
    arrange(&rounded, &mut order, (BLOCK, 0), progress);
    arrange(&rounded, &mut before, (BLOCK, 0), progress);
    progress.check()?;
    let added = order.len();
    order.extend(before);
    let grain = grain(&rounded, &order, k, progress);
    progress.check()?;
    let field = Field::new(&scorer, &rounded, order, grain);
    drop(rounded);
    progress.check()?;
    let floor = |at: usize| match field.order[at] as usize {
        row if row < old => graph.scores_of(row).last().map_or(f32::MIN, |&last| comparable(graph.metric, last)),
        _ => f32::MIN,
    };
    let lists = Lists::new(&field, &scorer, k, false).with_floors(floor);
    let pairs = first_with_all(added.div_ceil(BLOCK), field.panels.blocks());
    sweep(&field, &lists, &pairs[..], (vectors.len() - old) as u64, progress)?;
    let mut out = Output::new(&scorer, sound, k);
    out.copy_from(graph);
    for block in 0..field.panels.blocks() {
        progress.check()?;
        let rows = lists.take(block);
        let merged = |(at, held): (usize, &Vec<Candidate>)| {
            let at = block * BLOCK + at;
            let hits = settle((&scorer, &field), k, at, held);
            (field.order[at], with_known(graph, field.order[at] as usize, hits))
        };
        let merged: Vec<(u32, Vec<Hit>)> =
            rows.par_iter().enumerate().filter(|(_, held)| !held.is_empty()).map(merged).collect();
        for (row, hits) in merged {
            out.store(row, &hits);
        }
    }
    out.fill_up();
    let whole = out.finish();
    Ok(NeighbourGraph { exact: graph.exact, ..whole })
}

/// The best of what a row had and what was found for it.
fn with_known(graph: &NeighbourGraph, row: usize, mut hits: Vec<Hit>) -> Vec<Hit> {
    if row < graph.len() {
        let known = graph.of(row).iter().zip(graph.scores_of(row));
        hits.extend(known.map(|(&position, &score)| Hit { position, score }));
        hits.sort_unstable_by(by_score);
        hits.dedup_by_key(|hit| hit.position);
        hits.truncate(graph.k);
    }
    hits
}
