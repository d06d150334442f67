//! New points on a map that is done: each begins among its neighbours there and is drawn and pushed by the old points alone.
//!
//! As umap-learn's `transform`: distances are not counted from the nearest neighbour, a third of the epochs, a quarter of the
//! learning rate. Invariant: old points do not move and new points do not see each other.

use rayon::prelude::*;

use super::fuzzy::{distance, settle};
use super::lanes::{Edges, GROUP, Lanes, Step, advance};
use super::random::mix;
use super::{Umap, WHOLE_WAY};
use crate::projection::ProjectionError;
use crate::search::NeighbourGraph;

/// Epochs for few new points and for many, where the parameters name no number.
const EPOCHS: [usize; 2] = [100, 30];
/// More new points than this are many.
const MANY: usize = 10_000;

impl<const D: usize> Umap<D> {
    /// Places new vectors by their neighbours among the old: a row of positions in the map and scores for each new vector, of which
    /// [`super::UmapParams::n_neighbors`] are used. A row without a finite score comes to the middle of the map. Errors: a row names a point
    /// that is not on the map.
    pub fn transform(&self, neighbours: &NeighbourGraph) -> Result<Vec<[f32; D]>, ProjectionError> {
        let rows = self.points.len();
        if let Some(&row) = neighbours.indices.iter().find(|&&row| row as usize >= rows) {
            return Err(ProjectionError::NoSuchRow { row, rows });
        }
        let k = neighbours.k.min(self.params.n_neighbors);
        let epochs = match self.params.epochs {
            Some(epochs) => epochs / 3,
            None => EPOCHS[usize::from(neighbours.len() > MANY)],
        };
        let strengths = strengths(neighbours, k);
        let mut points = self.begin(neighbours, k, &strengths);
        let mut places = vec![0u32; rows];
        (0u32..).zip(&self.schedule.order).for_each(|(place, &point)| places[point as usize] = place);
        let greatest = strengths.iter().copied().fold(0.0, f32::max);
        let least = greatest / epochs.max(1) as f32;
        points.par_chunks_mut(GROUP).enumerate().for_each(|(group, points)| {
            let (mut starts, mut tails, mut paces) = (vec![0], Vec::new(), Vec::new());
            for row in group * GROUP..group * GROUP + points.len() {
                for (&old, &strength) in neighbours.of(row)[..k].iter().zip(&strengths[row * k..]) {
                    if strength > 0.0 && strength >= least {
                        tails.push(places[old as usize]);
                        paces.push((f64::from(strength / greatest) * f64::from(u32::MAX)) as u32);
                    }
                }
                starts.push(tails.len());
            }
            let stream = group as u64;
            let edges = Edges { starts: &starts, tails: &tails, paces: &paces, base: usize::MAX, stream };
            self.settle(points, edges, epochs);
        });
        Ok(points)
    }

    /// The weighted mean of the neighbours' places.
    fn begin(&self, neighbours: &NeighbourGraph, k: usize, strengths: &[f32]) -> Vec<[f32; D]> {
        let middle: [f32; D] = std::array::from_fn(|axis| {
            let sum: f64 = self.points.iter().map(|point| f64::from(point[axis])).sum();
            (sum / self.points.len().max(1) as f64) as f32
        });
        (0..neighbours.len())
            .into_par_iter()
            .map(|row| {
                let strengths = &strengths[row * k..(row + 1) * k];
                let total: f32 = strengths.iter().sum();
                let mut place = [0.0f32; D];
                for (&old, &strength) in neighbours.of(row)[..k].iter().zip(strengths) {
                    (0..D).for_each(|axis| place[axis] += strength / total * self.points[old as usize][axis]);
                }
                if total > 0.0 { place } else { middle }
            })
            .collect()
    }

    /// Runs all epochs of up to sixteen new points.
    fn settle(&self, points: &mut [[f32; D]], edges: Edges<'_>, epochs: usize) {
        let mut own: [Lanes; D] =
            std::array::from_fn(|axis| std::array::from_fn(|lane| points.get(lane).map_or(0.0, |at| at[axis])));
        let mut due = Vec::new();
        for epoch in 0..epochs {
            let left = 1.0 - epoch as f32 / epochs as f32;
            let rate = 0.25 * self.params.learning_rate * left;
            let step = Step {
                rate,
                reach: WHOLE_WAY / rate,
                epoch: epoch as u32 + 1,
                seed: mix(self.params.seed, 3 << 40, epoch as u64),
                ..self.step()
            };
            advance(&self.field, edges, &step, &mut own, &mut due);
        }
        for (lane, point) in points.iter_mut().enumerate() {
            *point = std::array::from_fn(|axis| own[axis][lane]);
        }
    }
}

/// How surely each old point is a neighbour of each new one.
fn strengths(neighbours: &NeighbourGraph, k: usize) -> Vec<f32> {
    let mut all = vec![0.0f32; neighbours.len() * k];
    for (row, own) in all.chunks_exact_mut(k.max(1)).enumerate() {
        for (out, &score) in own.iter_mut().zip(neighbours.scores_of(row)) {
            *out = distance(neighbours.metric, score);
        }
    }
    let finite = all.iter().filter(|d| d.is_finite()).map(|&d| f64::from(d));
    let mean = finite.sum::<f64>() / all.len().max(1) as f64;
    // The nearest is not counted, as it would be the point itself in an old row.
    all.par_chunks_mut(k.max(1)).for_each(|own| settle(own, 1, 0.0, (k as f64).log2(), mean));
    all
}
