//! Neighbours of neighbours: the step by which a rough graph becomes a good one.
//!
//! NN-descent (Dong, Moses and Li 2011), but every row looks for itself in the lists of the round before, so that rows can be done in
//! any order. Invariant: lists are sorted, hold no row twice and never their own.

use rayon::prelude::*;

use super::field::Field;
use super::lists::{Candidate, greatest};
use crate::progress::{Cancelled, Progress};
use crate::vectors::tiles::{Bounds, Bytes};
use crate::vectors::{Level, bytes, level};

/// Rows of one task.
const ROWS: usize = 512;
/// Position of an empty place.
pub(super) const NONE: u32 = u32::MAX;

/// Lists of one length, row after row, greatest bound first; places without a candidate hold [`NONE`].
pub(super) struct Rough {
    /// Length of every list.
    pub keep: usize,
    /// The lists.
    pub lists: Vec<Candidate>,
}

/// How far a round looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Neighbours of a row that are followed, and of those in turn.
    pub near: usize,
    /// Rows that have the row among their nearest, followed at most.
    pub back: usize,
}

impl Rough {
    fn of(&self, row: usize) -> &[Candidate] {
        &self.lists[row * self.keep..(row + 1) * self.keep]
    }

    fn nearest(&self, row: usize, near: usize) -> impl Iterator<Item = u32> {
        self.of(row).iter().take(near).map(|held| held.row).filter(|&row| row != NONE)
    }

    /// For every row the first rows that name it among their nearest.
    fn backward(&self, rows: usize, reach: Reach, progress: &Progress) -> Result<Vec<u32>, Cancelled> {
        let mut lists = vec![NONE; rows * reach.back];
        let mut counts = vec![0u16; rows];
        // By rank, so that who names a row first is heard first.
        for rank in 0..reach.near.min(self.keep) {
            progress.check()?;
            for row in 0..rows {
                let named = self.lists[row * self.keep + rank].row;
                if named != NONE {
                    let count = &mut counts[named as usize];
                    if usize::from(*count) < reach.back {
                        lists[named as usize * reach.back + usize::from(*count)] = row as u32;
                        *count += 1;
                    }
                }
            }
        }
        Ok(lists)
    }
}

/// Packed rows, their bounds, and one of them.
pub(super) type One<'a> = (&'a Bytes, &'a Bounds, usize);

/// Product of two packed rows with their offsets.
#[inline]
pub(super) fn value(level: Level, (a_rows, a_bounds, a): One<'_>, (b_rows, b_bounds, b): One<'_>) -> f32 {
    let product = bytes::dot(level, a_rows.row(a), b_rows.row(b), b_rows.sums[b]) as f32;
    a_bounds.scale[a] * (b_bounds.scale[b] * product) + (a_bounds.offset[a] + b_bounds.offset[b])
}

/// One round over all rows. Advances `progress` by `units` in all.
pub(super) fn refine(
    field: &Field,
    rows: &Bytes,
    rough: &Rough,
    reach: Reach,
    (units, progress): (u64, &Progress),
) -> Result<Rough, Cancelled> {
    let count = field.order.len();
    let backward = rough.backward(count, reach, progress)?;
    let level = level();
    let mut lists = Vec::with_capacity(rough.lists.len());
    lists.par_extend(rough.lists.par_iter().copied());
    progress.check()?;
    let tasks = count.div_ceil(ROWS);
    let share = |done: usize| done as u64 * units / tasks.max(1) as u64;
    lists.par_chunks_mut(ROWS * rough.keep).enumerate().with_max_len(8).try_for_each_init(
        || (vec![NONE; count], Vec::new(), Vec::new()),
        |(seen, found, merged), (task, lists)| {
            progress.check()?;
            for (offset, list) in lists.chunks_exact_mut(rough.keep).enumerate() {
                let own = (task * ROWS + offset) as u32;
                gather((rough, &backward), reach, own, seen, found);
                merged.clear();
                merged.extend(list.iter().filter(|held| held.row != NONE));
                let worst = if merged.len() == rough.keep { list[rough.keep - 1].bound } else { f32::MIN };
                for (at, &other) in found.iter().enumerate() {
                    if let Some(&next) = found.get(at + 4) {
                        bytes::prefetch(rows.row(next as usize));
                    }
                    let at = |row: u32| (rows, &field.bounds, row as usize);
                    let bound = value(level, at(own), at(other));
                    if bound > worst {
                        merged.push(Candidate { row: other, bound });
                    }
                }
                if merged.len() > rough.keep {
                    merged.select_nth_unstable_by(rough.keep - 1, greatest);
                    merged.truncate(rough.keep);
                }
                merged.sort_unstable_by(greatest);
                list[..merged.len()].copy_from_slice(merged);
            }
            progress.advance(share(task + 1) - share(task));
            Ok(())
        },
    )?;
    Ok(Rough { keep: rough.keep, lists })
}

/// Rows within two steps that are not in the list yet.
fn gather((rough, backward): (&Rough, &[u32]), reach: Reach, own: u32, seen: &mut [u32], found: &mut Vec<u32>) {
    let back = |row: u32| {
        let at = row as usize * reach.back;
        backward[at..at + reach.back].iter().copied().take_while(|&row| row != NONE)
    };
    found.clear();
    seen[own as usize] = own;
    for held in rough.of(own as usize).iter().filter(|held| held.row != NONE) {
        seen[held.row as usize] = own;
    }
    let mut meet = |row: u32| {
        if std::mem::replace(&mut seen[row as usize], own) != own {
            found.push(row);
        }
    };
    back(own).for_each(&mut meet);
    for step in rough.nearest(own as usize, reach.near).chain(back(own)) {
        rough.nearest(step as usize, reach.near).for_each(&mut meet);
        back(step).for_each(&mut meet);
    }
}
