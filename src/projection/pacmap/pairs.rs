//! The three kinds of pairs that `PaCMAP` lays points out by.
//!
//! Neighbours by scaled distance, mid-near pairs and further pairs as the authors' package has them. Further pairs are not drawn one by
//! one: the points are shuffled once, and each makes a pair with the ones that stand a few random ways further on. Every pair is still
//! a random one, every point has as many as any other, and they can be gone through without looking them up. Where such a pair
//! would be one of neighbours, another is drawn in its stead. Invariant: the pairs depend on vectors, graph, parameters and seed only.

use rayon::prelude::*;

use super::links::Links;
use super::order::{deal, places};
use super::params::{PacmapParams, PairCounts};
use crate::progress::{Cancelled, Progress};
use crate::projection::ProjectionError;
use crate::projection::umap::random::mix;
use crate::search::NeighbourGraph;
use crate::vectors::{Metric, Vectors, dot, norm, squared_distance};

/// Points among which the second nearest makes a mid-near pair.
const SAMPLE: usize = 6;
/// The neighbours, counted from 0, whose mean distance is the scale of a point.
const SCALE: std::ops::Range<usize> = 3..6;
/// No scale is smaller.
const LEAST_SCALE: f32 = 1e-10;
/// Draws of a point at random before the next one that will do is taken.
const DRAWS: u64 = 64;

/// Who is drawn to whom, and who pushes whom.
#[derive(Clone, Debug)]
pub struct PacmapPairs {
    pub(super) near: Links,
    pub(super) mid: Links,
    /// `order[place]` is the point there.
    pub(super) order: Vec<u32>,
    /// Each place makes a further pair with the one so many places on.
    pub(super) shifts: Vec<u32>,
    /// Of those, the ones that are none after all.
    pub(super) dropped: Links,
    /// Further pairs besides.
    pub(super) added: Links,
}

impl PacmapPairs {
    /// Of vectors and their neighbour graph, which should hold [`PacmapParams::neighbours_needed`]. Rows without a neighbour at a
    /// finite distance begin no pairs. Errors: graph and vectors are of different length; the graph names a row that is not there;
    /// cancelled.
    pub fn new(
        graph: &NeighbourGraph,
        vectors: &Vectors,
        params: &PacmapParams,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        let points = vectors.len();
        if !graph.is_empty() && graph.len() != points {
            return Err(ProjectionError::LengthsDiffer { graph: graph.len(), start: points });
        }
        if let Some(&row) = graph.indices.iter().find(|&&row| row as usize >= points) {
            return Err(ProjectionError::NoSuchRow { row, rows: points });
        }
        let params = params.sane();
        let counts = params.counts(points);
        let near = near(graph, points, counts.near, params.neighbours_needed(points), progress)?;
        let mid = mid(vectors, graph.metric, &near, (counts.mid, params.seed), progress)?;
        let back = near.reversed(progress)?;
        let order = deal(|point| near.of(point).len() + back.of(point).len(), points, params.seed);
        progress.check()?;
        let further = Further { near: &near, order: &order, seed: params.seed };
        let (shifts, dropped, added) = further.pairs(counts, progress)?;
        Ok(Self { near, mid, order, shifts, dropped, added })
    }

    /// Of pairs of numbers of points; those that name a point that is not there are left out.
    pub fn from_lists(points: usize, near: &[[u32; 2]], mid: &[[u32; 2]], further: &[[u32; 2]]) -> Self {
        let progress = Progress::new();
        let links = |pairs: &[[u32; 2]]| Links::from_pairs(points, pairs, &progress).unwrap_or_default();
        let order = (0..points as u32).collect();
        Self {
            near: links(near),
            mid: links(mid),
            order,
            shifts: Vec::new(),
            dropped: links(&[]),
            added: links(further),
        }
    }

    /// Points.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Pairs of neighbours, by their first points.
    pub fn near(&self) -> Vec<[u32; 2]> {
        self.near.pairs().collect()
    }

    /// Mid-near pairs, by their first points.
    pub fn mid(&self) -> Vec<[u32; 2]> {
        self.mid.pairs().collect()
    }

    /// Further pairs, in rising order.
    pub fn further(&self) -> Vec<[u32; 2]> {
        let count = self.order.len();
        let mut all: Vec<[u32; 2]> = self
            .shifts
            .iter()
            .flat_map(|&shift| (0..count).map(move |place| (place, (place + shift as usize) % count)))
            .map(|(from, to)| [self.order[from], self.order[to]])
            .filter(|pair| !self.dropped.of(pair[0] as usize).contains(&pair[1]))
            .chain(self.added.pairs())
            .collect();
        all.sort_unstable();
        all
    }
}

/// Squared distance from a score; infinite where there is none.
fn squared(metric: Metric, score: f32) -> f32 {
    let square = match metric {
        Metric::Euclidean => score * score,
        Metric::Cosine | Metric::Dot => 2.0 - 2.0 * score,
    };
    if score.is_finite() { square.max(0.0) } else { f32::INFINITY }
}

/// Of the first `looked_at` neighbours of each point, the `count` with the least distance measured by the scales of both ends.
fn near(
    graph: &NeighbourGraph,
    points: usize,
    count: usize,
    looked_at: usize,
    progress: &Progress,
) -> Result<Links, Cancelled> {
    let k = graph.k.min(looked_at);
    if graph.is_empty() || count == 0 {
        return Links::from_rows(points, progress, |_, _| {});
    }
    let scale = |row: usize| {
        let found = graph.scores_of(row)[..k].iter().map(|&score| squared(graph.metric, score));
        let distances: Vec<f32> = found.take(SCALE.end).filter(|square| square.is_finite()).map(f32::sqrt).collect();
        // Of few neighbours, the furthest.
        let far = &distances[SCALE.start.min(distances.len().saturating_sub(1))..];
        (far.iter().sum::<f32>() / far.len().max(1) as f32).max(LEAST_SCALE)
    };
    let scales: Vec<f32> = (0..points).into_par_iter().with_min_len(1024).map(scale).collect();
    progress.check()?;
    Links::from_rows(points, progress, |row, out| {
        let found = graph.of(row)[..k].iter().zip(&graph.scores_of(row)[..k]);
        let mut scaled: Vec<(f32, u32)> = found
            .map(|(&other, &score)| (squared(graph.metric, score) / scales[row] / scales[other as usize], other))
            .filter(|(far, other)| far.is_finite() && *other as usize != row)
            .collect();
        scaled.sort_by(|a, b| a.0.total_cmp(&b.0));
        out.extend(scaled.iter().take(count).map(|entry| entry.1));
    })
}

/// For each point, `count` times, the second nearest of six others at random.
fn mid(
    vectors: &Vectors,
    metric: Metric,
    near: &Links,
    (count, seed): (usize, u64),
    progress: &Progress,
) -> Result<Links, Cancelled> {
    let points = vectors.len();
    let norms: Vec<f32> = match metric {
        Metric::Cosine => vectors.values().par_chunks(vectors.dim()).with_min_len(256).map(norm).collect(),
        Metric::Dot | Metric::Euclidean => Vec::new(),
    };
    progress.check()?;
    // Only compared, and only with others from the same point.
    let closeness = |row: usize, other: usize| {
        let (a, b) = (vectors.row(row), vectors.row(other));
        let close = match metric {
            Metric::Euclidean => -squared_distance(a, b),
            Metric::Cosine if norms[other] > 0.0 => dot(a, b) / norms[other],
            Metric::Cosine => 0.0,
            Metric::Dot => dot(a, b),
        };
        if close.is_nan() { f32::NEG_INFINITY } else { close }
    };
    Links::from_rows(points, progress, |row, out| {
        if near.of(row).is_empty() || progress.is_cancelled() {
            return;
        }
        let (first, mut draws) = (out.len(), Draws::new(seed, 4, row, points));
        for _ in 0..count {
            let mut sample = [(0u32, f32::NEG_INFINITY); SAMPLE];
            let mut taken = 0;
            while taken < SAMPLE {
                let used = |at: u32| sample[..taken].iter().any(|entry| entry.0 == at) || out[first..].contains(&at);
                let Some(other) = draws.next(used) else { break };
                sample[taken] = (other, closeness(row, other as usize));
                taken += 1;
            }
            let sample = &mut sample[..taken];
            sample.sort_by(|a, b| b.1.total_cmp(&a.1));
            if let Some(second) = sample.get(1).or(sample.first()) {
                out.push(second.0);
            }
        }
    })
}

/// Points at random, as one point draws them.
struct Draws {
    seed: u64,
    stream: u64,
    number: u64,
    row: u32,
    points: u64,
}

impl Draws {
    fn new(seed: u64, kind: u64, row: usize, points: usize) -> Self {
        Self { seed, stream: (kind << 40) + row as u64, number: 0, row: row as u32, points: points as u64 }
    }

    /// Another point than itself that is not `used`; `None` where there is none.
    fn next(&mut self, used: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = 0;
        for _ in 0..DRAWS {
            at = (((mix(self.seed, self.stream, self.number) >> 32) * self.points) >> 32) as u32;
            self.number += 1;
            if at != self.row && !used(at) {
                return Some(at);
            }
        }
        // Nearly all are used: the next that is not.
        let points = self.points as u32;
        (0..points).map(|further| (at + further) % points).find(|&at| at != self.row && !used(at))
    }
}

/// What further pairs are made of.
struct Further<'a> {
    near: &'a Links,
    order: &'a [u32],
    seed: u64,
}

impl Further<'_> {
    /// How far on the others stand, the pairs among them that are none, and those instead.
    fn pairs(&self, counts: PairCounts, progress: &Progress) -> Result<(Vec<u32>, Links, Links), Cancelled> {
        let points = self.order.len();
        let mut shifts: Vec<u32> = Vec::new();
        let mut draws = Draws::new(self.seed, 5, 0, points);
        while shifts.len() < counts.further {
            // A shift is a point other than the first, and stands for the way to it.
            let Some(shift) = draws.next(|shift| shifts.contains(&shift)) else { break };
            shifts.push(shift);
        }
        let places = places(self.order);
        let partner = |row: usize, shift: u32| self.order[(places[row] as usize + shift as usize) % points];
        let dropped = Links::from_rows(points, progress, |row, out| {
            let near = self.near.of(row);
            out.extend(shifts.iter().map(|&shift| partner(row, shift)).filter(|other| near.contains(other)));
        })?;
        let added = Links::from_rows(points, progress, |row, out| {
            let (first, lost) = (out.len(), dropped.of(row).len());
            if lost == 0 {
                return;
            }
            let own: Vec<u32> = shifts.iter().map(|&shift| partner(row, shift)).collect();
            let mut draws = Draws::new(self.seed, 6, row, points);
            for _ in 0..lost {
                let used = |at: u32| own.contains(&at) || self.near.of(row).contains(&at) || out[first..].contains(&at);
                out.extend(draws.next(used));
            }
        })?;
        Ok((shifts, dropped, added))
    }
}
