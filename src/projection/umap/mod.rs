//! UMAP as a resumable optimiser (`McInnes`, Healy and Melville 2018), on the plane (`D` = 2) or in space (`D` = 3).
//!
//! The fuzzy set, the curve and the sampling of edges are umap-learn's. Points do not move one edge after the other but sixteen at a
//! time, in rounds: each point walks along its own edges from where the others stood when the round began. As in the paper's
//! algorithm 5 only the head of an edge moves (every edge runs both ways); umap-learn moves the tail as well, and draws twice as
//! hard: with others standing still that overshoots, and measured worse. It needs no locks, so a mode that is faster and gives other
//! bytes each time is not offered. Invariant: the state after epoch n is the same bytes however the way there was cut into `run_to`,
//! at any number of threads and on any processor.

mod curve;
mod fuzzy;
mod lanes;
mod params;
mod pieces;
pub(super) mod random;
mod scale;
mod schedule;
mod snapshot;
mod spectral;
mod start;
mod transform;

use rayon::prelude::*;

use super::ProjectionError;
use crate::progress::{Cancelled, Progress};
use crate::search::NeighbourGraph;
pub use curve::Curve;
pub use fuzzy::FuzzySet;
use lanes::{Field, GROUP, Lanes, Step, advance};
pub use params::{UmapParams, UmapStart};
use pieces::Pieces;
use schedule::Schedule;
pub use snapshot::UmapSnapshot;

/// Groups of one task.
const TASK: usize = 16;
/// Greatest share of the way to its other end that an edge moves a point. Beyond 1 it would come to stand on the other side, and the
/// other would jump over it in its turn: such pairs leap away from the map for as long as the learning rate is high.
const WHOLE_WAY: f32 = 1.0;

/// A UMAP under way.
#[derive(Clone, Debug)]
pub struct Umap<const D: usize> {
    params: UmapParams,
    curve: Curve,
    epochs: usize,
    epoch: usize,
    schedule: Schedule,
    pieces: Pieces,
    field: Field<D>,
    points: Vec<[f32; D]>,
    next: Vec<[Lanes; D]>,
}

impl<const D: usize> Umap<D> {
    /// Begins at `start` (usually the first principal components) or, by the parameters, elsewhere; `start` always holds one place
    /// for each point. Labels, where there are any, draw points of one label together; `None` is an unknown label.
    ///
    /// The graph should hold [`UmapParams::neighbours_needed`] neighbours. Parameters out of range are brought into it. Errors:
    /// graph, start and labels are of different length; no row has a neighbour; the graph names a row that is not there.
    pub fn new(
        graph: &NeighbourGraph,
        start: &[[f32; D]],
        params: &UmapParams,
        labels: Option<&[Option<u32>]>,
    ) -> Result<Self, ProjectionError> {
        Self::prepared(graph, start, params, labels, &Progress::new())
    }

    /// As [`Umap::new`], which takes some seconds for a million points. Errors beyond those: cancelled.
    pub fn prepared(
        graph: &NeighbourGraph,
        start: &[[f32; D]],
        params: &UmapParams,
        labels: Option<&[Option<u32>]>,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        let params = params.sane();
        let set = set(graph, start.len(), &params, labels, progress)?;
        let points = match params.start {
            UmapStart::Given => start::stretched(start, params.seed),
            UmapStart::Spectral => {
                let given = start::stretched(start, params.seed);
                start::stretched(&spectral::spectral(&set, &given, params.seed, progress)?, params.seed)
            }
            UmapStart::Random => start::scattered(start.len(), params.seed),
        };
        Ok(Self::at(&set, points, &params, progress)?)
    }

    /// Begins at `points` as they are; there must be as many as points in the set.
    fn at(set: &FuzzySet, points: Vec<[f32; D]>, params: &UmapParams, progress: &Progress) -> Result<Self, Cancelled> {
        let epochs = params.epochs_for(points.len());
        let schedule = Schedule::new(set, epochs, params.seed, progress)?;
        let pieces = Pieces::new(points.len(), |place| schedule.tails(place), progress)?;
        let field = Field::new(&points, &schedule.order);
        let curve = Curve::fit(params.min_dist, params.spread);
        Ok(Self { params: *params, curve, epochs, epoch: 0, schedule, pieces, field, points, next: Vec::new() })
    }

    /// Runs until `epoch` epochs are done in all, at most [`Umap::epochs`]; does nothing where they are.
    pub fn run_to(&mut self, epoch: usize) {
        // Nobody cancels it.
        _ = self.run_until(epoch, &Progress::new());
    }

    /// As [`Umap::run_to`], but leaves off in the middle of an epoch when it is cancelled: what is left then is no map and cannot go
    /// on.
    pub fn run_until(&mut self, epoch: usize, progress: &Progress) -> Result<(), Cancelled> {
        let until = epoch.min(self.epochs);
        if self.epoch >= until {
            return progress.check();
        }
        // Within the pool from the start: coming in from outside costs more than some rounds take.
        rayon::scope(|_| {
            while self.epoch < until {
                self.iterate(progress)?;
                self.epoch += 1;
            }
            Ok(())
        })?;
        for (place, &point) in self.schedule.order.iter().enumerate() {
            self.points[point as usize] = std::array::from_fn(|axis| self.field.axes[axis][place]);
        }
        Ok(())
    }

    /// Epochs done.
    pub fn epoch(&self) -> usize {
        self.epoch
    }

    /// Epochs in all.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// The map, in the order of the vectors.
    pub fn points(&self) -> &[[f32; D]] {
        &self.points
    }

    /// The curve in use.
    pub fn curve(&self) -> Curve {
        self.curve
    }

    /// Changes how near points may lie, and the scale of the map, from here on.
    pub fn set_min_dist(&mut self, min_dist: f32, spread: f32) {
        self.params = UmapParams { min_dist, spread, ..self.params }.sane();
        self.curve = Curve::fit(self.params.min_dist, self.params.spread);
    }

    /// Changes the step at the beginning, and so all that follow.
    pub fn set_learning_rate(&mut self, rate: f32) {
        self.params = UmapParams { learning_rate: rate, ..self.params }.sane();
    }

    /// Changes how many points push for each that draws, and how strongly, from here on.
    pub fn set_repulsion(&mut self, negative_sample_rate: usize, strength: f32) {
        let changed = UmapParams { negative_sample_rate, repulsion_strength: strength, ..self.params };
        self.params = changed.sane();
    }

    fn iterate(&mut self, progress: &Progress) -> Result<(), Cancelled> {
        let step = self.step();
        for round in 0..self.schedule.rounds.len() - 1 {
            progress.check()?;
            self.advance_round(self.schedule.rounds[round]..self.schedule.rounds[round + 1], &step);
        }
        progress.check()?;
        self.pieces.gather(&mut self.field, step.rate, self.params.spread);
        Ok(())
    }

    /// What holds for the epoch that comes next.
    fn step(&self) -> Step {
        let rate = self.params.learning_rate * (1.0 - self.epoch as f32 / self.epochs.max(1) as f32);
        Step {
            a: self.curve.a,
            b: self.curve.b,
            repulsion: self.params.repulsion_strength,
            rate,
            reach: WHOLE_WAY / rate,
            negatives: self.params.negative_sample_rate,
            epoch: self.epoch as u32 + 1,
            seed: random::mix(self.params.seed, 2 << 40, self.epoch as u64),
        }
    }

    /// Moves the points at `places` by one epoch.
    fn advance_round(&mut self, places: std::ops::Range<usize>, step: &Step) {
        let (schedule, field) = (&self.schedule, &self.field);
        self.next.resize(places.len().div_ceil(GROUP), [[0.0; GROUP]; D]);
        self.next.par_chunks_mut(TASK).enumerate().for_each_init(Vec::new, |due, (task, groups)| {
            for (offset, own) in groups.iter_mut().enumerate() {
                let first = places.start + (task * TASK + offset) * GROUP;
                let last = places.end.min(first + GROUP);
                for (axis, own) in own.iter_mut().enumerate() {
                    own.copy_from_slice(&field.axes[axis][first..first + GROUP]);
                }
                advance(field, schedule.edges(first..last), step, own, due);
            }
        });
        self.field.write(places, &self.next);
    }
}

/// The fuzzy set of a graph for `rows` points, after labels.
fn set(
    graph: &NeighbourGraph,
    rows: usize,
    params: &UmapParams,
    labels: Option<&[Option<u32>]>,
    progress: &Progress,
) -> Result<FuzzySet, ProjectionError> {
    if graph.is_empty() && rows > 1 {
        return Err(ProjectionError::NoNeighbours { rows });
    }
    if !graph.is_empty() && graph.len() != rows {
        return Err(ProjectionError::LengthsDiffer { graph: graph.len(), start: rows });
    }
    let set = if graph.is_empty() {
        FuzzySet::without_edges(rows)
    } else {
        FuzzySet::from_graph_with(graph, params.n_neighbors, progress)?
    };
    match labels {
        Some(labels) => set.labelled(labels, params.target_weight, progress),
        None => Ok(set),
    }
}

impl<const D: usize> Field<D> {
    /// Points in the order given.
    fn new(points: &[[f32; D]], order: &[u32]) -> Self {
        let mut field = Self { axes: std::array::from_fn(|_| Vec::new()), count: points.len() };
        for (axis, values) in field.axes.iter_mut().enumerate() {
            values.extend(order.iter().map(|&point| points[point as usize][axis]));
            values.resize(points.len() + GROUP, 0.0);
        }
        field.repeat();
        field
    }

    /// Puts groups at their places.
    fn write(&mut self, places: std::ops::Range<usize>, groups: &[[Lanes; D]]) {
        let count = places.len();
        for (axis, values) in self.axes.iter_mut().enumerate() {
            for (out, group) in values[places.clone()].chunks_mut(GROUP).zip(groups) {
                out.copy_from_slice(&group[axis][..out.len()]);
            }
        }
        if places.start < GROUP && count > 0 {
            self.repeat();
        }
    }

    /// Repeats the first points at the end.
    fn repeat(&mut self) {
        let count = self.count;
        for values in self.axes.iter_mut().filter(|_| count > 0) {
            for at in 0..GROUP {
                values[count + at] = values[at % count];
            }
        }
    }
}
