//! A `PaCMAP` under way as a few numbers, to be written down and taken up again.
//!
//! Holds what graph and vectors do not: where the points stand, how they move and how far it came. Invariant: taken up with the graph
//! and vectors it was made from, it goes on to the same bytes as if it had never been put away.

use super::{Pacmap, PacmapPairs, PacmapParams};
use crate::progress::Progress;
use crate::projection::ProjectionError;
use crate::search::NeighbourGraph;
use crate::vectors::Vectors;

/// What is needed, besides graph and vectors, to go on.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PacmapSnapshot {
    /// Parameters as they were last changed.
    pub params: PacmapParams,
    /// Iterations done.
    pub iteration: usize,
    /// Of each point in the order of the vectors: its coordinates, the mean gradient and the mean square of the gradient by axis.
    pub values: Vec<f32>,
}

impl<const D: usize> Pacmap<D> {
    /// Where it stands.
    pub fn snapshot(&self) -> PacmapSnapshot {
        let mut values = vec![0.0; 3 * D * self.points.len()];
        for (place, &point) in self.order.iter().enumerate() {
            let (group, lane) = (&self.groups[place / super::GROUP], place % super::GROUP);
            let own = &mut values[3 * D * point as usize..][..3 * D];
            for (out, lanes) in own.iter_mut().zip(group.at.iter().chain(&group.mean).chain(&group.square)) {
                *out = lanes[lane];
            }
        }
        PacmapSnapshot { params: self.params, iteration: self.iteration, values }
    }

    /// Takes up a snapshot with the graph and vectors it was made from. Errors: those of [`Pacmap::new`]; a snapshot of another number
    /// of points. A value that is not a number counts as 0.
    pub fn resume(
        graph: &NeighbourGraph,
        vectors: &Vectors,
        snapshot: &PacmapSnapshot,
    ) -> Result<Self, ProjectionError> {
        Self::resumed(graph, vectors, snapshot, &Progress::new())
    }

    /// As [`Pacmap::resume`], which takes some seconds for a million points. Errors beyond those: cancelled.
    pub fn resumed(
        graph: &NeighbourGraph,
        vectors: &Vectors,
        snapshot: &PacmapSnapshot,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        if snapshot.values.len() != 3 * D * vectors.len() {
            return Err(ProjectionError::Snapshot("it is of another number of points".to_owned()));
        }
        let pairs = PacmapPairs::new(graph, vectors, &snapshot.params, progress)?;
        let sound = |value: f32| if value.is_finite() { value } else { 0.0 };
        let own = |point: usize, at: usize| sound(snapshot.values[3 * D * point + at]);
        let points: Vec<[f32; D]> =
            (0..vectors.len()).map(|point| std::array::from_fn(|axis| own(point, axis))).collect();
        let mut made = Self::prepared_at(&pairs, points, &snapshot.params, progress)?;
        for (place, &point) in made.order.iter().enumerate() {
            let (group, lane) = (&mut made.groups[place / super::GROUP], place % super::GROUP);
            for axis in 0..D {
                group.mean[axis][lane] = own(point as usize, D + axis);
                group.square[axis][lane] = own(point as usize, 2 * D + axis).max(0.0);
            }
        }
        made.iteration = snapshot.iteration.min(made.params.iterations);
        Ok(made)
    }
}
