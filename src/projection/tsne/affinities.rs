//! How strongly each point is drawn to each neighbour: Gaussian weights of a given perplexity, made symmetric.
//!
//! van der Maaten and Hinton 2008, equations 1 and 2; sparse as in van der Maaten 2014. Invariant: rows are sorted by neighbour, all
//! weights together are 1, and `weight(i, j) == weight(j, i)`.

use rayon::prelude::*;

use crate::progress::{Cancelled, Progress};
use crate::projection::{Attraction, ProjectionError, TsneParams};
use crate::search::NeighbourGraph;
use crate::vectors::Metric;

/// Steps of the search for a bandwidth; scikit-learn's limit.
const STEPS: usize = 100;
/// How near the entropy must come, in nats.
const TOLERANCE: f64 = 1e-5;
/// Rows between two looks at whether the work was cancelled.
const LOOK: usize = 4096;
/// Rows of one task.
const PART: usize = 1024;

/// Neighbours that t-SNE wants for each of `n` points: three times the effective perplexity, at most `n - 1`.
pub fn neighbours_needed(perplexity: f32, n: usize) -> usize {
    let wanted = (3.0 * effective(perplexity, n)).floor() as usize;
    wanted.max(1).min(n.saturating_sub(1))
}

/// The perplexity that `n` points allow: at most a third of the others, at least 1.
fn effective(perplexity: f32, n: usize) -> f32 {
    let most = n.saturating_sub(1) as f32 / 3.0;
    let wanted = if perplexity.is_finite() { perplexity } else { 30.0 };
    wanted.min(most).max(1.0)
}

/// Symmetric weights, one row of neighbours a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Affinities {
    /// Where each row starts; `n + 1` values.
    pub(super) starts: Vec<usize>,
    /// Neighbours, rising within a row.
    pub(super) columns: Vec<u32>,
    /// Their weights; all together 1.
    pub(super) weights: Vec<f32>,
    perplexity: f32,
}

impl Affinities {
    /// From the `k` nearest neighbours of each point, of which the graph may hold more; [`neighbours_needed`] are usual.
    ///
    /// Distances come from the graph's scores: Euclidean ones as they are, cosines as those of vectors of length 1 (also for the
    /// dot product, which must then be of vectors of length 1). The perplexity is at most a third of the neighbours. Errors: the
    /// graph names a row that is not there.
    pub fn from_graph(graph: &NeighbourGraph, k: usize, perplexity: f32) -> Result<Self, ProjectionError> {
        Self::from_graph_with(graph, k, perplexity, &Progress::new())
    }

    fn from_graph_with(
        graph: &NeighbourGraph,
        k: usize,
        perplexity: f32,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        check(graph)?;
        let rows = graph.len();
        let k = k.min(graph.k);
        let perplexity = effective(perplexity, rows).min(k as f32 / 3.0).max(1.0);
        let mut weights = vec![0.0f32; rows * k];
        weights.par_chunks_mut(k.max(1)).enumerate().with_min_len(64).try_for_each(|(row, weights)| {
            progress.check()?;
            for (weight, &score) in weights.iter_mut().zip(graph.scores_of(row)) {
                *weight = squared(graph.metric, score);
            }
            gaussian(weights, f64::from(perplexity).min(k as f64));
            Ok::<(), Cancelled>(())
        })?;
        Ok(symmetric(graph, k, &weights, (perplexity, progress))?)
    }

    /// As the parameters want them (`perplexity`, `attraction`), from as many neighbours as that needs and the graph has.
    pub fn of(graph: &NeighbourGraph, params: &TsneParams) -> Result<Self, ProjectionError> {
        Self::of_with(graph, params, &Progress::new())
    }

    /// As [`Affinities::of`]. Errors beyond those: cancelled.
    pub(super) fn of_with(
        graph: &NeighbourGraph,
        params: &TsneParams,
        progress: &Progress,
    ) -> Result<Self, ProjectionError> {
        let needed = params.neighbours_needed(graph.len());
        match params.attraction {
            Attraction::Perplexity => Self::from_graph_with(graph, needed, params.perplexity, progress),
            Attraction::Uniform { .. } => Self::uniform_with(graph, needed, progress),
        }
    }

    /// The same weight for every pair of which one is among the `k` nearest neighbours of the other (openTSNE's `Uniform`). Errors: the
    /// graph names a row that is not there.
    pub fn uniform(graph: &NeighbourGraph, k: usize) -> Result<Self, ProjectionError> {
        Self::uniform_with(graph, k, &Progress::new())
    }

    fn uniform_with(graph: &NeighbourGraph, k: usize, progress: &Progress) -> Result<Self, ProjectionError> {
        let k = k.min(graph.k);
        check(graph)?;
        let mut made = symmetric(graph, k, &vec![1.0; graph.len() * k], (k as f32, progress))?;
        let share = 1.0 / made.weights.len().max(1) as f32;
        made.weights.fill(share);
        Ok(made)
    }

    /// Whether nobody is drawn to anybody.
    pub(super) fn is_unbound(&self) -> bool {
        self.weights.is_empty()
    }

    /// From weights between all pairs of `n` points (row-major, `n` x `n`, symmetric, together 1), such as another program's.
    pub fn from_dense(weights: &[f32], n: usize, perplexity: f32) -> Self {
        let mut made = Self { starts: vec![0], columns: Vec::new(), weights: Vec::new(), perplexity };
        for row in 0..n {
            for (column, &weight) in weights[row * n..(row + 1) * n].iter().enumerate() {
                if weight > 0.0 && column != row {
                    made.columns.push(column as u32);
                    made.weights.push(weight);
                }
            }
            made.starts.push(made.columns.len());
        }
        made
    }

    /// Points.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The perplexity used, less than asked for where the points are few.
    pub fn perplexity(&self) -> f32 {
        self.perplexity
    }

    /// Neighbours of a point and their weights.
    pub fn row(&self, point: usize) -> (&[u32], &[f32]) {
        let range = self.starts[point]..self.starts[point + 1];
        (&self.columns[range.clone()], &self.weights[range])
    }
}

fn check(graph: &NeighbourGraph) -> Result<(), ProjectionError> {
    let rows = graph.len();
    match graph.indices.iter().find(|&&row| row as usize >= rows) {
        Some(&row) => Err(ProjectionError::NoSuchRow { row, rows }),
        None => Ok(()),
    }
}

impl TsneParams {
    /// Neighbours that these parameters want for each of `n` points, at most `n - 1`.
    pub fn neighbours_needed(&self, n: usize) -> usize {
        match self.attraction {
            Attraction::Perplexity => neighbours_needed(self.perplexity, n),
            Attraction::Uniform { neighbours } => neighbours.max(1).min(n.saturating_sub(1)),
        }
    }
}

/// Squared distance from a score. Infinite where there is no score.
pub(super) fn squared(metric: Metric, score: f32) -> f32 {
    let square = match metric {
        Metric::Euclidean => score * score,
        Metric::Cosine | Metric::Dot => (2.0 - 2.0 * score).max(0.0),
    };
    if square.is_nan() { f32::INFINITY } else { square }
}

/// Turns squared distances into weights of sum 1 whose perplexity is as wanted, by bisection of the bandwidth.
pub(super) fn gaussian(row: &mut [f32], perplexity: f64) {
    let nearest = row.iter().copied().fold(f32::INFINITY, f32::min);
    if !nearest.is_finite() {
        let share = 1.0 / row.len() as f32;
        row.fill(share);
        return;
    }
    let beyond: Vec<f32> = row.iter().map(|&square| square - nearest).collect();
    let wanted = perplexity.ln();
    let spread: f64 = beyond.iter().filter(|b| b.is_finite()).map(|&b| f64::from(b)).sum::<f64>() / row.len() as f64;
    let (mut low, mut high) = (0.0f64, f64::INFINITY);
    let mut beta = if spread > 0.0 { 1.0 / spread } else { 1.0 };
    let mut sum = 0.0f64;
    for _ in 0..STEPS {
        let mut along = 0.0f64;
        sum = 0.0;
        for (weight, &square) in row.iter_mut().zip(&beyond) {
            *weight = (-(beta as f32) * square).exp();
            if *weight > 0.0 {
                sum += f64::from(*weight);
                along += f64::from(*weight) * f64::from(square);
            }
        }
        let off = sum.ln() + beta * along / sum - wanted;
        if off.abs() <= TOLERANCE {
            break;
        }
        if off > 0.0 {
            low = beta;
            beta = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * beta };
        } else {
            high = beta;
            beta = 0.5 * (low + high);
        }
        if !(1e-30..1e30).contains(&beta) {
            break;
        }
    }
    let scale = (1.0 / sum) as f32;
    row.iter_mut().for_each(|weight| *weight *= scale);
}

/// `(p(j|i) + p(i|j)) / 2n`, as sorted rows.
fn symmetric(
    graph: &NeighbourGraph,
    k: usize,
    weights: &[f32],
    (perplexity, progress): (f32, &Progress),
) -> Result<Affinities, Cancelled> {
    let rows = graph.len();
    let mut starts = vec![0usize; rows + 1];
    for row in 0..rows {
        check_at(row, progress)?;
        for &column in &graph.of(row)[..k] {
            starts[column as usize + 1] += 1;
        }
    }
    (0..rows).for_each(|row| starts[row + 1] += starts[row]);
    let mut incoming = vec![(0u32, 0.0f32); rows * k];
    let mut next = starts.clone();
    for row in 0..rows {
        check_at(row, progress)?;
        for (&column, &weight) in graph.of(row)[..k].iter().zip(&weights[row * k..]) {
            let at = &mut next[column as usize];
            incoming[*at] = (row as u32, weight);
            *at += 1;
        }
    }
    let scale = 0.5 / rows as f32;
    let parts: Vec<Part> = (0..rows.div_ceil(PART))
        .into_par_iter()
        .map(|part| {
            progress.check()?;
            let mut made = Part::default();
            let mut all = Vec::new();
            for row in part * PART..rows.min((part + 1) * PART) {
                all.clear();
                all.extend(graph.of(row)[..k].iter().copied().zip(weights[row * k..(row + 1) * k].iter().copied()));
                all.extend_from_slice(&incoming[starts[row]..starts[row + 1]]);
                made.add(row, &mut all, scale);
            }
            Ok(made)
        })
        .collect::<Result<_, Cancelled>>()?;
    drop((incoming, next));
    joined(&parts, &mut starts, progress)?;
    let total = starts[rows];
    let mut made = Affinities { starts, columns: vec![0; total], weights: vec![0.0; total], perplexity };
    let (mut columns, mut weights) = (&mut made.columns[..], &mut made.weights[..]);
    let mut places = Vec::with_capacity(parts.len());
    for part in &parts {
        let (own, rest) = columns.split_at_mut(part.columns.len());
        columns = rest;
        let (own_weights, rest) = weights.split_at_mut(part.columns.len());
        weights = rest;
        places.push((own, own_weights));
    }
    parts.into_par_iter().zip(places).try_for_each(|(part, (columns, weights))| {
        progress.check()?;
        columns.copy_from_slice(&part.columns);
        weights.copy_from_slice(&part.weights);
        Ok(())
    })?;
    Ok(made)
}

/// Finished rows of one task.
#[derive(Default)]
struct Part {
    lengths: Vec<u32>,
    columns: Vec<u32>,
    weights: Vec<f32>,
}

impl Part {
    /// Adds a row: `all` names each neighbour once or, where both name the other, twice.
    fn add(&mut self, row: usize, all: &mut Vec<(u32, f32)>, scale: f32) {
        all.sort_unstable_by_key(|&(column, _)| column);
        all.dedup_by(|later, first| {
            let same = later.0 == first.0;
            first.1 += if same { later.1 } else { 0.0 };
            same
        });
        all.retain(|&(column, weight)| column as usize != row && weight > 0.0);
        self.lengths.push(all.len() as u32);
        self.columns.extend(all.iter().map(|&(column, _)| column));
        self.weights.extend(all.iter().map(|&(_, weight)| scale * weight));
    }
}

/// Sets where each row of the parts begins.
fn joined(parts: &[Part], starts: &mut [usize], progress: &Progress) -> Result<(), Cancelled> {
    let (mut row, mut total) = (0, 0);
    for part in parts {
        progress.check()?;
        for &length in &part.lengths {
            total += length as usize;
            row += 1;
            starts[row] = total;
        }
    }
    Ok(())
}

/// Looks whether the work was cancelled, at some of all rows.
fn check_at(row: usize, progress: &Progress) -> Result<(), Cancelled> {
    if row.is_multiple_of(LOOK) { progress.check() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entropy(row: &[f32]) -> f64 {
        row.iter().filter(|&&p| p > 0.0).map(|&p| -f64::from(p) * f64::from(p).ln()).sum()
    }

    #[test]
    fn weights_have_the_perplexity_asked_for_at_any_scale() {
        for scale in [1e-6f32, 1.0, 1e6] {
            let mut row: Vec<f32> = (0..90).map(|i| scale * (1.0 + i as f32)).collect();
            gaussian(&mut row, 30.0);
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            assert!((entropy(&row).exp() - 30.0).abs() < 1e-2, "{}", entropy(&row).exp());
        }
    }

    #[test]
    fn rows_without_a_gradient_of_distance_stay_finite() {
        for squares in [vec![0.0; 6], vec![f32::INFINITY; 6], vec![0.0, 0.0, 0.0, 1.0, 1.0, f32::INFINITY]] {
            let mut row = squares;
            gaussian(&mut row, 2.0);
            assert!(row.iter().all(|w| w.is_finite() && *w >= 0.0), "{row:?}");
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn few_points_get_a_smaller_perplexity() {
        assert_eq!(neighbours_needed(30.0, 10_000), 90);
        assert_eq!(neighbours_needed(30.0, 31), 30);
        assert_eq!([0, 1, 2, 3, 4].map(|n| neighbours_needed(30.0, n)), [0, 0, 1, 2, 3]);
        assert_eq!(neighbours_needed(f32::NAN, 1000), 90);
    }

    #[test]
    fn weights_are_symmetric_and_together_one() {
        let scores = [-1.0, -2.0, -1.0, -1.5, -1.5, -2.0, -3.0, -4.0];
        let graph = NeighbourGraph::new(2, Metric::Euclidean, [1, 2, 0, 2, 1, 0, 2, 1], scores);
        let affinities = Affinities::from_graph(&graph, 2, 5.0).unwrap();
        assert!((affinities.weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let weight = |i: usize, j: u32| {
            let (columns, weights) = affinities.row(i);
            columns.iter().position(|&column| column == j).map_or(0.0, |at| weights[at])
        };
        for i in 0..4 {
            for j in 0..4 {
                assert_eq!(weight(i, j as u32), weight(j, i as u32));
            }
        }
        let wrong = NeighbourGraph { indices: [1, 9, 0, 2, 1, 0, 2, 1].into(), ..graph };
        assert_eq!(Affinities::from_graph(&wrong, 2, 5.0), Err(ProjectionError::NoSuchRow { row: 9, rows: 4 }));
    }
}
