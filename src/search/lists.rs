//! Candidates of every row while pairs are compared, and the floor a pair must reach to become one.
//!
//! Invariant: what is among the `keep` best scores of a row, of the pairs offered, is in its list at any time; a floor only rises.
//! So what comes out in the end does not depend on the order in which pairs were offered.

use std::cmp::Ordering::Equal;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::field::Field;
use super::rounded::{Scorer, comparable};
use crate::vectors::Metric;
use crate::vectors::tiles::{BLOCK, Found, Near};

/// One candidate of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    /// Packed row.
    pub row: u32,
    /// Upper bound of its score, in comparable form.
    pub bound: f32,
}

#[derive(Default)]
struct Row {
    held: Vec<Candidate>,
    /// Length at which the list is pruned.
    limit: usize,
}

/// Lists of all rows of a field.
pub(super) struct Lists<'a> {
    field: &'a Field,
    scorer: &'a Scorer<'a>,
    keep: usize,
    /// Whether bounds are taken for scores.
    trusting: bool,
    blocks: Vec<Mutex<Vec<Row>>>,
    floors: Vec<AtomicU32>,
}

impl<'a> Lists<'a> {
    /// Empty lists that will hold the `keep` best; `trusting` takes bounds for scores.
    pub fn new(field: &'a Field, scorer: &'a Scorer<'a>, keep: usize, trusting: bool) -> Self {
        let limit = if trusting { 2 * keep } else { 2 * keep + 32 };
        let block = || Mutex::new((0..BLOCK).map(|_| Row { held: Vec::new(), limit }).collect());
        Self {
            field,
            scorer,
            keep,
            trusting,
            blocks: (0..field.panels.blocks()).map(|_| block()).collect(),
            floors: (0..field.panels.blocks() * BLOCK).map(|_| AtomicU32::new(f32::INFINITY.to_bits())).collect(),
        }
        .with_floors(|_| f32::MIN)
    }

    /// The same lists, each beginning with the floor of its packed row; a floor of infinity finds nothing.
    pub fn with_floors(self, floor: impl Fn(usize) -> f32) -> Self {
        for (row, known) in self.floors.iter().enumerate().take(self.field.order.len()) {
            known.store(floor(row).max(f32::MIN).to_bits(), Ordering::Relaxed);
        }
        self
    }

    /// The floors of a block at this moment.
    pub fn floors(&self, block: usize) -> [f32; BLOCK] {
        std::array::from_fn(|at| self.floor(block * BLOCK + at))
    }

    /// Takes in what was found when block `rows` met block `columns`, and empties it.
    pub fn add(&self, rows: usize, columns: usize, found: &mut Found) {
        let (row, column) = (|near: &Near| usize::from(near.row), |near: &Near| usize::from(near.column));
        let others = |block, other: usize| (block * BLOCK + other) as u32;
        self.offer(rows, found.for_rows.iter().map(|near| (row(near), others(columns, column(near)), near.bound)));
        self.offer(columns, found.for_columns.iter().map(|near| (column(near), others(rows, row(near)), near.bound)));
        found.for_rows.clear();
        found.for_columns.clear();
    }

    /// Offers candidates to rows of a block: the row within it, the other packed row, its bound.
    pub fn offer(&self, block: usize, found: impl Iterator<Item = (usize, u32, f32)>) {
        let mut found = found.peekable();
        if found.peek().is_none() {
            return;
        }
        let mut rows = self.blocks[block].lock().unwrap_or_else(PoisonError::into_inner);
        for (row, other, bound) in found {
            let at = block * BLOCK + row;
            if at != other as usize && bound >= self.floor(at) {
                let limit = rows[row].limit;
                if rows[row].held.capacity() == 0 {
                    rows[row].held.reserve_exact(limit);
                }
                rows[row].held.push(Candidate { row: other, bound });
                if rows[row].held.len() >= rows[row].limit {
                    self.prune(at, &mut rows[row]);
                }
            }
        }
    }

    /// How rows are compared.
    pub fn metric(&self) -> Metric {
        self.scorer.metric
    }

    /// The floor of a packed row at this moment.
    #[inline]
    pub fn floor(&self, row: usize) -> f32 {
        f32::from_bits(self.floors[row].load(Ordering::Relaxed))
    }

    /// Prunes all lists and gives the floors, which now depend on nothing but the pairs offered.
    pub fn settled_floors(&self) -> Vec<f32> {
        self.blocks.par_iter().enumerate().for_each(|(block, rows)| {
            if self.scorer.progress.is_cancelled() {
                return;
            }
            let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
            rows.iter_mut().enumerate().for_each(|(at, row)| self.prune(block * BLOCK + at, row));
        });
        (0..self.floors.len()).map(|row| self.floor(row)).collect()
    }

    /// Drops what can no longer be among the best and raises the floor.
    fn prune(&self, at: usize, row: &mut Row) {
        if row.held.len() < self.keep {
            return;
        }
        let floor = if self.trusting {
            row.held.select_nth_unstable_by(self.keep - 1, greatest);
            row.held.truncate(self.keep);
            row.held[self.keep - 1].bound
        } else {
            let mut lower: Vec<f32> =
                row.held.iter().map(|held| held.bound - self.field.gap(at, held.row as usize)).collect();
            let (_, floor, _) = lower.select_nth_unstable_by(self.keep - 1, |a, b| b.total_cmp(a));
            *floor
        };
        let before = self.floor(at);
        let mut floor = floor.max(before);
        row.held.retain(|held| held.bound >= floor);
        if row.held.len() > 8 * self.keep + 1024 {
            floor = floor.max(self.settle_early(at, row));
        }
        self.floors[at].store(floor.to_bits(), Ordering::Relaxed);
        let more = if self.trusting { self.keep } else { self.keep + 32 };
        row.limit = (row.held.len() * 3 / 2).max(row.held.len() + more);
    }

    /// Where bounds tell too few rows apart, the scores themselves decide already now; gives the least of them.
    fn settle_early(&self, at: usize, row: &mut Row) -> f32 {
        let order = &self.field.order;
        let own = order[at] as usize;
        let mut scored: Vec<(f32, Candidate)> =
            row.held.iter().map(|&held| (self.scorer.score(own, order[held.row as usize] as usize), held)).collect();
        scored.select_nth_unstable_by(self.keep - 1, |a, b| {
            let by_position = order[a.1.row as usize].cmp(&order[b.1.row as usize]);
            b.0.partial_cmp(&a.0).unwrap_or(Equal).then(by_position)
        });
        scored.truncate(self.keep);
        row.held.clear();
        row.held.extend(scored.iter().map(|&(_, held)| held));
        comparable(self.scorer.metric, scored[self.keep - 1].0)
    }

    /// The candidates of a block, pruned, greatest bound first where bounds are taken for scores or there are twice as many as are kept:
    /// fewer are all scored, in whatever order they come. Leaves none.
    pub fn take(&self, block: usize) -> Vec<Vec<Candidate>> {
        let mut rows = self.blocks[block].lock().unwrap_or_else(PoisonError::into_inner);
        let rows = rows.iter_mut().enumerate().take(self.field.order.len().saturating_sub(block * BLOCK));
        rows.map(|(at, row)| {
            self.prune(block * BLOCK + at, row);
            if self.trusting || row.held.len() >= 2 * self.keep {
                row.held.sort_unstable_by(greatest);
            }
            std::mem::take(&mut row.held)
        })
        .collect()
    }
}

impl Drop for Lists<'_> {
    /// Whoever cancelled does not wait until a million lists are given back.
    fn drop(&mut self) {
        let blocks = std::mem::take(&mut self.blocks);
        if self.scorer.progress.is_cancelled() {
            rayon::spawn(move || drop(blocks));
        }
    }
}

/// Greatest bound first, then the first packed row.
pub(super) fn greatest(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.bound.partial_cmp(&a.bound).unwrap_or(Equal).then(a.row.cmp(&b.row))
}
