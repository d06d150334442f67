//! What texts and pictures have in common while they are embedded: filling slots, storing, counting, stopping.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::seen::SeenBy;
use super::slots::Slots;
use super::store::Session;
use crate::corpus::{Content, Corpus, panic_words};
use crate::models::{Embedded, Embedder, Input, ModelError};
use crate::progress::{Cancelled, Progress};
use crate::workspace::cache::CachedRow;

/// One run under way.
pub(super) struct Run<'a, 's> {
    pub corpus: &'a Corpus,
    pub slots: &'a mut Slots,
    pub store: &'a mut Session<'s>,
    pub progress: &'a Progress,
    /// Tokens embedded.
    pub tokens: u64,
    /// Inputs embedded.
    pub embedded: usize,
    /// Rows whose pictures the network had seen for another model.
    pub shared: usize,
    /// What is shared with other models of the same network.
    pub seen: Option<SeenBy<'a>>,
    /// Time held at the user's wish.
    pub held: Duration,
}

impl Run<'_, '_> {
    /// Between batches: waits while paused, fails once cancelled.
    pub(super) fn check(&mut self) -> Result<(), Cancelled> {
        let started = Instant::now();
        let checked = self.progress.check();
        self.held += started.elapsed();
        checked
    }

    /// Slots of pictures, or of texts and code, that are still empty, ascending.
    pub(super) fn empty_of(&self, pictures: bool) -> Vec<u32> {
        let is_picture =
            |slot: u32| matches!(self.corpus.item_of(self.slots.row_of(slot)).content, Content::Image { .. });
        self.slots.empty().into_iter().filter(|&slot| is_picture(slot) == pictures).collect()
    }

    /// Fills the slots of pictures that the network has seen for another model. What goes wrong with them leaves them empty.
    pub(super) fn fill_from_seen(&mut self, embedder: &dyn Embedder) {
        let Some(by) = &self.seen else { return };
        let before = self.slots.rows_filled();
        let hash = |slot: &u32| &self.corpus.item_of(self.slots.row_of(*slot)).hash;
        let taken = self.slots.empty().into_iter().filter_map(|slot| Some((slot, by.take(hash(&slot))?)));
        let (slots, seen): (Vec<u32>, Vec<_>) = taken.unzip();
        if slots.is_empty() {
            return;
        }
        let dim = embedder.card().dimensions;
        let made = embedder.embed_seen(&seen).ok().filter(|made| made.values.len() == slots.len() * dim);
        if let Some(made) = made {
            self.fill(&slots, &made);
            self.shared = self.slots.rows_filled() - before;
        }
    }

    /// Embeds one batch; an input that makes the batch fail is found and fails alone. A batch that is cancelled meanwhile leaves its
    /// slots empty.
    pub(super) fn batch(&mut self, embedder: &mut dyn Embedder, slots: &[u32], inputs: &[Input<'_>]) {
        match self.embed(embedder, inputs) {
            Ok(Some(embedded)) => self.take(slots, &embedded),
            Ok(None) => return,
            Err(error) if slots.len() == 1 => self.slots.fail(slots[0], error.to_string()),
            Err(_) => {
                for (&slot, &input) in slots.iter().zip(inputs) {
                    match self.embed(embedder, &[input]) {
                        Ok(Some(embedded)) => self.take(&[slot], &embedded),
                        Ok(None) => return,
                        Err(error) => self.slots.fail(slot, error.to_string()),
                    }
                }
            }
        }
        self.progress.advance(slots.len() as u64);
        self.store.commit_when_due();
    }

    /// Embeds, takes a panic for an error (models are read-only while they embed), and makes sure that every input got a whole vector;
    /// `None` when cancelled.
    fn embed(&self, embedder: &mut dyn Embedder, inputs: &[Input<'_>]) -> Result<Option<Embedded>, ModelError> {
        let dim = embedder.card().dimensions;
        let stop = || self.progress.is_cancelled();
        let made = catch_unwind(AssertUnwindSafe(|| embedder.embed_until(inputs, &stop))).unwrap_or_else(|panic| {
            Err(ModelError::Tensor(format!("the model stumbled over it: {}", panic_words(&*panic))))
        })?;
        let (got, wanted) = (made.as_ref().map(|made| made.values.len()), inputs.len() * dim);
        match got {
            Some(got) if got != wanted => {
                Err(ModelError::Tensor(format!("{got} values came back where {wanted} were expected")))
            }
            _ => Ok(made),
        }
    }

    fn take(&mut self, slots: &[u32], embedded: &Embedded) {
        let seen = self.fill(slots, embedded);
        self.embedded += slots.len();
        self.tokens += seen;
        self.progress.add_tokens(seen);
        if let Some(by) = &self.seen {
            for (&slot, seen) in slots.iter().zip(&embedded.seen) {
                by.leave(&self.corpus.item_of(self.slots.row_of(slot)).hash, seen);
            }
        }
    }

    /// Fills slots and stores their rows; gives the tokens seen.
    fn fill(&mut self, slots: &[u32], embedded: &Embedded) -> u64 {
        let dim = embedded.values.len() / slots.len().max(1);
        let mut seen = 0;
        for (at, (&slot, vector)) in slots.iter().zip(embedded.values.chunks_exact(dim.max(1))).enumerate() {
            let noted = CachedRow {
                tokens: embedded.tokens.get(at).copied().unwrap_or(0),
                cut: embedded.cut.get(at).copied().unwrap_or(0),
                note: embedded.notes.get(at).cloned().unwrap_or_default(),
            };
            seen += u64::from(noted.tokens);
            if vector.iter().all(|value| value.is_finite()) {
                self.store.push(self.slots, slot, vector, &noted);
            }
            self.slots.fill(slot, vector, noted);
        }
        seen
    }
}
