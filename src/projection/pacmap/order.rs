//! The order in which points stand in memory, sixteen by sixteen, and their pairs in that order.
//!
//! Points with about as many neighbours' pairs stand together, so that the sixteen of a group have much the same to do; the groups are
//! shuffled, so that the point a fixed way further on is a point at random. Invariant: the order depends on the pairs and the seed only.

use rayon::prelude::*;

use super::lanes::GROUP;
use super::links::Links;
use crate::progress::{Cancelled, Progress};
use crate::projection::umap::random::mix;

/// Groups of one task.
const TASK: usize = 256;

/// A point's load, a number at random and the point.
type Card = (u32, u64, u32);

/// `order[place]` is the point there: the last group, which may not be full, stays the last.
pub(super) fn deal(load: impl Fn(usize) -> usize, points: usize, seed: u64) -> Vec<u32> {
    let mut sorted: Vec<Card> = (0..points as u32)
        .map(|point| (load(point as usize) as u32, mix(seed, 1 << 40, u64::from(point)), point))
        .collect();
    sorted.par_sort_unstable_by(|a, b| b.cmp(a));
    let (whole, rest) = sorted.as_chunks::<GROUP>();
    let mut groups: Vec<(u64, &[Card; GROUP])> =
        (0u64..).zip(whole).map(|(at, group)| (mix(seed, 2 << 40, at), group)).collect();
    groups.par_sort_unstable_by_key(|group| group.0);
    groups.iter().flat_map(|group| group.1).chain(rest).map(|entry| entry.2).collect()
}

/// The place of each point.
pub(super) fn places(order: &[u32]) -> Vec<u32> {
    let mut places = vec![0u32; order.len()];
    (0u32..).zip(order).for_each(|(place, &point)| places[point as usize] = place);
    places
}

/// Places of the other ends of each group's pairs, a row of sixteen at a time. A lane that has fewer pairs than its group's longest
/// names itself in the rows that are left: a point does not draw itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Bundles {
    starts: Vec<usize>,
    rows: Vec<[u32; GROUP]>,
}

impl Bundles {
    /// Of pairs seen from both ends.
    pub fn new(
        links: &Links,
        back: &Links,
        (order, places): (&[u32], &[u32]),
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        let groups = order.len().div_ceil(GROUP);
        let last = order.len().saturating_sub(1) as u32;
        let parts: Vec<(Vec<usize>, Vec<[u32; GROUP]>)> = (0..groups.div_ceil(TASK))
            .into_par_iter()
            .map(|task| {
                progress.check()?;
                let (mut stops, mut rows) = (Vec::with_capacity(TASK), Vec::new());
                for group in task * TASK..groups.min((task + 1) * TASK) {
                    let members = &order[group * GROUP..order.len().min((group + 1) * GROUP)];
                    let first = rows.len();
                    let longest = |point: &u32| links.of(*point as usize).len() + back.of(*point as usize).len();
                    let count = members.iter().map(longest).max().unwrap_or(0);
                    let own = std::array::from_fn(|lane| ((group * GROUP + lane) as u32).min(last));
                    rows.resize(first + count, own);
                    for (lane, &point) in members.iter().enumerate() {
                        let ends = links.of(point as usize).iter().chain(back.of(point as usize));
                        for (row, &end) in rows[first..].iter_mut().zip(ends) {
                            row[lane] = places[end as usize];
                        }
                    }
                    stops.push(rows.len());
                }
                Ok((stops, rows))
            })
            .collect::<Result<_, Cancelled>>()?;
        let total = parts.iter().map(|part| part.1.len()).sum();
        let mut made = Self { starts: Vec::with_capacity(groups + 1), rows: Vec::with_capacity(total) };
        made.starts.push(0);
        for (stops, rows) in parts {
            progress.check()?;
            let first = made.rows.len();
            made.starts.extend(stops.iter().map(|stop| first + stop));
            made.rows.extend(rows);
        }
        Ok(made)
    }

    /// The rows of a group.
    pub fn of(&self, group: usize) -> &[[u32; GROUP]] {
        &self.rows[self.starts[group]..self.starts[group + 1]]
    }
}
