//! A t-SNE's state on disk: all that is needed to go on as if it had never stopped, but the neighbours.
//!
//! A line of JSON (what kind of file, how many points, the iteration, the parameters), then the arrays as little-endian numbers.
//! Invariant: what is read gives the same bytes from then on as what was written, with the same neighbours.

use super::descent::Motion;
use super::{Affinities, Tsne};
use crate::progress::Progress;
use crate::projection::{ProjectionError, TsneParams};
use crate::search::NeighbourGraph;

/// Marks the file and its version.
const KIND: &str = "embedlens t-sne 1";

/// A saved state.
#[derive(Clone, Debug, PartialEq)]
pub struct TsneSnapshot {
    head: Head,
    order: Vec<u32>,
    /// By place: where the point is, its last step, its gains.
    moving: Vec<[[f32; 2]; 3]>,
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Head {
    kind: String,
    points: usize,
    iteration: usize,
    params: TsneParams,
}

impl TsneSnapshot {
    /// Iterations done.
    pub fn iteration(&self) -> usize {
        self.head.iteration
    }

    /// The parameters in force, changes during the run included.
    pub fn params(&self) -> &TsneParams {
        &self.head.params
    }

    /// The map, in the order of the vectors.
    pub fn points(&self) -> Vec<[f32; 2]> {
        let mut points = vec![[0.0; 2]; self.order.len()];
        for (&point, moving) in self.order.iter().zip(&self.moving) {
            points[point as usize] = moving[0];
        }
        points
    }

    /// As bytes, 28 for each point and a line.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ProjectionError> {
        let mut bytes = serde_json::to_vec(&self.head).map_err(|error| broken(&error.to_string()))?;
        bytes.push(b'\n');
        self.order.iter().for_each(|point| bytes.extend(point.to_le_bytes()));
        let values = self.moving.as_flattened().as_flattened();
        values.iter().for_each(|value| bytes.extend(value.to_le_bytes()));
        Ok(bytes)
    }

    /// From bytes. Errors: they are not a whole snapshot, or one that no run can have left.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProjectionError> {
        let line = bytes.iter().position(|&byte| byte == b'\n').ok_or_else(|| broken("it has no head"))?;
        let head: Head = serde_json::from_slice(&bytes[..line]).map_err(|error| broken(&error.to_string()))?;
        if head.kind != KIND {
            return Err(broken("it is of another kind or version"));
        }
        let (words, rest) = bytes[line + 1..].as_chunks::<4>();
        if head.points.checked_mul(7) != Some(words.len()) || !rest.is_empty() {
            return Err(broken("it is not whole"));
        }
        let (order, values) = words.split_at(head.points);
        let order: Vec<u32> = order.iter().map(|&word| u32::from_le_bytes(word)).collect();
        let mut seen = vec![false; order.len()];
        for &point in &order {
            match seen.get_mut(point as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(broken("its points are not each there once")),
            }
        }
        let values: Vec<f32> = values.iter().map(|&word| f32::from_le_bytes(word)).collect();
        if !values.iter().all(|value| value.is_finite()) {
            return Err(broken("it holds values that are no numbers"));
        }
        let moving = values.as_chunks::<6>().0.iter().map(|v| [[v[0], v[1]], [v[2], v[3]], [v[4], v[5]]]).collect();
        Ok(Self { head, order, moving })
    }
}

fn broken(reason: &str) -> ProjectionError {
    ProjectionError::Snapshot(reason.to_owned())
}

impl Tsne {
    /// The state as it is now.
    pub fn snapshot(&self) -> TsneSnapshot {
        let head =
            Head { kind: KIND.to_owned(), points: self.points.len(), iteration: self.iteration, params: self.params };
        let moving = self.placed.iter().zip(&self.moving).map(|(&at, motion)| [at, motion.step, motion.gain]).collect();
        TsneSnapshot { head, order: self.order.clone(), moving }
    }

    /// Goes on from a snapshot with the neighbours that the run was begun with. Errors: as for [`Tsne::new`].
    pub fn resume(graph: &NeighbourGraph, snapshot: &TsneSnapshot) -> Result<Self, ProjectionError> {
        Self::resumed(graph, snapshot, &Progress::new())
    }

    /// As [`Tsne::resume`], which takes some seconds for a million points. Errors beyond those: cancelled.
    pub fn resumed(
        graph: &NeighbourGraph,
        snapshot: &TsneSnapshot,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        let points = snapshot.points();
        let affinities = if graph.is_empty() {
            Affinities::from_dense(&vec![0.0; points.len()], points.len(), 1.0)
        } else {
            Affinities::of_with(graph, &snapshot.head.params, progress)?
        };
        let mut tsne = Self::begin(affinities, points, &snapshot.head.params, progress)?;
        tsne.iteration = snapshot.head.iteration;
        tsne.order.clone_from(&snapshot.order);
        tsne.placed = snapshot.moving.iter().map(|moving| moving[0]).collect();
        tsne.moving = snapshot.moving.iter().map(|&[next, step, gain]| Motion { next, step, gain }).collect();
        tsne.edges.arrange(&tsne.affinities, &tsne.order, progress);
        progress.check()?;
        Ok(tsne)
    }
}
