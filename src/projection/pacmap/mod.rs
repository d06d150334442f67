//! `PaCMAP` as a resumable optimiser (Wang, Huang, Rudin and Shaposhnik 2021), on the plane (`D` = 2) or in space (`D` = 3).
//!
//! Pairs, weights, phases and Adam are those of the authors' package. The gradient is summed point by point, each pair seen from both
//! ends, so that no two threads write to one place. Invariant: the state after iteration n is the same bytes however the way there was
//! cut into `run_to`, at any number of threads and on any processor.

mod lanes;
mod links;
mod order;
mod pairs;
mod params;
mod snapshot;
mod start;
mod transform;

use rayon::prelude::*;

use super::ProjectionError;
use crate::progress::{Cancelled, Progress};
use crate::search::NeighbourGraph;
use crate::vectors::Vectors;
use lanes::{Field, GROUP, Group, MEMORY, Pairs, Step, advance, gradient};
use order::{Bundles, places};
pub use pairs::PacmapPairs;
pub use params::{PacmapParams, PairCounts, PairWeights};
pub use snapshot::PacmapSnapshot;
pub use transform::pacmap_place;

/// Groups of one task.
const TASK: usize = 32;

/// A `PaCMAP` under way.
#[derive(Clone, Debug)]
pub struct Pacmap<const D: usize> {
    params: PacmapParams,
    iteration: usize,
    /// The map in the order of the vectors, as it was when it was last asked to run.
    points: Vec<[f32; D]>,
    /// `order[place]` is the point there.
    order: Vec<u32>,
    near: Bundles,
    mid: Bundles,
    shifts: Vec<u32>,
    dropped: Bundles,
    added: Bundles,
    groups: Vec<Group<D>>,
    field: Field<D>,
    next: Field<D>,
}

impl<const D: usize> Pacmap<D> {
    /// Begins at `start` (usually the first principal components), one place for each vector, at a small scale.
    ///
    /// The graph should hold [`PacmapParams::neighbours_needed`] neighbours. Parameters out of range are brought into it. Rows without
    /// neighbours stay where they begin. Errors: graph, vectors and start are of different length; no row has a neighbour; the graph
    /// names a row that is not there.
    pub fn new(
        graph: &NeighbourGraph,
        vectors: &Vectors,
        start: &[[f32; D]],
        params: &PacmapParams,
    ) -> Result<Self, ProjectionError> {
        Self::prepared(graph, vectors, start, params, &Progress::new())
    }

    /// As [`Pacmap::new`], which takes some seconds for a million points. Errors beyond those: cancelled.
    pub fn prepared(
        graph: &NeighbourGraph,
        vectors: &Vectors,
        start: &[[f32; D]],
        params: &PacmapParams,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        if graph.is_empty() && vectors.len() > 1 {
            return Err(ProjectionError::NoNeighbours { rows: vectors.len() });
        }
        if start.len() != vectors.len() {
            return Err(ProjectionError::LengthsDiffer { graph: vectors.len(), start: start.len() });
        }
        let pairs = PacmapPairs::new(graph, vectors, params, progress)?;
        progress.check()?;
        let points = start::scaled(start, vectors, params.seed);
        Self::prepared_at(&pairs, points, params, progress)
    }

    /// Begins at `points` as they are, by pairs that are given. Errors: as many points as in the pairs are wanted.
    pub fn at(pairs: &PacmapPairs, points: Vec<[f32; D]>, params: &PacmapParams) -> Result<Self, ProjectionError> {
        Self::prepared_at(pairs, points, params, &Progress::new())
    }

    fn prepared_at(
        pairs: &PacmapPairs,
        points: Vec<[f32; D]>,
        params: &PacmapParams,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        if pairs.len() != points.len() {
            return Err(ProjectionError::LengthsDiffer { graph: pairs.len(), start: points.len() });
        }
        let places = places(&pairs.order);
        let bundles =
            |links: &links::Links| Bundles::new(links, &links.reversed(progress)?, (&pairs.order, &places), progress);
        let field = Field::new(&points, &pairs.order);
        let lanes = |group: usize, value: &dyn Fn(usize) -> f32| -> [f32; GROUP] {
            std::array::from_fn(|lane| value(group * GROUP + lane))
        };
        let moves = |place: usize| {
            let bound = pairs.order.get(place).is_some_and(|&point| {
                let point = point as usize;
                !pairs.near.of(point).is_empty() || !pairs.mid.of(point).is_empty()
            });
            f32::from(u8::from(bound))
        };
        let groups = (0..pairs.len().div_ceil(GROUP))
            .map(|group| Group {
                at: std::array::from_fn(|axis| lanes(group, &|place| field.cells[place][axis])),
                mean: [[0.0; GROUP]; D],
                square: [[0.0; GROUP]; D],
                moves: lanes(group, &moves),
            })
            .collect();
        Ok(Self {
            params: params.sane(),
            iteration: 0,
            near: bundles(&pairs.near)?,
            mid: bundles(&pairs.mid)?,
            shifts: pairs.shifts.clone(),
            dropped: bundles(&pairs.dropped)?,
            added: bundles(&pairs.added)?,
            order: pairs.order.clone(),
            groups,
            next: field.clone(),
            field,
            points,
        })
    }

    /// Runs until `iteration` iterations are done in all, at most [`Pacmap::iterations`]; does nothing where they are.
    pub fn run_to(&mut self, iteration: usize) {
        let never = Progress::new();
        // Nobody cancels it.
        _ = self.run_until(iteration, &never);
    }

    /// As [`Pacmap::run_to`], but leaves off in the middle of an iteration when it is cancelled: what is left then is no map and cannot
    /// go on.
    pub fn run_until(&mut self, iteration: usize, progress: &Progress) -> Result<(), Cancelled> {
        let until = iteration.min(self.params.iterations);
        if self.iteration >= until {
            return progress.check();
        }
        // Within the pool from the start: coming in from outside costs more than some iterations take.
        rayon::scope(|_| {
            while self.iteration < until {
                progress.check()?;
                self.iterate(progress);
                self.iteration += 1;
            }
            progress.check()
        })?;
        for (&point, &at) in self.order.iter().zip(&self.field.cells) {
            self.points[point as usize] = at;
        }
        Ok(())
    }

    /// Iterations done.
    pub fn iteration(&self) -> usize {
        self.iteration
    }

    /// Iterations in all.
    pub fn iterations(&self) -> usize {
        self.params.iterations
    }

    /// The map, in the order of the vectors.
    pub fn points(&self) -> &[[f32; D]] {
        &self.points
    }

    /// Changes the step size from here on.
    pub fn set_learning_rate(&mut self, rate: f32) {
        self.params = PacmapParams { learning_rate: rate, ..self.params }.sane();
    }

    /// The gradient at the present map, by point, with the pairs weighed so.
    pub fn gradient(&self, weights: PairWeights) -> Vec<[f32; D]> {
        let step = Step { near: weights.near, mid: weights.mid, further: weights.further, rate: 0.0 };
        let mut all = vec![[0.0; D]; self.points.len()];
        for (at, group) in self.groups.iter().enumerate() {
            let found = gradient::<D, false>(&self.field, self.pairs_of(at), &step, &group.at);
            for (lane, &point) in self.order[at * GROUP..].iter().take(GROUP).enumerate() {
                all[point as usize] = std::array::from_fn(|axis| found[axis][lane]);
            }
        }
        all
    }

    /// The step that comes next.
    fn step(&self) -> Step {
        let weights = self.params.weights(self.iteration);
        let [mean, square] = MEMORY.map(|memory| 1.0 - memory.powi(self.iteration as i32 + 1));
        let rate = f64::from(self.params.learning_rate) * square.sqrt() / mean;
        Step { near: weights.near, mid: weights.mid, further: weights.further, rate: rate as f32 }
    }

    fn pairs_of(&self, group: usize) -> Pairs<'_> {
        Pairs {
            near: self.near.of(group),
            mid: self.mid.of(group),
            shifts: &self.shifts,
            dropped: self.dropped.of(group),
            added: self.added.of(group),
            base: group * GROUP,
        }
    }

    /// One iteration; a wrong one once `progress` is cancelled.
    fn iterate(&mut self, progress: &Progress) {
        let step = self.step();
        let mut groups = std::mem::take(&mut self.groups);
        let mut next = std::mem::replace(
            &mut self.next,
            Field { axes: std::array::from_fn(|_| Vec::new()), cells: Vec::new(), count: 0 },
        );
        let mut axes = next.axes.each_mut().map(|values| values.chunks_mut(TASK * GROUP));
        let tasks: Vec<_> = groups
            .chunks_mut(TASK)
            .zip(next.cells.chunks_mut(TASK * GROUP))
            .map(|(groups, cells)| (groups, cells, axes.each_mut().map(|chunks| chunks.next().unwrap_or_default())))
            .collect();
        tasks.into_par_iter().enumerate().for_each(|(task, (groups, cells, mut axes))| {
            if progress.is_cancelled() {
                return;
            }
            for (offset, (group, cells)) in groups.iter_mut().zip(cells.chunks_exact_mut(GROUP)).enumerate() {
                advance(&self.field, self.pairs_of(task * TASK + offset), &step, group);
                for (axis, values) in axes.iter_mut().enumerate() {
                    values[offset * GROUP..(offset + 1) * GROUP].copy_from_slice(&group.at[axis]);
                }
                for (lane, cell) in cells.iter_mut().enumerate() {
                    *cell = std::array::from_fn(|axis| group.at[axis][lane]);
                }
            }
        });
        next.repeat();
        self.groups = groups;
        self.next = std::mem::replace(&mut self.field, next);
    }
}
