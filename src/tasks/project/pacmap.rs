//! `PaCMAP` as an optimiser that the one loop can run, in two or three dimensions.
//!
//! Besides the neighbours it needs the vectors themselves, for the pairs that lie halfway near. Invariant: as in `methods`.

use std::time::Instant;

use super::keeper::{Keeper, pacmap_bytes, pacmap_snapshot};
use super::methods::{first_two, found, in_space, space_of};
use super::optimise::{Made, Optimiser, optimise};
use super::{LiveSlot, ProjectRequest};
use crate::progress::{Cancelled, Progress};
use crate::projection::{Pacmap, Pca, ProjectionError};
use crate::search::NeighbourGraph;
use crate::tasks::{Environment, TaskError};
use crate::workspace::{GraphFacts, ProjectionParams};

/// Lays out by `PaCMAP`.
pub(super) fn pacmap(
    request: &ProjectRequest,
    (pca, start): (&Pca, &[[f32; 2]]),
    live: &LiveSlot,
    (env, progress): (&Environment, &Progress),
) -> Result<Made, TaskError> {
    let params = request.params.pacmap;
    let needed = params.neighbours_needed(request.vectors.len());
    let (graph, seconds) = found(request, needed, (env, progress))?;
    progress.stage("Laying out with PaCMAP", "iterations", params.iterations as u64);
    let started = Instant::now();
    let mut keeper = Keeper::new(request, (&graph, needed), env);
    let (mut running, continued) = if request.params.dimensions == 3 {
        let start = space_of(pca, &request.vectors)?;
        optimiser::<3>(request, &start, &graph, (&mut keeper, progress))?
    } else {
        optimiser::<2>(request, start, &graph, (&mut keeper, progress))?
    };
    let preparing = started.elapsed().as_secs_f64();
    let mut made = optimise(running.as_mut(), request, keeper, live, progress)?;
    made.notes.extend(continued.map(|iteration| format!("PaCMAP continued from iteration {iteration}")));
    made.seconds = [seconds, made.seconds[1] + preparing];
    made.weighing = preparing;
    made.graph = Some(GraphFacts::of(&graph));
    Ok(made)
}

/// A `PaCMAP` where it was stopped, and the iteration; or at its start.
pub(super) fn optimiser<const D: usize>(
    request: &ProjectRequest,
    start: &[[f32; D]],
    graph: &NeighbourGraph,
    (keeper, progress): (&mut Keeper, &Progress),
) -> Result<(Box<dyn Optimiser>, Option<usize>), ProjectionError> {
    let vectors = &request.vectors;
    let kept = keeper.take_up(|bytes| Pacmap::<D>::resumed(graph, vectors, &pacmap_snapshot(bytes)?, progress));
    match kept {
        Some(state) => {
            let iteration = state.iteration();
            Ok((Box::new(Run { state }), Some(iteration)))
        }
        None => {
            let state = Pacmap::prepared(graph, vectors, start, &request.params.pacmap, progress)?;
            Ok((Box::new(Run { state }), None))
        }
    }
}

struct Run<const D: usize> {
    state: Pacmap<D>,
}

impl<const D: usize> Optimiser for Run<D> {
    fn done(&self) -> usize {
        self.state.iteration()
    }

    fn total(&self) -> usize {
        self.state.iterations()
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
        pacmap_bytes(&self.state.snapshot())
    }

    fn steer(&mut self, params: &ProjectionParams) {
        self.state.set_learning_rate(params.pacmap.learning_rate);
    }
}
