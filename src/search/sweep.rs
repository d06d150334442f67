//! Comparing pairs of blocks, near ones first, on all threads.
//!
//! Invariant: every pair of the list is compared exactly once; which thread does it changes nothing in the outcome.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::field::Field;
use super::lists::Lists;
use crate::progress::{Cancelled, Progress};
use crate::vectors::level;
use crate::vectors::tiles::{BLOCK, Found, Pair, compare};

/// Columns of a block compared with its own rows at a time.
const FIRST_WIDTH: usize = 64;

/// Pairs of blocks to be compared.
pub(super) trait Pairs: Sync {
    /// How many.
    fn len(&self) -> usize;
    /// One of them: the rows' block and the columns' block.
    fn get(&self, at: usize) -> (usize, usize);
}

/// All pairs of so many blocks, by distance in the order.
pub(super) struct All(pub usize);

impl Pairs for All {
    fn len(&self) -> usize {
        self.0 * (self.0 + 1) / 2
    }

    fn get(&self, at: usize) -> (usize, usize) {
        // The distances 0, 1, … have n, n − 1, … pairs: the distance is the last one whose pairs begin at or before `at`.
        let n = self.0;
        let begins = |distance: usize| distance * n - distance * distance.saturating_sub(1) / 2;
        let root = ((2 * n + 1) as f64).powi(2) - 8.0 * at as f64;
        let mut distance = (((2 * n + 1) as f64 - root.max(0.0).sqrt()) / 2.0) as usize;
        while distance > 0 && begins(distance) > at {
            distance -= 1;
        }
        while begins(distance + 1) <= at {
            distance += 1;
        }
        let first = at - begins(distance);
        (first, first + distance)
    }
}

/// Each of the first `first` of `blocks` blocks with itself and all after it.
pub(super) fn first_with_all(first: usize, blocks: usize) -> Vec<(u32, u32)> {
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    for other in 0..blocks as u32 {
        pairs.extend((0..first as u32).filter(|&own| own <= other).map(|own| (own, other)));
    }
    pairs
}

impl Pairs for [(u32, u32)] {
    fn len(&self) -> usize {
        self.len()
    }

    fn get(&self, at: usize) -> (usize, usize) {
        (self[at].0 as usize, self[at].1 as usize)
    }
}

/// Compares the pairs and adds what is found to the lists. Advances `progress` by `units` in all.
pub(super) fn sweep(
    field: &Field,
    lists: &Lists<'_>,
    pairs: &(impl Pairs + ?Sized),
    units: u64,
    progress: &Progress,
) -> Result<(), Cancelled> {
    let (next, level) = (AtomicUsize::new(0), level());
    let share = |done: usize| done as u64 * units / pairs.len().max(1) as u64;
    (0..rayon::current_num_threads()).into_par_iter().with_max_len(1).try_for_each(|_| {
        let mut found = Found::default();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= pairs.len() {
                return Ok(());
            }
            progress.check()?;
            let (rows, columns) = pairs.get(at);
            // A block with itself comes first and finds floors still low: they rise part by part.
            let width = if rows == columns { FIRST_WIDTH } else { BLOCK };
            for start in (0..BLOCK).step_by(width) {
                let row_floors = lists.floors(rows);
                let column_floors = if rows == columns { [f32::INFINITY; BLOCK] } else { lists.floors(columns) };
                let part = (start, start + width);
                let pair = Pair { rows, columns, part, row_floors: &row_floors, column_floors: &column_floors };
                compare(level, &field.panels, &field.bounds, &pair, &mut found);
                lists.add(rows, columns, &mut found);
            }
            progress.advance(share(at + 1) - share(at));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pairs_come_once_and_near_ones_first() {
        for blocks in [1, 2, 3, 10, 183] {
            let all = All(blocks);
            let mut seen = vec![false; blocks * blocks];
            let mut before = 0;
            for at in 0..all.len() {
                let (row, column) = all.get(at);
                assert!(column >= row && column - row >= before && column < blocks, "{blocks}, {at}");
                before = column - row;
                assert!(!std::mem::replace(&mut seen[row * blocks + column], true));
            }
        }
    }
}
