//! Rows that are equal to the last bit, so that thousands of them cost no more than one.
//!
//! Invariant: every given row belongs to exactly one group, named by its first member; members rise.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::progress::Progress;
use crate::vectors::Vectors;

/// Groups of equal rows.
pub(super) struct Twins {
    /// First members of all groups, rising.
    pub firsts: Vec<u32>,
    /// Members of the groups that have more than one, by the first.
    groups: HashMap<u32, Vec<u32>>,
}

impl Twins {
    /// Groups the rows at `positions`, which rise. Once `progress` is cancelled the groups are wrong.
    pub fn find(vectors: &Vectors, positions: &[u32], progress: &Progress) -> Self {
        let key = |&row: &u32| {
            // Numbers that differ, so that no rows are compared.
            let hash = if progress.is_cancelled() { u64::from(row) } else { hash(vectors.row(row as usize)) };
            (hash, row)
        };
        let mut keyed: Vec<(u64, u32)> = positions.par_iter().with_min_len(256).map(key).collect();
        keyed.par_sort_unstable();
        if progress.is_cancelled() {
            return Self { firsts: positions.to_vec(), groups: HashMap::new() };
        }
        let mut groups: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut firsts = Vec::with_capacity(positions.len());
        for run in keyed.chunk_by(|a, b| a.0 == b.0) {
            let first_new = firsts.len();
            for &(_, row) in run {
                let own = vectors.row(row as usize);
                let twin = firsts[first_new..].iter().copied().find(|&first| same(own, vectors.row(first as usize)));
                match twin {
                    Some(first) => groups.entry(first).or_insert_with(|| vec![first]).push(row),
                    None => firsts.push(row),
                }
            }
        }
        firsts.par_sort_unstable();
        Self { firsts, groups }
    }

    /// All members of the group whose first is `first`, if there are more.
    pub fn of(&self, first: u32) -> Option<&[u32]> {
        self.groups.get(&first).map(Vec::as_slice)
    }
}

fn same(a: &[f32], b: &[f32]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// Four sums side by side, so that it runs as fast as memory.
fn hash(row: &[f32]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut sums = [1u64, 2, 3, 4];
    for values in row.chunks(8) {
        for (pair, sum) in values.chunks(2).zip(&mut sums) {
            let bits = pair.iter().fold(0u64, |bits, value| bits << 32 | u64::from(value.to_bits()));
            *sum = (*sum ^ bits).wrapping_mul(FACTOR).rotate_left(29);
        }
    }
    sums.iter().fold(0, |all, &sum| (all ^ sum).wrapping_mul(FACTOR).rotate_left(31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_are_found_and_zero_signs_tell_apart() {
        let values = vec![1.0, 2.0, 0.0, 5.0, 1.0, 2.0, -0.0, 5.0, 1.0, 2.0, 7.0, 7.0];
        let twins = Twins::find(&Vectors::new(values, 2).unwrap(), &[0, 1, 2, 3, 4, 5], &Progress::new());
        assert_eq!(twins.firsts, [0, 1, 3, 5]);
        assert_eq!(twins.of(0), Some(&[0, 2, 4][..]));
        assert_eq!(twins.of(1), None);
    }
}
