//! Who is whose neighbour, and how surely: the fuzzy simplicial set of UMAP (`McInnes`, Healy and Melville 2018, section 3.1).
//!
//! Equal to umap-learn's `fuzzy_simplicial_set`. Invariant: rows are sorted by neighbour, hold no row itself, weights are above 0
//! and at most 1, and `weight(i, j) == weight(j, i)`.

use rayon::prelude::*;

use super::scale::{scale, weights};
use crate::progress::{Cancelled, Progress};
use crate::projection::ProjectionError;
use crate::search::NeighbourGraph;
use crate::vectors::Metric;

/// No scale is smaller than this share of the mean distance.
const LEAST_SCALE: f64 = 1e-3;
/// Rows of one task.
const TASK: usize = 512;
/// How far an unknown label is from any other.
const UNKNOWN: f32 = 1.0;

/// Some rows: where each ends, and all their edges.
type Rows = (Vec<usize>, Vec<(u32, f32)>);

/// Symmetric weights, one row of neighbours a point.
#[derive(Clone, Debug, PartialEq)]
pub struct FuzzySet {
    starts: Vec<usize>,
    columns: Vec<u32>,
    weights: Vec<f32>,
}

impl FuzzySet {
    /// From the nearest neighbours of each point: `n_neighbors - 1` of them, since a point counts as its own first neighbour.
    ///
    /// Distances come from the graph's scores: Euclidean ones as they are, 1 - score for cosine and dot product. Neighbours without
    /// a finite score do not count. Errors: the graph names a row that is not there.
    pub fn from_graph(graph: &NeighbourGraph, n_neighbors: usize) -> Result<Self, ProjectionError> {
        Self::from_graph_with(graph, n_neighbors, &Progress::new())
    }

    /// As [`FuzzySet::from_graph`]. Errors beyond those: cancelled.
    pub(super) fn from_graph_with(
        graph: &NeighbourGraph,
        n_neighbors: usize,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        let rows = graph.len();
        if let Some(&row) = graph.indices.iter().find(|&&row| row as usize >= rows) {
            return Err(ProjectionError::NoSuchRow { row, rows });
        }
        let k = graph.k.min(n_neighbors.max(2) - 1);
        let sums: Vec<f64> = (0..rows.div_ceil(TASK))
            .into_par_iter()
            .map(|task| (task * TASK..rows.min((task + 1) * TASK)).map(|row| total(graph, row, k)).sum())
            .collect();
        let mean = sums.iter().sum::<f64>() / (rows * (k + 1)).max(1) as f64;
        let mut strengths = vec![0.0f32; rows * k];
        strengths.par_chunks_mut((TASK * k).max(1)).enumerate().try_for_each(|(task, strengths)| {
            progress.check()?;
            for (offset, strengths) in strengths.chunks_exact_mut(k).enumerate() {
                memberships(graph, task * TASK + offset, mean, strengths);
            }
            Ok::<(), Cancelled>(())
        })?;
        Ok(Self::directed(graph, k, &strengths, progress)?.united(progress)?)
    }

    /// Points.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Neighbours of a point and how surely they are.
    pub fn row(&self, point: usize) -> (&[u32], &[f32]) {
        let range = self.starts[point]..self.starts[point + 1];
        (&self.columns[range.clone()], &self.weights[range])
    }

    /// Points without any edge.
    pub(super) fn without_edges(points: usize) -> Self {
        Self { starts: vec![0; points + 1], columns: Vec::new(), weights: Vec::new() }
    }

    /// The greatest weight; 0 where there are no edges.
    pub(super) fn greatest(&self) -> f32 {
        self.weights.iter().copied().fold(0.0, f32::max)
    }

    /// Weakens edges between different labels (umap-learn's categorical intersection) and makes every point sure of one neighbour
    /// again. `None` is an unknown label. `target_weight` from 0 to 1 says how much labels count. Errors: not one label a point.
    pub fn with_labels(&self, labels: &[Option<u32>], target_weight: f32) -> Result<Self, ProjectionError> {
        self.labelled(labels, target_weight, &Progress::new())
    }

    /// As [`FuzzySet::with_labels`]. Errors beyond those: cancelled.
    pub(super) fn labelled(
        &self,
        labels: &[Option<u32>],
        target_weight: f32,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        if labels.len() != self.len() {
            return Err(ProjectionError::LengthsDiffer { graph: self.len(), start: labels.len() });
        }
        let far = if target_weight < 1.0 { 2.5 / (1.0 - target_weight) } else { 1e12 };
        let mut weakened = self.clone();
        for (row, &own) in labels.iter().enumerate() {
            if row.is_multiple_of(TASK) {
                progress.check()?;
            }
            let range = self.starts[row]..self.starts[row + 1];
            let weights = &mut weakened.weights[range.clone()];
            for (weight, &column) in weights.iter_mut().zip(&self.columns[range]) {
                *weight *= match (own, labels[column as usize]) {
                    (Some(own), Some(other)) if own == other => 1.0,
                    (Some(_), Some(_)) => (-far).exp(),
                    _ => (-UNKNOWN).exp(),
                };
            }
            let greatest = weights.iter().copied().fold(0.0, f32::max);
            if greatest > 0.0 {
                weights.iter_mut().for_each(|weight| *weight /= greatest);
            }
        }
        Ok(weakened.united(progress)?)
    }

    /// Rows sorted by neighbour, as the graph has them.
    fn directed(graph: &NeighbourGraph, k: usize, strengths: &[f32], progress: &Progress) -> Result<Self, Cancelled> {
        Self::from_rows(graph.len(), progress, |row, out| {
            let first = out.len();
            let neighbours = graph.of(row)[..k].iter().copied().zip(strengths[row * k..].iter().copied());
            out.extend(neighbours.filter(|&(column, strength)| column as usize != row && strength > 0.0));
            out[first..].sort_unstable_by_key(|&(column, _)| column);
        })
    }

    /// `t + t' - t t'`, where t' is the weight of the way back.
    fn united(&self, progress: &Progress) -> Result<Self, Cancelled> {
        let back = self.transposed(progress)?;
        Self::from_rows(self.len(), progress, |row, out| {
            let ((own, own_weights), (other, other_weights)) = (self.row(row), back.row(row));
            let (mut at, mut to) = (0, 0);
            while at < own.len() || to < other.len() {
                let (left, right) =
                    (own.get(at).copied().unwrap_or(u32::MAX), other.get(to).copied().unwrap_or(u32::MAX));
                let t = if left <= right { own_weights[at] } else { 0.0 };
                let b = if right <= left { other_weights[to] } else { 0.0 };
                at += usize::from(left <= right);
                to += usize::from(right <= left);
                let weight = (t + b - t * b).min(1.0);
                if weight > 0.0 {
                    out.push((left.min(right), weight));
                }
            }
        })
    }

    /// The same edges the other way round, still sorted.
    fn transposed(&self, progress: &Progress) -> Result<Self, Cancelled> {
        let points = self.len();
        let mut starts = vec![0usize; points + 1];
        self.columns.iter().for_each(|&column| starts[column as usize + 1] += 1);
        (0..points).for_each(|point| starts[point + 1] += starts[point]);
        progress.check()?;
        let mut next = starts.clone();
        let (mut columns, mut weights) = (vec![0u32; self.columns.len()], vec![0.0f32; self.columns.len()]);
        for row in 0..points {
            if row.is_multiple_of(TASK) {
                progress.check()?;
            }
            let (own, own_weights) = self.row(row);
            for (&column, &weight) in own.iter().zip(own_weights) {
                let at = &mut next[column as usize];
                (columns[*at], weights[*at]) = (row as u32, weight);
                *at += 1;
            }
        }
        Ok(Self { starts, columns, weights })
    }

    /// Gathers rows that `fill` appends, in parallel.
    fn from_rows(
        points: usize,
        progress: &Progress,
        fill: impl Fn(usize, &mut Vec<(u32, f32)>) + Sync,
    ) -> Result<Self, Cancelled> {
        let parts: Vec<Rows> = (0..points.div_ceil(TASK))
            .into_par_iter()
            .map(|task| {
                progress.check()?;
                let (mut ends, mut all) = (Vec::with_capacity(TASK), Vec::with_capacity(24 * TASK));
                for row in task * TASK..points.min((task + 1) * TASK) {
                    fill(row, &mut all);
                    ends.push(all.len());
                }
                Ok((ends, all))
            })
            .collect::<Result<_, Cancelled>>()?;
        let total = parts.iter().map(|part| part.1.len()).sum();
        let mut made = Self {
            starts: Vec::with_capacity(points + 1),
            columns: Vec::with_capacity(total),
            weights: Vec::with_capacity(total),
        };
        made.starts.push(0);
        for (ends, all) in parts {
            progress.check()?;
            let first = made.columns.len();
            made.starts.extend(ends.iter().map(|end| first + end));
            made.columns.extend(all.iter().map(|edge| edge.0));
            made.weights.extend(all.iter().map(|edge| edge.1));
        }
        Ok(made)
    }
}

/// Distance from a score; infinite where there is none.
pub(super) fn distance(metric: Metric, score: f32) -> f32 {
    let distance = match metric {
        Metric::Euclidean => -score,
        Metric::Cosine | Metric::Dot => 1.0 - score,
    };
    if distance.is_nan() { f32::INFINITY } else { distance.max(0.0) }
}

/// Sum of a row's finite distances.
fn total(graph: &NeighbourGraph, row: usize, k: usize) -> f64 {
    let distances = graph.scores_of(row)[..k].iter().map(|&score| distance(graph.metric, score));
    distances.filter(|d| d.is_finite()).map(f64::from).sum()
}

/// How surely each of a row's neighbours is one.
fn memberships(graph: &NeighbourGraph, row: usize, mean: f64, strengths: &mut [f32]) {
    for (strength, &score) in strengths.iter_mut().zip(graph.scores_of(row)) {
        *strength = distance(graph.metric, score);
    }
    let own_mean = total(graph, row, strengths.len()) / (strengths.len() + 1) as f64;
    let nearest = strengths.iter().copied().filter(|d| *d > 0.0).fold(f32::INFINITY, f32::min);
    let (beyond, mean) = if nearest.is_finite() { (nearest, own_mean) } else { (0.0, mean) };
    settle(strengths, 0, beyond, ((strengths.len() + 1) as f64).log2(), mean);
}

/// Turns distances into memberships that sum to `target`, the first `skipped` not counted, beyond the distance `beyond`.
pub(super) fn settle(distances: &mut [f32], skipped: usize, beyond: f32, target: f64, mean: f64) {
    distances.iter_mut().for_each(|d| *d -= beyond);
    let scale = scale(&distances[skipped.min(distances.len())..], target).max(LEAST_SCALE * mean);
    weights(distances, scale);
}
