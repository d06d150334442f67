//! The work of one embedding run: one slot for each different content, and which rows want it.
//!
//! Knows neither cache nor model. Invariant: a slot is empty, filled with a finite vector, or failed with a reason.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::corpus::{Content, Corpus};
use crate::vectors::RowId;
use crate::workspace::cache::{CachedRow, KeyMaker, RowKey};

/// What became of a slot.
#[derive(Clone, Debug)]
enum State {
    Empty,
    Filled(CachedRow),
    Failed(String),
}

/// One slot a different content.
#[derive(Debug)]
pub(super) struct Slots {
    rows: Vec<RowId>,
    slot_of: Vec<u32>,
    keys: Vec<RowKey>,
    /// A row of each slot: where its content is read.
    row_of: Vec<RowId>,
    states: Vec<State>,
    values: Vec<f32>,
    dim: usize,
}

impl Slots {
    pub(super) fn new(corpus: &Corpus, rows: Vec<RowId>, keys: &KeyMaker, dim: usize) -> Self {
        let key_of = |&row: &RowId| match &corpus.item_of(row).content {
            Content::Text(_) => keys.text(corpus.text_of(row)),
            Content::Image { .. } => keys.image(&corpus.item_of(row).hash),
        };
        let row_keys: Vec<RowKey> = rows.par_iter().with_min_len(64).map(key_of).collect();
        let mut known: HashMap<RowKey, u32> = HashMap::with_capacity(rows.len());
        let (mut slot_of, mut unique, mut row_of) = (Vec::with_capacity(rows.len()), Vec::new(), Vec::new());
        for (&row, key) in rows.iter().zip(row_keys) {
            let slot = *known.entry(key).or_insert_with(|| {
                unique.push(key);
                row_of.push(row);
                unique.len() as u32 - 1
            });
            slot_of.push(slot);
        }
        let states = vec![State::Empty; unique.len()];
        let values = vec![0.0; unique.len() * dim];
        Self { rows, slot_of, keys: unique, row_of, states, values, dim }
    }

    /// Number of slots.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn rows(&self) -> &[RowId] {
        &self.rows
    }

    pub(super) fn slot_of_rows(&self) -> &[u32] {
        &self.slot_of
    }

    pub(super) fn keys(&self) -> &[RowKey] {
        &self.keys
    }

    pub(super) fn row_of(&self, slot: u32) -> RowId {
        self.row_of[slot as usize]
    }

    /// Slots that are still empty, ascending.
    pub(super) fn empty(&self) -> Vec<u32> {
        (0..self.len() as u32).filter(|&slot| matches!(self.states[slot as usize], State::Empty)).collect()
    }

    /// Rows whose slot is filled.
    pub(super) fn rows_filled(&self) -> usize {
        self.slot_of.iter().filter(|&&slot| matches!(self.states[slot as usize], State::Filled(_))).count()
    }

    /// Whether every row has a slot of its own and all are filled: then the values are those of the rows.
    pub(super) fn is_plain(&self) -> bool {
        self.rows.len() == self.len() && self.states.iter().all(|state| matches!(state, State::Filled(_)))
    }

    /// All values, slot after slot.
    pub(super) fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// Fills a slot. A vector with NaN or infinities makes it fail.
    pub(super) fn fill(&mut self, slot: u32, vector: &[f32], noted: CachedRow) {
        let at = slot as usize * self.dim;
        if vector.len() != self.dim || !vector.iter().all(|value| value.is_finite()) {
            self.fail(slot, "the model gave no finite vector for it".to_owned());
            return;
        }
        self.values[at..at + self.dim].copy_from_slice(vector);
        self.states[slot as usize] = State::Filled(noted);
    }

    pub(super) fn fail(&mut self, slot: u32, reason: String) {
        self.states[slot as usize] = State::Failed(reason);
    }

    /// The vector of a slot and what was noted, or why there is none.
    pub(super) fn result(&self, slot: u32) -> Result<(&[f32], &CachedRow), &str> {
        let at = slot as usize * self.dim;
        match &self.states[slot as usize] {
            State::Filled(noted) => Ok((&self.values[at..at + self.dim], noted)),
            State::Failed(reason) => Err(reason),
            State::Empty => Err("it was not embedded"),
        }
    }
}
