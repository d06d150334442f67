//! A UMAP under way as a few numbers, to be written down and taken up again.
//!
//! Holds what the graph does not: where the points stand and how far it came. Invariant: taken up with the graph and labels it was
//! made from, it goes on to the same bytes as if it had never been put away.

use super::{Umap, UmapParams, set};
use crate::progress::Progress;
use crate::projection::ProjectionError;
use crate::search::NeighbourGraph;

/// What is needed, besides graph and labels, to go on.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct UmapSnapshot {
    /// Parameters as they were last changed.
    pub params: UmapParams,
    /// Epochs done.
    pub epoch: usize,
    /// Coordinates, all of one point together, in the order of the vectors.
    pub coordinates: Vec<f32>,
}

impl<const D: usize> Umap<D> {
    /// Where it stands.
    pub fn snapshot(&self) -> UmapSnapshot {
        let coordinates = self.points.iter().flatten().copied().collect();
        UmapSnapshot { params: self.params, epoch: self.epoch, coordinates }
    }

    /// Takes up a snapshot with the graph and labels it was made from. Errors: those of [`Umap::new`]; a coordinate that is not a
    /// number counts as 0.
    pub fn resume(
        graph: &NeighbourGraph,
        snapshot: &UmapSnapshot,
        labels: Option<&[Option<u32>]>,
    ) -> Result<Self, ProjectionError> {
        Self::resumed(graph, snapshot, labels, &Progress::new())
    }

    /// As [`Umap::resume`], which takes some seconds for a million points. Errors beyond those: cancelled.
    pub fn resumed(
        graph: &NeighbourGraph,
        snapshot: &UmapSnapshot,
        labels: Option<&[Option<u32>]>,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        let (points, _) = snapshot.coordinates.as_chunks::<D>();
        let points: Vec<[f32; D]> =
            points.iter().map(|point| point.map(|value| if value.is_finite() { value } else { 0.0 })).collect();
        let params = snapshot.params.sane();
        let set = set(graph, points.len(), &params, labels, progress)?;
        let mut umap = Self::at(&set, points, &params, progress)?;
        umap.epoch = snapshot.epoch.min(umap.epochs);
        Ok(umap)
    }
}
