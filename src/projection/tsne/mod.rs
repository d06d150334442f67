//! t-SNE as a resumable optimiser (van der Maaten and Hinton 2008; Barnes-Hut: van der Maaten 2014).
//!
//! Gradient descent with momentum and gains as in openTSNE and scikit-learn: exaggeration and momentum 0.5 first, then momentum 0.8;
//! no step longer than 5; the map is kept centred. Invariant: the state after iteration n is the same bytes however the way there
//! was cut into `run_to`, and at any number of threads.

mod affinities;
mod descent;
mod divergence;
mod edges;
mod field;
mod lanes;
mod own;
mod place;
mod repulsion;
mod saved;
mod spline;
mod start;
mod tree;
mod waves;

use rayon::prelude::*;

use super::{ProjectionError, Repulsion, TsneParams};
use crate::progress::{Cancelled, Progress};
use crate::search::NeighbourGraph;
pub use affinities::{Affinities, neighbours_needed};
use descent::{Descent, Motion};
use divergence::{apart, entropy};
use edges::Edges;
use lanes::attract;
pub use place::{PlaceError, PlaceParams, place};
use repulsion::Pushes;
pub use saved::TsneSnapshot;
pub use start::noise;
use start::scaled;
use tree::near_together;

/// Least learning rate that is chosen by itself.
const LEAST_RATE: f32 = 200.0;
/// Momentum while exaggerated, and after.
const MOMENTUM: [f32; 2] = [0.5, 0.8];
/// Points of one task.
const TASK: usize = 128;
/// Points from which they are kept in the order of the map.
const SORTED_FROM: usize = 2048;

/// A t-SNE under way.
#[derive(Clone, Debug)]
pub struct Tsne {
    affinities: Affinities,
    /// Σ p ln p, the part of the divergence that never changes.
    entropy: f64,
    params: TsneParams,
    iteration: usize,
    /// The map in the order of the vectors, as it was when it was last asked to run.
    points: Vec<[f32; 2]>,
    /// `order[place]` is the point that stands there in memory: near points stand together.
    order: Vec<u32>,
    /// The map by place, and how its points move.
    placed: Vec<[f32; 2]>,
    moving: Vec<Motion>,
    edges: Edges,
    repulsion: Pushes,
}

impl Tsne {
    /// Begins at `start`, scaled to a standard deviation of 0.0001 along the first axis; points that start in one place are jittered
    /// by the seed. Usually `start` is the first two principal components; [`noise`] makes another for every seed.
    ///
    /// The graph should hold [`TsneParams::neighbours_needed`] neighbours by Euclidean distance or, of vectors of length 1, by cosine;
    /// one that holds less lowers the perplexity. Parameters out of range are brought into it. Errors: graph and start are of
    /// different length; no row has a neighbour.
    pub fn new(graph: &NeighbourGraph, start: &[[f32; 2]], params: &TsneParams) -> Result<Self, ProjectionError> {
        Self::prepared(graph, start, params, &Progress::new())
    }

    /// As [`Tsne::new`], which takes some seconds for a million points. Errors beyond those: cancelled.
    pub fn prepared(
        graph: &NeighbourGraph,
        start: &[[f32; 2]],
        params: &TsneParams,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        if graph.is_empty() && start.len() > 1 {
            return Err(ProjectionError::NoNeighbours { rows: start.len() });
        }
        if !graph.is_empty() && graph.len() != start.len() {
            return Err(ProjectionError::LengthsDiffer { graph: graph.len(), start: start.len() });
        }
        let affinities = if graph.is_empty() {
            Affinities::from_dense(&vec![0.0; start.len()], start.len(), 1.0)
        } else {
            Affinities::of_with(graph, params, progress)?
        };
        Self::begin(affinities, scaled(start, params.seed), params, progress)
    }

    /// Begins at `points` as they are, such as an earlier map. Errors: as many points as rows of the affinities are wanted.
    pub fn at(affinities: Affinities, points: Vec<[f32; 2]>, params: &TsneParams) -> Result<Self, ProjectionError> {
        Self::begin(affinities, points, params, &Progress::new())
    }

    fn begin(
        affinities: Affinities,
        points: Vec<[f32; 2]>,
        params: &TsneParams,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        progress.check()?;
        let count = points.len();
        if affinities.len() != count {
            return Err(ProjectionError::LengthsDiffer { graph: affinities.len(), start: count });
        }
        let mut made = Self {
            entropy: entropy(&affinities, progress)?,
            affinities,
            params: sane(params),
            iteration: 0,
            order: (0..count as u32).collect(),
            placed: points.clone(),
            points,
            moving: vec![Motion::default(); count],
            edges: Edges::default(),
            repulsion: Pushes::default(),
        };
        made.edges.arrange(&made.affinities, &made.order, progress);
        progress.check()?;
        Ok(made)
    }

    /// Runs until `iteration` iterations are done in all; does nothing where they are.
    pub fn run_to(&mut self, iteration: usize) {
        while self.iteration < iteration {
            // Nobody cancels it.
            _ = self.iterate(&Progress::new());
            self.iteration += 1;
        }
        self.show();
    }

    /// As [`Tsne::run_to`], but leaves off in the middle of an iteration when it is cancelled: what is left then is no map and cannot
    /// go on. Worth it from some hundred thousand points on, of which one iteration takes a tenth of a second and more.
    pub fn run_until(&mut self, iteration: usize, progress: &Progress) -> Result<(), Cancelled> {
        while self.iteration < iteration {
            progress.check()?;
            self.iterate(progress)?;
            self.iteration += 1;
        }
        progress.check()?;
        self.show();
        Ok(())
    }

    /// Iterations done.
    pub fn iteration(&self) -> usize {
        self.iteration
    }

    /// The map, in the order of the vectors.
    pub fn points(&self) -> &[[f32; 2]] {
        &self.points
    }

    /// The perplexity in use: less than asked for where the points are few.
    pub fn effective_perplexity(&self) -> f32 {
        self.affinities.perplexity()
    }

    /// The step size in use at this iteration.
    pub fn learning_rate(&self) -> f32 {
        let automatic = self.points.len() as f32 / self.exaggeration();
        self.params.learning_rate.unwrap_or_else(|| automatic.max(LEAST_RATE))
    }

    /// Changes the step size from here on; `None` chooses it by itself.
    pub fn set_learning_rate(&mut self, rate: Option<f32>) {
        self.params = sane(&TsneParams { learning_rate: rate, ..self.params });
    }

    /// Changes the factor on attraction from here on, and until which iteration it holds.
    pub fn set_exaggeration(&mut self, factor: f32, until: usize) {
        let changed = TsneParams { early_exaggeration: factor, exaggeration_iterations: until, ..self.params };
        self.params = sane(&changed);
    }

    /// Changes the accuracy of repulsion from here on.
    pub fn set_theta(&mut self, theta: f32) {
        self.params = sane(&TsneParams { theta, ..self.params });
    }

    /// Changes how the pushes are computed from here on.
    pub fn set_repulsion(&mut self, repulsion: Repulsion) {
        self.params.repulsion = repulsion;
    }

    /// Draws the points by other neighbours or another perplexity from here on (`params.perplexity`, `params.attraction`; the rest is
    /// left as it was). Errors: as for [`Tsne::new`].
    pub fn set_attraction(&mut self, graph: &NeighbourGraph, params: &TsneParams) -> Result<(), ProjectionError> {
        if graph.len() != self.points.len() {
            return Err(ProjectionError::LengthsDiffer { graph: graph.len(), start: self.points.len() });
        }
        self.affinities = Affinities::of(graph, params)?;
        self.entropy = entropy(&self.affinities, &Progress::new())?;
        self.edges.arrange(&self.affinities, &self.order, &Progress::new());
        self.params = TsneParams { perplexity: params.perplexity, attraction: params.attraction, ..self.params };
        Ok(())
    }

    /// Kullback-Leibler divergence of the map from the affinities, never exaggerated; smaller is better. As exact as repulsion is;
    /// costs about one iteration.
    pub fn kl(&self) -> f32 {
        // Nobody cancels it.
        self.divergence(self.params.repulsion, &Progress::new()).unwrap_or_default()
    }

    /// As [`Tsne::kl`], which takes half a second for a million points. Errors: cancelled; nothing else is lost then.
    pub fn kl_with(&self, progress: &Progress) -> Result<f32, Cancelled> {
        self.divergence(self.params.repulsion, progress)
    }

    /// [`Tsne::kl`] over all pairs: takes a second for 30,000 points, four for 60,000.
    pub fn exact_kl(&self) -> f32 {
        // Nobody cancels it.
        self.divergence(Repulsion::Exact, &Progress::new()).unwrap_or_default()
    }

    fn divergence(&self, way: Repulsion, progress: &Progress) -> Result<f32, Cancelled> {
        if self.affinities.is_unbound() {
            return Ok(0.0);
        }
        let normaliser = Pushes::default().compute(&self.points, way, self.params.theta, progress)?;
        let (mass, sum) = apart(&self.affinities, &self.points, progress)?;
        Ok((self.entropy + sum + mass * normaliser.ln()) as f32)
    }

    /// Gradient of [`Tsne::kl`] at the present map, by point.
    pub fn gradient(&self) -> Vec<[f32; 2]> {
        let mut repulsion = Pushes::default();
        // Nobody cancels it.
        let normaliser =
            repulsion.compute(&self.points, self.params.repulsion, self.params.theta, &Progress::new()).unwrap_or(1.0);
        let scale = (1.0 / normaliser) as f32;
        let pushes = repulsion.forces().iter().enumerate();
        pushes
            .map(|(point, push)| {
                let (columns, weights) = self.affinities.row(point);
                let drawn = attract(self.points[point], &self.points, columns, weights);
                [4.0 * (drawn[0] - scale * push[0]), 4.0 * (drawn[1] - scale * push[1])]
            })
            .collect()
    }

    fn exaggeration(&self) -> f32 {
        let early = self.iteration < self.params.exaggeration_iterations;
        if early { self.params.early_exaggeration } else { 1.0 }
    }

    /// One iteration. Errors: cancelled; the state is of no use then.
    fn iterate(&mut self, progress: &Progress) -> Result<(), Cancelled> {
        if self.affinities.is_unbound() {
            return Ok(());
        }
        if self.points.len() >= SORTED_FROM && sorts_at(self.iteration) {
            self.sort(progress)?;
        }
        let (way, theta) = (self.params.repulsion, self.params.theta);
        let normaliser = self.repulsion.compute(&self.placed, way, theta, progress)?;
        let descent = Descent {
            edges: &self.edges,
            points: &self.placed,
            forces: self.repulsion.forces(),
            share: (1.0 / normaliser) as f32,
            exaggeration: self.exaggeration(),
            rate: self.learning_rate(),
            momentum: MOMENTUM[usize::from(self.iteration >= self.params.exaggeration_iterations)],
        };
        self.moving.par_chunks_mut(TASK).enumerate().for_each(|(task, moving)| {
            if progress.is_cancelled() {
                return;
            }
            for (offset, motion) in moving.iter_mut().enumerate() {
                descent.step(task * TASK + offset, motion);
            }
        });
        progress.check()?;
        self.centre();
        Ok(())
    }

    /// Takes the new places, moved so that their mean is 0.
    fn centre(&mut self) {
        let sum = self
            .moving
            .iter()
            .fold([0.0f64; 2], |sum, motion| [sum[0] + f64::from(motion.next[0]), sum[1] + f64::from(motion.next[1])]);
        let mean = sum.map(|sum| (sum / self.moving.len() as f64) as f32);
        for (point, motion) in self.placed.iter_mut().zip(&self.moving) {
            *point = [motion.next[0] - mean[0], motion.next[1] - mean[1]];
        }
    }

    /// Puts points that are near on the map near in memory.
    fn sort(&mut self, progress: &Progress) -> Result<(), Cancelled> {
        let near = near_together(&self.placed);
        progress.check()?;
        self.order = near.iter().map(|&place| self.order[place as usize]).collect();
        self.placed = near.iter().map(|&place| self.placed[place as usize]).collect();
        self.moving = near.iter().map(|&place| self.moving[place as usize]).collect();
        self.edges.arrange(&self.affinities, &self.order, progress);
        progress.check()
    }

    /// Copies the map from the order of memory to that of the vectors.
    fn show(&mut self) {
        for (&point, &at) in self.order.iter().zip(&self.placed) {
            self.points[point as usize] = at;
        }
    }
}

/// Whether the points are put in order before this iteration: often while the map unfolds.
fn sorts_at(iteration: usize) -> bool {
    iteration.is_multiple_of(if iteration < 400 { 50 } else { 100 })
}

/// Parameters brought into their ranges.
fn sane(params: &TsneParams) -> TsneParams {
    let at_least =
        |value: f32, least: f32, otherwise: f32| if value.is_finite() { value.max(least) } else { otherwise };
    TsneParams {
        perplexity: at_least(params.perplexity, 1.0, 30.0),
        learning_rate: params.learning_rate.filter(|rate| rate.is_finite() && *rate > 0.0),
        early_exaggeration: at_least(params.early_exaggeration, 1.0, 12.0),
        theta: at_least(params.theta, 0.0, 0.5).min(1.0),
        ..*params
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::Metric;

    /// Points on a circle, neighbours along it.
    fn ring(count: usize, k: usize) -> (NeighbourGraph, Vec<[f32; 2]>) {
        let mut graph = NeighbourGraph::new(k, Metric::Euclidean, [], []);
        let (mut indices, mut scores) = (Vec::new(), Vec::new());
        for row in 0..count {
            for neighbour in 0..k {
                let away = neighbour / 2 + 1;
                let column = if neighbour % 2 == 0 { row + away } else { row + count - away };
                indices.push((column % count) as u32);
                scores.push(-(away as f32));
            }
        }
        (graph.indices, graph.scores) = (indices.into(), scores.into());
        let angle = |row: usize| row as f32 / count as f32 * std::f32::consts::TAU;
        (graph, (0..count).map(|row| [angle(row).cos(), angle(row).sin()]).collect())
    }

    fn bits(points: &[[f32; 2]]) -> Vec<u32> {
        points.iter().flatten().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn the_divergence_falls_and_any_cut_and_pool_gives_the_same_bytes() {
        for count in [200, 1500] {
            let (graph, start) = ring(count, 30);
            let run = |threads: usize, stops: &[usize]| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let mut tsne = Tsne::new(&graph, &start, &TsneParams::default()).unwrap();
                    let before = tsne.kl();
                    stops.iter().for_each(|&stop| tsne.run_to(stop));
                    (bits(tsne.points()), before, tsne.kl())
                })
            };
            let whole = run(1, &[300]);
            assert_eq!(whole, run(3, &[100, 100, 257, 300]));
            assert!(whole.2 < 0.7 * whole.1, "{} to {}", whole.1, whole.2);
        }
    }

    #[test]
    fn what_is_cancelled_says_so_and_the_divergence_costs_nothing() {
        for count in [60, 5000] {
            let (graph, start) = ring(count, 9);
            let mut tsne = Tsne::new(&graph, &start, &TsneParams::default()).unwrap();
            tsne.run_to(3);
            let (before, progress) = (bits(tsne.points()), Progress::new());
            assert_eq!(tsne.kl_with(&progress), Ok(tsne.kl()));
            progress.cancel();
            assert_eq!(tsne.kl_with(&progress), Err(Cancelled));
            assert_eq!(bits(tsne.points()), before);
            assert_eq!(tsne.run_until(4, &progress), Err(Cancelled));
            assert_eq!(tsne.iteration(), 3);
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_divergence() {
        let (graph, start) = ring(40, 9);
        let affinities = Affinities::from_graph(&graph, 9, 3.0).unwrap();
        let kl =
            |points: &[[f32; 2]]| Tsne::at(affinities.clone(), points.to_vec(), &TsneParams::default()).unwrap().kl();
        let gradient = Tsne::at(affinities.clone(), start.clone(), &TsneParams::default()).unwrap().gradient();
        for (point, axis) in [(0, 0), (7, 1), (39, 0)] {
            let mut moved = [start.clone(), start.clone()];
            moved[0][point][axis] -= 0.05;
            moved[1][point][axis] += 0.05;
            let slope = (kl(&moved[1]) - kl(&moved[0])) / 0.1;
            assert!((slope - gradient[point][axis]).abs() < 2e-3, "{slope} and {}", gradient[point][axis]);
        }
    }

    #[test]
    fn few_and_equal_points_do_no_harm() {
        let none = NeighbourGraph::new(0, Metric::Cosine, [], []);
        for count in [0, 1] {
            let mut tsne = Tsne::new(&none, &vec![[3.0, 1.0]; count], &TsneParams::default()).unwrap();
            tsne.run_to(10);
            assert_eq!((tsne.points().len(), tsne.kl()), (count, 0.0));
        }
        assert!(Tsne::new(&none, &[[0.0; 2]; 2], &TsneParams::default()).is_err());
        for count in [2, 3, 4, 40] {
            let (graph, _) = ring(count, (count - 1).min(9));
            let start = vec![[f32::NAN, 2.0]; count];
            let mut tsne = Tsne::new(&graph, &start, &TsneParams::default()).unwrap();
            tsne.run_to(400);
            assert!(tsne.points().iter().flatten().all(|value| value.is_finite()), "{count} points");
            assert!(tsne.effective_perplexity() >= 1.0);
            let mut places = bits(tsne.points());
            places.dedup();
            assert!(places.len() > count, "equal points part");
        }
    }

    #[test]
    fn wild_parameters_are_brought_into_range() {
        let (graph, start) = ring(50, 9);
        let wild = TsneParams {
            perplexity: -3.0,
            learning_rate: Some(1e9),
            early_exaggeration: f32::NAN,
            theta: -1.0,
            ..TsneParams::default()
        };
        let mut tsne = Tsne::new(&graph, &start, &wild).unwrap();
        tsne.run_to(50);
        assert!(tsne.points().iter().flatten().all(|value| value.is_finite()));
        tsne.set_learning_rate(Some(-1.0));
        assert_eq!(tsne.learning_rate(), LEAST_RATE);
    }
}
