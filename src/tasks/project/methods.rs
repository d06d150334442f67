//! Each method as an optimiser that the one loop can run, and three dimensions seen from one side.

use std::sync::Arc;
use std::time::Instant;

use super::optimise::{Made, Optimiser, optimise};
use super::{LiveSlot, ProjectRequest};
use crate::progress::Progress;
use crate::projection::{Pca, ProjectionError, Tsne, TsneParams, Umap, UmapParams, neighbours_needed};
use crate::search::NeighbourGraph;
use crate::tasks::TaskError;
use crate::vectors::Vectors;
use crate::workspace::ProjectionParams;

/// Lays out by our own t-SNE.
pub(super) fn tsne(
    request: &ProjectRequest,
    start: &[[f32; 2]],
    live: &LiveSlot,
    progress: &Progress,
) -> Result<Made, TaskError> {
    let params = request.params.tsne;
    let (graph, seconds) = found(request, neighbours_needed(params.perplexity, request.vectors.len()), progress)?;
    progress.stage("Laying out with t-SNE", "iterations", params.iterations as u64);
    let started = Instant::now();
    let mut running = TsneRun { state: Tsne::new(&graph, start, &params)?, params };
    let preparing = started.elapsed().as_secs_f64();
    let mut made = optimise(&mut running, request, live, progress)?;
    made.seconds = [seconds, made.seconds[1] + preparing];
    made.weighing = preparing;
    Ok(made)
}

/// Lays out by UMAP, in two or three dimensions.
pub(super) fn umap(
    request: &ProjectRequest,
    (pca, start): (&Pca, &[[f32; 2]]),
    live: &LiveSlot,
    progress: &Progress,
) -> Result<Made, TaskError> {
    let params = request.params.umap;
    let (graph, seconds) = found(request, params.neighbours_needed(), progress)?;
    progress.stage("Laying out with UMAP", "epochs", params.epochs_for(request.vectors.len()) as u64);
    let started = Instant::now();
    let labels: Option<Vec<Option<u32>>> =
        request.labels.as_ref().map(|all| all.iter().map(|&label| u32::try_from(label).ok()).collect());
    let labels = labels.as_deref();
    let mut running: Box<dyn Optimiser> = if request.params.dimensions == 3 {
        let start = space_of(pca, &request.vectors)?;
        Box::new(UmapRun { state: Umap::<3>::new(&graph, &start, &params, labels)?, params })
    } else {
        Box::new(UmapRun { state: Umap::<2>::new(&graph, start, &params, labels)?, params })
    };
    let preparing = started.elapsed().as_secs_f64();
    let mut made = optimise(running.as_mut(), request, live, progress)?;
    made.seconds = [seconds, made.seconds[1] + preparing];
    made.weighing = preparing;
    Ok(made)
}

/// The shared neighbours, and the seconds they took.
fn found(request: &ProjectRequest, k: usize, progress: &Progress) -> Result<(Arc<NeighbourGraph>, f64), TaskError> {
    let started = Instant::now();
    let graph = request.neighbours(k, progress)?;
    Ok((graph, started.elapsed().as_secs_f64()))
}

/// The first three principal coordinates of every row; 0 where there are fewer.
pub(super) fn space_of(pca: &Pca, vectors: &Vectors) -> Result<Vec<[f32; 3]>, ProjectionError> {
    let coordinates = pca.transform(vectors)?;
    let axis = |row: &[f32], axis: usize| row.get(axis).copied().unwrap_or(0.0);
    Ok(coordinates.rows().map(|row| [axis(row, 0), axis(row, 1), axis(row, 2)]).collect())
}

/// Points of space as they are seen from one side: turned about the vertical axis, then tilted about the horizontal one, in radians, around
/// their middle. No perspective: distances across the line of sight keep their lengths.
pub fn seen_from(space: &[[f32; 3]], turned: [f32; 2]) -> Vec<[f32; 2]> {
    let sound = |point: &&[f32; 3]| point.iter().all(|value| value.is_finite());
    let count = space.iter().filter(sound).count().max(1) as f32;
    let middle = space
        .iter()
        .filter(sound)
        .fold([0.0f32; 3], |sum, point| [0, 1, 2].map(|axis| sum[axis] + point[axis] / count));
    let ((turn_sin, turn_cos), (tilt_sin, tilt_cos)) = (turned[0].sin_cos(), turned[1].sin_cos());
    let seen = |point: &[f32; 3]| {
        let [x, y, z] = [0, 1, 2].map(|axis| point[axis] - middle[axis]);
        let (across, depth) = (x * turn_cos + z * turn_sin, z * turn_cos - x * turn_sin);
        [across + middle[0], y * tilt_cos - depth * tilt_sin + middle[1]]
    };
    space.iter().map(seen).collect()
}

struct TsneRun {
    state: Tsne,
    params: TsneParams,
}

impl Optimiser for TsneRun {
    fn done(&self) -> usize {
        self.state.iteration()
    }

    fn total(&self) -> usize {
        self.params.iterations
    }

    fn run_to(&mut self, step: usize) {
        self.state.run_to(step);
    }

    fn plane(&self) -> Vec<[f32; 2]> {
        self.state.points().to_vec()
    }

    fn divergence(&mut self) -> Option<f32> {
        Some(self.state.kl())
    }

    fn steer(&mut self, params: &ProjectionParams) {
        let asked = params.tsne;
        self.state.set_learning_rate(asked.learning_rate);
        self.state.set_exaggeration(asked.early_exaggeration, asked.exaggeration_iterations);
        self.state.set_theta(asked.theta);
        self.params.iterations = asked.iterations;
    }
}

struct UmapRun<const D: usize> {
    state: Umap<D>,
    params: UmapParams,
}

impl<const D: usize> Optimiser for UmapRun<D> {
    fn done(&self) -> usize {
        self.state.epoch()
    }

    fn total(&self) -> usize {
        self.state.epochs()
    }

    fn run_to(&mut self, step: usize) {
        self.state.run_to(step);
    }

    fn plane(&self) -> Vec<[f32; 2]> {
        self.state.points().iter().map(|point| [point[0], point.get(1).copied().unwrap_or(0.0)]).collect()
    }

    fn space(&self) -> Option<Vec<[f32; 3]>> {
        let third = |point: &[f32; D]| point.get(2).copied();
        self.state.points().iter().map(|point| Some([point[0], point[1], third(point)?])).collect()
    }

    fn steer(&mut self, params: &ProjectionParams) {
        let asked = params.umap;
        if (asked.min_dist, asked.spread) != (self.params.min_dist, self.params.spread) {
            self.state.set_min_dist(asked.min_dist, asked.spread);
        }
        self.state.set_learning_rate(asked.learning_rate);
        self.state.set_repulsion(asked.negative_sample_rate, asked.repulsion_strength);
        self.params = asked;
    }
}
