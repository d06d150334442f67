//! Each method as an optimiser that the one loop can run.

use std::sync::Arc;
use std::time::Instant;

use super::keeper::{Keeper, umap_bytes, umap_snapshot};
use super::optimise::{Made, Optimiser, optimise};
use super::{LiveSlot, ProjectRequest};
use crate::progress::{Cancelled, Progress};
use crate::projection::{Pca, ProjectionError, Tsne, TsneParams, TsneSnapshot, Umap, UmapParams};
use crate::search::NeighbourGraph;
use crate::tasks::{Environment, TaskError};
use crate::vectors::Vectors;
use crate::workspace::{GraphFacts, ProjectionParams};

/// Lays out by our own t-SNE.
pub(super) fn tsne(
    request: &ProjectRequest,
    start: &[[f32; 2]],
    live: &LiveSlot,
    (env, progress): (&Environment, &Progress),
) -> Result<Made, TaskError> {
    let params = request.params.tsne;
    let needed = params.neighbours_needed(request.vectors.len());
    let (graph, seconds) = found(request, needed, (env, progress))?;
    progress.stage("Laying out with t-SNE", "iterations", params.iterations as u64);
    let started = Instant::now();
    let mut keeper = Keeper::new(request, (&graph, needed), env);
    let (state, continued) = tsne_state(request, start, &graph, (&mut keeper, progress))?;
    let mut running = TsneRun { state, params };
    let preparing = started.elapsed().as_secs_f64();
    let mut made = optimise(&mut running, request, keeper, live, progress)?;
    made.notes.extend(continued.map(|iteration| format!("t-SNE continued from iteration {iteration}")));
    made.seconds = [seconds, made.seconds[1] + preparing];
    made.weighing = preparing;
    made.graph = Some(GraphFacts::of(&graph));
    Ok(made)
}

/// A t-SNE where it was stopped, and the iteration; or at its start.
fn tsne_state(
    request: &ProjectRequest,
    start: &[[f32; 2]],
    graph: &NeighbourGraph,
    (keeper, progress): (&mut Keeper, &Progress),
) -> Result<(Tsne, Option<usize>), ProjectionError> {
    let params = &request.params.tsne;
    let kept = keeper.take_up(|bytes| Tsne::resumed(graph, &TsneSnapshot::from_bytes(bytes)?, progress));
    match kept {
        Some(state) => {
            let iteration = state.iteration();
            Ok((state, Some(iteration)))
        }
        None => Ok((Tsne::prepared(graph, start, params, progress)?, None)),
    }
}

/// Lays out by UMAP, in two or three dimensions.
pub(super) fn umap(
    request: &ProjectRequest,
    (pca, start): (&Pca, &[[f32; 2]]),
    live: &LiveSlot,
    (env, progress): (&Environment, &Progress),
) -> Result<Made, TaskError> {
    let params = request.params.umap;
    let needed = params.neighbours_needed();
    let (graph, seconds) = found(request, needed, (env, progress))?;
    progress.stage("Laying out with UMAP", "epochs", params.epochs_for(request.vectors.len()) as u64);
    let started = Instant::now();
    let mut keeper = Keeper::new(request, (&graph, needed), env);
    let (mut running, continued): (Box<dyn Optimiser>, _) = if request.params.dimensions == 3 {
        let start = space_of(pca, &request.vectors)?;
        let (state, continued) = umap_state::<3>(request, &start, &graph, &mut keeper, progress)?;
        (Box::new(UmapRun { state, params }), continued)
    } else {
        let (state, continued) = umap_state::<2>(request, start, &graph, &mut keeper, progress)?;
        (Box::new(UmapRun { state, params }), continued)
    };
    let preparing = started.elapsed().as_secs_f64();
    let mut made = optimise(running.as_mut(), request, keeper, live, progress)?;
    made.notes.extend(continued.map(|epoch| format!("UMAP continued from epoch {epoch}")));
    made.seconds = [seconds, made.seconds[1] + preparing];
    made.weighing = preparing;
    made.graph = Some(GraphFacts::of(&graph));
    Ok(made)
}

/// A UMAP where it was stopped, and the epoch; or at its start.
fn umap_state<const D: usize>(
    request: &ProjectRequest,
    start: &[[f32; D]],
    graph: &NeighbourGraph,
    keeper: &mut Keeper,
    progress: &Progress,
) -> Result<(Umap<D>, Option<usize>), ProjectionError> {
    let labels: Option<Vec<Option<u32>>> =
        request.labels.as_ref().map(|all| all.iter().map(|&label| u32::try_from(label).ok()).collect());
    let labels = labels.as_deref();
    let kept = keeper.take_up(|bytes| {
        let snapshot = umap_snapshot(bytes)?;
        if snapshot.coordinates.len() != D * request.vectors.len() {
            return Err(ProjectionError::Snapshot("it is of another number of points".to_owned()));
        }
        Umap::<D>::resumed(graph, &snapshot, labels, progress)
    });
    match kept {
        Some(state) => {
            let epoch = state.epoch();
            Ok((state, Some(epoch)))
        }
        None => Ok((Umap::prepared(graph, start, &request.params.umap, labels, progress)?, None)),
    }
}

/// The shared neighbours, and the seconds they took.
pub(super) fn found(
    request: &ProjectRequest,
    k: usize,
    (env, progress): (&Environment, &Progress),
) -> Result<(Arc<NeighbourGraph>, f64), TaskError> {
    let started = Instant::now();
    let graph = request.neighbours(k, env, progress)?;
    Ok((graph, started.elapsed().as_secs_f64()))
}

/// The first three principal coordinates of every row; 0 where there are fewer.
pub(in crate::tasks) fn space_of(pca: &Pca, vectors: &Vectors) -> Result<Vec<[f32; 3]>, ProjectionError> {
    let coordinates = pca.transform(vectors)?;
    let axis = |row: &[f32], axis: usize| row.get(axis).copied().unwrap_or(0.0);
    Ok(coordinates.rows().map(|row| [axis(row, 0), axis(row, 1), axis(row, 2)]).collect())
}

/// The first two coordinates of points.
pub(super) fn first_two<const D: usize>(points: &[[f32; D]]) -> Vec<[f32; 2]> {
    points.iter().map(|point| [point[0], point.get(1).copied().unwrap_or(0.0)]).collect()
}

/// Points of three coordinates; `None` where they have fewer.
pub(super) fn in_space<const D: usize>(points: &[[f32; D]]) -> Option<Vec<[f32; 3]>> {
    points.iter().map(|point| Some([point[0], *point.get(1)?, *point.get(2)?])).collect()
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

    fn run_to(&mut self, step: usize, progress: &Progress) -> Result<(), Cancelled> {
        self.state.run_until(step, progress)
    }

    fn plane(&self) -> Vec<[f32; 2]> {
        self.state.points().to_vec()
    }

    fn divergence(&mut self, progress: &Progress) -> Result<Option<f32>, Cancelled> {
        self.state.kl_with(progress).map(Some)
    }

    fn state(&self) -> Option<Vec<u8>> {
        self.state.snapshot().to_bytes().ok()
    }

    fn steer(&mut self, params: &ProjectionParams) {
        let asked = params.tsne;
        self.state.set_learning_rate(asked.learning_rate);
        self.state.set_exaggeration(asked.early_exaggeration, asked.exaggeration_iterations);
        self.state.set_theta(asked.theta);
        self.state.set_repulsion(asked.repulsion);
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

    fn run_to(&mut self, step: usize, progress: &Progress) -> Result<(), Cancelled> {
        self.state.run_until(step, progress)
    }

    fn plane(&self) -> Vec<[f32; 2]> {
        first_two(self.state.points())
    }

    fn space(&self) -> Option<Vec<[f32; 3]>> {
        in_space(self.state.points())
    }

    fn state(&self) -> Option<Vec<u8>> {
        umap_bytes(&self.state.snapshot())
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

/// Runs a layout to its middle and keeps its state, as a kill would leave it.
#[cfg(test)]
pub(super) fn stop_in_the_middle(request: &ProjectRequest, env: &Environment) {
    let progress = Progress::new();
    let pca = Pca::fit(&request.vectors, 2).unwrap();
    let start = pca.plane(&request.vectors).unwrap();
    let needed = match request.params.method {
        crate::projection::Method::Tsne => request.params.tsne.neighbours_needed(request.vectors.len()),
        crate::projection::Method::Pacmap => request.params.pacmap.neighbours_needed(request.vectors.len()),
        _ => request.params.umap.neighbours_needed(),
    };
    let (graph, _) = found(request, needed, (env, &progress)).unwrap();
    let mut keeper = Keeper::new(request, (&graph, needed), env);
    let mut running: Box<dyn Optimiser> = match request.params.method {
        crate::projection::Method::Tsne => {
            let params = request.params.tsne;
            Box::new(TsneRun {
                state: tsne_state(request, &start, &graph, (&mut keeper, &progress)).unwrap().0,
                params,
            })
        }
        crate::projection::Method::Pacmap => {
            super::pacmap::optimiser::<2>(request, &start, &graph, (&mut keeper, &progress)).unwrap().0
        }
        _ => {
            let params = request.params.umap;
            Box::new(UmapRun {
                state: umap_state::<2>(request, &start, &graph, &mut keeper, &progress).unwrap().0,
                params,
            })
        }
    };
    let mut kl = Vec::new();
    for step in [50, running.total() / 2 + 7] {
        running.run_to(step, &progress).unwrap();
        kl.extend(running.divergence(&progress).unwrap().filter(|_| step == 50).map(|divergence| (50, divergence)));
    }
    keeper.keep_when_due(running.as_ref(), &kl);
}
