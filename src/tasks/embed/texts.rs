//! The loop over texts and code: batches of like length, small enough to stop between.

use std::time::Instant;

use super::batches::batches;
use super::run::Run;
use crate::models::{Embedder, Input};
use crate::progress::Cancelled;

/// Padded tokens of a batch: about a fifth of a second of MiniLM on two cores.
const BUDGET: usize = 1024;
/// A batch that is done faster than this is followed by a larger one: many cores, or a model that only looks tokens up.
const QUICK: f64 = 0.06;
/// Largest batch, in multiples of the budget.
const MOST: usize = 64;

pub(super) fn embed(run: &mut Run<'_, '_>, embedder: &mut dyn Embedder) -> Result<(), Cancelled> {
    let empty = run.slots.empty();
    let name = embedder.card().name.clone();
    run.progress.stage(&format!("Embedding with {name}"), "items", empty.len() as u64);
    let limit = embedder.card().context_tokens.unwrap_or(usize::MAX);
    let corpus = run.corpus;
    let costed = empty
        .into_iter()
        .map(|slot| {
            let row = run.slots.row_of(slot);
            // The chunker's count is near enough; counting anew would cost as much as a small model's embedding.
            let tokens = corpus.chunk(row).tokens as usize;
            let cost = if tokens > 0 { tokens + 2 } else { corpus.text_of(row).len() / 4 + 2 };
            (slot, cost.min(limit))
        })
        .collect();
    let made = batches(costed, BUDGET, BUDGET);
    let (mut next, mut group) = (0, 1);
    while next < made.len() {
        run.check()?;
        let slots = made[next..made.len().min(next + group)].concat();
        let inputs: Vec<Input<'_>> =
            slots.iter().map(|&slot| Input::Text(corpus.text_of(run.slots.row_of(slot)))).collect();
        let started = Instant::now();
        run.batch(embedder, &slots, &inputs);
        next += group;
        if started.elapsed().as_secs_f64() < QUICK {
            group = (group * 2).min(MOST);
        }
    }
    Ok(())
}
