//! The order in which points stand and move, and their edges in that order.
//!
//! Points are shuffled, so that a run of neighbouring places is a random sample, then sorted by how many edges they take an epoch, so
//! that the sixteen of a group have much the same to do, and dealt out to rounds like cards. Within a round all points move from
//! what the round before left behind. Invariant: the schedule depends on graph and seed only.

use rayon::prelude::*;

use super::fuzzy::FuzzySet;
use super::lanes::{Edges, GROUP};
use super::random::mix;
use crate::progress::{Cancelled, Progress};

/// Rounds of an epoch: fewer go stale less often, more wait for each other less.
const ROUNDS: usize = 8;
/// Points between two looks at whether the work was cancelled.
const LOOK: usize = 4096;

/// Points in places, and their edges.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// `order[place]` is the point there.
    pub order: Vec<u32>,
    /// Where each round begins, in places; all but the last end are multiples of [`GROUP`].
    pub rounds: Vec<usize>,
    starts: Vec<usize>,
    tails: Vec<u32>,
    paces: Vec<u32>,
}

impl Schedule {
    /// For `epochs` in all; edges too weak to be taken once in them are left out.
    pub fn new(set: &FuzzySet, epochs: usize, seed: u64, progress: &Progress) -> Result<Self, Cancelled> {
        let greatest = set.greatest();
        let least = greatest / epochs.max(1) as f32;
        let kept = |weight: f32| weight >= least && weight > 0.0;
        let load = |point: usize| set.row(point).1.iter().filter(|w| kept(**w)).sum::<f32>();
        let (order, rounds) = deal(set.len(), load, greatest, seed);
        progress.check()?;
        let mut places = vec![0u32; order.len()];
        (0u32..).zip(&order).for_each(|(place, &point)| places[point as usize] = place);
        let mut made = Self { order, rounds, starts: vec![0], tails: Vec::new(), paces: Vec::new() };
        let mut row: Vec<(f32, u32)> = Vec::new();
        for (place, &point) in made.order.iter().enumerate() {
            if place.is_multiple_of(LOOK) {
                progress.check()?;
            }
            let (columns, weights) = set.row(point as usize);
            row.clear();
            row.extend(
                weights.iter().zip(columns).filter(|edge| kept(*edge.0)).map(|(&w, &c)| (w, places[c as usize])),
            );
            made.tails.extend(row.iter().map(|edge| edge.1));
            made.paces.extend(row.iter().map(|edge| (f64::from(edge.0 / greatest) * f64::from(u32::MAX)) as u32));
            made.starts.push(made.tails.len());
        }
        Ok(made)
    }

    /// Places that the point at `place` is drawn to.
    pub fn tails(&self, place: usize) -> &[u32] {
        &self.tails[self.starts[place]..self.starts[place + 1]]
    }

    /// Edges of the points at `places`.
    pub fn edges(&self, places: std::ops::Range<usize>) -> Edges<'_> {
        Edges {
            starts: &self.starts[places.start..=places.end],
            tails: &self.tails,
            paces: &self.paces,
            base: places.start,
            stream: places.start as u64,
        }
    }
}

/// The order of the points and where each round begins and the last ends.
fn deal(points: usize, load: impl Fn(usize) -> f32, greatest: f32, seed: u64) -> (Vec<u32>, Vec<usize>) {
    let scale = if greatest > 0.0 { 2.0 / greatest } else { 0.0 };
    let mut sorted: Vec<(u32, u64, u32)> = (0..points as u32)
        .map(|point| ((load(point as usize) * scale) as u32, mix(seed, 1 << 40, u64::from(point)), point))
        .collect();
    sorted.par_sort_unstable_by(|a, b| b.cmp(a));
    let groups: Vec<&[(u32, u64, u32)]> = sorted.chunks(GROUP).collect();
    let rounds = ROUNDS.min(groups.len().max(1));
    let (mut order, mut starts) = (Vec::with_capacity(points), Vec::with_capacity(rounds + 1));
    // The round of the last group, which may not be full, comes last.
    let last = groups.len().saturating_sub(1) % rounds;
    for round in (last + 1..rounds).chain(0..=last) {
        starts.push(order.len());
        for group in groups.iter().skip(round).step_by(rounds) {
            order.extend(group.iter().map(|entry| entry.2));
        }
    }
    starts.push(order.len());
    (order, starts)
}
