//! Pairs as lists: the points that each point begins a pair with.
//!
//! Does not know what a pair is for. Invariant: every end is below the number of points; lists are in the order they were made in,
//! whatever the threads.

use rayon::prelude::*;

use crate::progress::{Cancelled, Progress};

/// Rows of one task, and between two looks at whether the work was cancelled.
const TASK: usize = 1024;

/// A list of other ends for each point.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Links {
    starts: Vec<usize>,
    ends: Vec<u32>,
}

impl Links {
    /// Rows that `fill` appends, made in parallel.
    pub fn from_rows(
        points: usize,
        progress: &Progress,
        fill: impl Fn(usize, &mut Vec<u32>) + Sync,
    ) -> Result<Self, Cancelled> {
        let parts: Vec<(Vec<usize>, Vec<u32>)> = (0..points.div_ceil(TASK))
            .into_par_iter()
            .map(|task| {
                progress.check()?;
                let (mut stops, mut all) = (Vec::with_capacity(TASK), Vec::new());
                for row in task * TASK..points.min((task + 1) * TASK) {
                    fill(row, &mut all);
                    stops.push(all.len());
                }
                Ok((stops, all))
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut made = Self {
            starts: Vec::with_capacity(points + 1),
            ends: Vec::with_capacity(parts.iter().map(|part| part.1.len()).sum()),
        };
        made.starts.push(0);
        for (stops, all) in parts {
            progress.check()?;
            let first = made.ends.len();
            made.starts.extend(stops.iter().map(|stop| first + stop));
            made.ends.extend(all);
        }
        Ok(made)
    }

    /// Of pairs in any order; a pair beyond `points` is left out.
    pub fn from_pairs(points: usize, pairs: &[[u32; 2]], progress: &Progress) -> Result<Self, Cancelled> {
        let mut sorted: Vec<[u32; 2]> =
            pairs.iter().filter(|pair| pair.iter().all(|&end| (end as usize) < points)).copied().collect();
        sorted.sort_by_key(|pair| pair[0]);
        let mut starts = vec![0usize; points + 1];
        sorted.iter().for_each(|pair| starts[pair[0] as usize + 1] += 1);
        (0..points).for_each(|point| starts[point + 1] += starts[point]);
        progress.check()?;
        Ok(Self { starts, ends: sorted.iter().map(|pair| pair[1]).collect() })
    }

    /// The same pairs from their other ends.
    pub fn reversed(&self, progress: &Progress) -> Result<Self, Cancelled> {
        let points = self.len();
        let mut starts = vec![0usize; points + 1];
        for part in self.ends.chunks(16 * TASK) {
            progress.check()?;
            part.iter().for_each(|&end| starts[end as usize + 1] += 1);
        }
        (0..points).for_each(|point| starts[point + 1] += starts[point]);
        let mut next = starts.clone();
        let mut ends = vec![0u32; self.ends.len()];
        for row in 0..points {
            if row.is_multiple_of(TASK) {
                progress.check()?;
            }
            for &end in self.of(row) {
                let at = &mut next[end as usize];
                ends[*at] = row as u32;
                *at += 1;
            }
        }
        Ok(Self { starts, ends })
    }

    /// Points.
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// The other ends of a point's pairs.
    pub fn of(&self, point: usize) -> &[u32] {
        &self.ends[self.starts[point]..self.starts[point + 1]]
    }

    /// All pairs.
    pub fn pairs(&self) -> impl Iterator<Item = [u32; 2]> {
        (0..self.len()).flat_map(|point| self.of(point).iter().map(move |&end| [point as u32, end]))
    }
}
