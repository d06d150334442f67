//! New points on a map that stays as it is (Poličar, Stražar and Zupan 2023; openTSNE's `transform`).
//!
//! A new point starts at the median of its nearest old neighbours and is then moved by its own gradient against the old points alone:
//! new points do not see each other. Invariant: a point's place depends on the map and its own neighbours only.

use rayon::prelude::*;

use super::affinities::{gaussian, squared};
use super::descent::Motion;
use super::field::{Field, Frame};
use crate::progress::{Cancelled, Progress};
use crate::projection::ProjectionError;
use crate::search::NeighbourGraph;

/// Map units around the old points in which a new one can lie.
const SPARE: f32 = 8.0;
/// Momentum, and the longest gradient.
const MOMENTUM: f32 = 0.8;
const LONGEST: f32 = 0.25;
/// New points of one task.
const TASK: usize = 64;

/// How new points are placed. Defaults are openTSNE's.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct PlaceParams {
    /// About how many old neighbours a new point listens to. Default 5, usual 3 to 30; larger values put it further from the nearest.
    pub perplexity: f32,
    /// Nearest old neighbours whose median is the start. Default 25.
    pub neighbours: usize,
    /// Step size. Default 0.1; much larger values scatter the points.
    pub learning_rate: f32,
    /// Factor on attraction. Default 1.5; larger values keep new points closer to their neighbours.
    pub exaggeration: f32,
    /// Iterations. Default 250; 0 leaves the points at their start.
    pub iterations: usize,
}

impl Default for PlaceParams {
    fn default() -> Self {
        Self { perplexity: 5.0, neighbours: 25, learning_rate: 0.1, exaggeration: 1.5, iterations: 250 }
    }
}

/// What can keep new points from being placed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// The neighbours are not those of this map.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
    /// It was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Places new points on a map: row `i` of `neighbours` holds the old points nearest to new point `i` (at least three times the
/// perplexity and `params.neighbours` are usual). The old points stay.
///
/// Errors: a neighbour is not on the map; cancelled. A point without neighbours is put at the origin.
pub fn place(
    map: &[[f32; 2]],
    neighbours: &NeighbourGraph,
    params: &PlaceParams,
    progress: &Progress,
) -> Result<Vec<[f32; 2]>, PlaceError> {
    if let Some(&row) = neighbours.indices.iter().find(|&&row| row as usize >= map.len()) {
        return Err(ProjectionError::NoSuchRow { row, rows: map.len() }.into());
    }
    progress.stage("Placing new points", "items", neighbours.len() as u64);
    let usable = map.iter().flatten().all(|value| value.abs() < 1e6);
    let mut field = Field::default();
    if usable {
        field.compute(map, Frame::around(map, SPARE), progress)?;
    }
    let params = PlaceParams { iterations: if usable { params.iterations } else { 0 }, ..*params };
    let mut places = vec![[0.0f32; 2]; neighbours.len()];
    places.par_chunks_mut(TASK).enumerate().try_for_each(|(task, places)| {
        progress.check()?;
        for (offset, place) in places.iter_mut().enumerate() {
            *place = New::of(map, neighbours, task * TASK + offset, &params).settle(&field, &params);
        }
        progress.advance(places.len() as u64);
        Ok::<(), Cancelled>(())
    })?;
    Ok(places)
}

/// One new point: where it starts and what draws it.
struct New {
    start: [f32; 2],
    drawn: Vec<([f32; 2], f32)>,
}

impl New {
    fn of(map: &[[f32; 2]], neighbours: &NeighbourGraph, row: usize, params: &PlaceParams) -> Self {
        let others = neighbours.of(row);
        let perplexity = if params.perplexity.is_finite() { params.perplexity.max(1.0) } else { 5.0 };
        let wanted = ((3.0 * perplexity) as usize).clamp(1, others.len().max(1)).min(others.len());
        let perplexity = perplexity.min(wanted as f32 / 3.0).max(1.0);
        let mut weights: Vec<f32> =
            neighbours.scores_of(row)[..wanted].iter().map(|&score| squared(neighbours.metric, score)).collect();
        if !weights.is_empty() {
            gaussian(&mut weights, f64::from(perplexity));
        }
        let nearest = &others[..params.neighbours.max(1).min(others.len())];
        let median = |axis: usize| {
            let mut values: Vec<f32> = nearest.iter().map(|&other| map[other as usize][axis]).collect();
            values.sort_unstable_by(f32::total_cmp);
            let middle = values.len() / 2;
            match values.len() {
                0 => 0.0,
                odd if odd % 2 == 1 => values[middle],
                _ => 0.5 * (values[middle - 1] + values[middle]),
            }
        };
        let start = [median(0), median(1)].map(|value| if value.is_finite() { value } else { 0.0 });
        Self { start, drawn: others[..wanted].iter().map(|&other| map[other as usize]).zip(weights).collect() }
    }

    fn settle(&self, field: &Field, params: &PlaceParams) -> [f32; 2] {
        let mut motion = Motion { next: self.start, ..Motion::default() };
        for _ in 0..if self.drawn.is_empty() { 0 } else { params.iterations } {
            let at = motion.next;
            let felt = field.felt(at);
            let share = 1.0 / felt.potential.max(1e-6);
            let mut gradient = [-share * felt.push[0], -share * felt.push[1]];
            for &(other, weight) in &self.drawn {
                let (dx, dy) = (at[0] - other[0], at[1] - other[1]);
                let drawn = params.exaggeration * weight / (1.0 + dx * dx + dy * dy);
                gradient = [gradient[0] + drawn * dx, gradient[1] + drawn * dy];
            }
            let length = gradient[0].hypot(gradient[1]);
            if length > LONGEST {
                gradient = gradient.map(|value| value * LONGEST / length);
            }
            motion.turn(gradient, params.learning_rate, MOMENTUM);
            motion.next = [at[0] + motion.step[0], at[1] + motion.step[1]];
        }
        if motion.next.iter().all(|value| value.is_finite()) { motion.next } else { self.start }
    }
}
