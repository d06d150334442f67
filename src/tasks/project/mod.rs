//! Laying vectors out in the plane, in slices, with the newest map in a one-place slot as it forms.
//!
//! The optimisers know nothing of time; here they are asked for a few iterations at a time. Invariant: how the work is sliced never
//! changes the result.

mod keeper;
mod limits;
mod live;
mod methods;
mod optimise;
mod pacmap;

use std::sync::Arc;
use std::time::Instant;

use rayon::prelude::*;

use super::neighbours::graph_of_depth;
use super::{Environment, TaskError, shared_graph};
use crate::progress::Progress;
use crate::projection::{
    DistanceCorrelation, FEWEST_JUDGED, LINFA_LIMIT, Method, Pca, ProjectionError, Quality, TsneEngine, TsneParams,
    distance_correlation, linfa_tsne, quality,
};
use crate::search::NeighbourGraph;
use crate::vectors::{Metric, RowId, Vectors, normalize_rows};
use crate::workspace::{Projection, ProjectionParams, SharedGraph};
pub use live::{LiveFrame, LiveSlot};
pub(super) use methods::space_of;
use optimise::Made;

/// Principal components whose variance is told.
pub(super) const COMPONENTS: usize = 64;
/// Points whose neighbours are checked for the quality of a map.
const SAMPLE: usize = 2000;
/// Points whose distances to one another are compared.
const PAIRED: usize = 1000;
/// Seed of these samples.
const SAMPLE_SEED: u64 = 42;

/// Vectors to lay out.
#[derive(Clone, Debug)]
pub struct ProjectRequest {
    /// The vectors.
    pub vectors: Vectors,
    /// The corpus row of each.
    pub rows: Arc<[RowId]>,
    /// How.
    pub params: ProjectionParams,
    /// Their neighbour graphs: used where made, and made here where not.
    pub graph: SharedGraph,
    /// A category of each vector, −1 where unknown, that UMAP is to keep together; `None` lays out by the vectors alone.
    pub labels: Option<Arc<[i32]>>,
    /// What the map is held against, where `vectors` are shorter ones made of them, row by row.
    pub original: Option<Vectors>,
    /// Whether nobody else will ask for the neighbours: no more are found than this map needs.
    pub alone: bool,
}

impl ProjectRequest {
    /// The vectors with neighbours of their own and no labels.
    pub fn new(vectors: Vectors, rows: Arc<[RowId]>, params: ProjectionParams) -> Self {
        Self { vectors, rows, params, graph: SharedGraph::default(), labels: None, original: None, alone: false }
    }

    /// The graph of at least `k` neighbours by the metric of the map.
    fn neighbours(&self, k: usize, env: &Environment, progress: &Progress) -> Result<Arc<NeighbourGraph>, TaskError> {
        let metric = metric_of_map(&self.params, &self.vectors);
        if self.alone {
            return graph_of_depth(&self.graph, &self.vectors, (metric, k, k), env, progress);
        }
        shared_graph(&self.graph, &self.vectors, (metric, k), env, progress)
    }
}

/// The metric that lays vectors out as they are meant: cosine where all have length 1, which orders neighbours as the distance does.
pub(super) fn natural_metric(vectors: &Vectors) -> Metric {
    let unit = vectors.values().par_chunks(vectors.dim()).with_min_len(1024).all(|row| {
        let square: f32 = row.iter().map(|value| value * value).sum();
        (square - 1.0).abs() < 1e-3
    });
    if unit { Metric::Cosine } else { Metric::Euclidean }
}

/// What counts as near on a map: what was asked for, else what the vectors are meant for.
pub(super) fn metric_of_map(params: &ProjectionParams, vectors: &Vectors) -> Metric {
    params.metric.unwrap_or_else(|| natural_metric(vectors))
}

/// Vectors whose distances order neighbours as `metric` does: the rows at length 1 where it is the cosine.
fn by_distance(vectors: &Vectors, metric: Metric) -> Result<Vectors, TaskError> {
    if metric != Metric::Cosine || natural_metric(vectors) == Metric::Cosine {
        return Ok(vectors.clone());
    }
    let mut values = vectors.values().to_vec();
    normalize_rows(&mut values, vectors.dim());
    Ok(Vectors::new(values, vectors.dim())?)
}

/// Lays vectors out and measures how far the map may be trusted.
///
/// # Errors
/// Cancelled; no vectors, or vectors that cannot be laid out.
pub fn project(
    request: &ProjectRequest,
    live: &LiveSlot,
    env: &Environment,
    progress: &Progress,
) -> Result<Projection, TaskError> {
    env.run(|| {
        progress.check()?;
        let method = request.params.method;
        if method == Method::Tsne {
            check_engine(&request.params.tsne, request.vectors.len())?;
        }
        progress.stage("Finding the principal components", "steps", 0);
        let started = Instant::now();
        let pca = Pca::fit_with(&request.vectors, COMPONENTS.min(request.vectors.dim()), progress)?;
        progress.stage("Placing along the principal components", "vectors", request.vectors.len() as u64);
        let start = pca.plane_with(&request.vectors, progress)?;
        let in_space = method == Method::Pca && request.params.dimensions == 3;
        let space = in_space.then(|| space_of(&pca, &request.vectors)).transpose()?;
        let pca_seconds = started.elapsed().as_secs_f64();
        progress.check()?;
        if method == Method::Pca {
            // The map can be looked at while its quality is measured.
            let layout = optimise::seen(request, || start.clone(), space.as_deref());
            live.put(LiveFrame { layout, iteration: 0, iterations: 0, kl: None });
            progress.stage("Measuring how far the map can be trusted", "steps", 0);
        }
        let mut made = lay_out(request, (&pca, start), live, (env, progress))?;
        made.space = made.space.or(space);
        made.seconds[1] += pca_seconds;
        let mut notes = request.graph.take_notes();
        notes.append(&mut made.notes);
        notes.extend(limits::beyond(request));
        let started = Instant::now();
        let original = request.original.as_ref().unwrap_or(&request.vectors);
        let all_equal = request.vectors.are_all_equal();
        notes.extend(all_equal.then(|| "All vectors are equal: this map shows nothing".to_owned()));
        let measured = match &made.space {
            _ if all_equal => None,
            Some(space) => measure((original, &request.params), space, progress)?,
            None => measure((original, &request.params), &made.points, progress)?,
        };
        Ok(Projection {
            space: made.space.map(Into::into),
            distances: measured.map(|(_, distances)| distances),
            history: made.history.into(),
            explained_variance: pca.explained_variance_ratio.into(),
            kl: made.kl.into(),
            graph: made.graph,
            all_equal,
            quality: measured.map(|(quality, _)| quality),
            seconds: [made.seconds[0], made.seconds[1], started.elapsed().as_secs_f64()],
            preparing: [pca_seconds, made.weighing],
            notes: notes.into(),
            ..Projection::new(request.params, request.rows.clone(), made.points.into())
        })
    })
}

/// How far a map of two or three dimensions may be trusted, near and far, by what counts as near on it; `None` where too few points
/// are on it to judge.
pub(super) fn measure<const D: usize>(
    (vectors, params): (&Vectors, &ProjectionParams),
    points: &[[f32; D]],
    progress: &Progress,
) -> Result<Option<(Quality, DistanceCorrelation)>, TaskError> {
    if points.len() < FEWEST_JUDGED {
        return Ok(None);
    }
    let vectors = by_distance(vectors, metric_of_map(params, vectors))?;
    let near = quality(&vectors, points, SAMPLE, SAMPLE_SEED, progress)?;
    Ok(Some((near, distance_correlation(&vectors, points, PAIRED, SAMPLE_SEED, progress)?)))
}

fn lay_out(
    request: &ProjectRequest,
    (pca, start): (&Pca, Vec<[f32; 2]>),
    live: &LiveSlot,
    (env, progress): (&Environment, &Progress),
) -> Result<Made, TaskError> {
    let params = &request.params;
    match params.method {
        Method::Pca => Ok(Made { points: start, ..Made::default() }),
        Method::Tsne if params.tsne.engine == TsneEngine::Linfa => {
            let started = Instant::now();
            progress.stage("Running linfa-tsne", "steps", 0);
            let points = linfa_tsne(&request.vectors, &params.tsne)?;
            Ok(Made { points, seconds: [0.0, started.elapsed().as_secs_f64()], ..Made::default() })
        }
        Method::Tsne => methods::tsne(request, &start, live, (env, progress)),
        Method::Umap => methods::umap(request, (pca, &start), live, (env, progress)),
        Method::Pacmap => pacmap::pacmap(request, (pca, &start), live, (env, progress)),
    }
}

/// Whether a t-SNE engine takes so many points: to be asked before any work is done for it.
///
/// # Errors
/// [`ProjectionError::TooManyForLinfa`].
pub fn check_engine(params: &TsneParams, points: usize) -> Result<(), TaskError> {
    if params.engine == TsneEngine::Linfa && points > LINFA_LIMIT {
        return Err(ProjectionError::TooManyForLinfa { rows: points, limit: LINFA_LIMIT }.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three clouds on the corners of a simplex.
    pub(super) fn request(method: Method) -> ProjectRequest {
        let mut values = Vec::new();
        for n in 0..60u32 {
            let mut row = [0.05, 0.05, 0.05, (n as f32 * 0.7).sin() * 0.1];
            row[n as usize % 3] = 1.0;
            values.extend(row);
        }
        let tsne =
            TsneParams { iterations: 120, exaggeration_iterations: 50, perplexity: 8.0, ..TsneParams::default() };
        let params = ProjectionParams { tsne, ..ProjectionParams::new(method) };
        ProjectRequest::new(Vectors::new(values, 4).unwrap(), (0..60).map(RowId).collect(), params)
    }

    #[test]
    fn every_method_lays_out_every_row_and_is_measured() {
        for method in [Method::Pca, Method::Tsne, Method::Umap, Method::Pacmap] {
            let live = LiveSlot::default();
            let made = project(&request(method), &live, &Environment::default(), &Progress::new()).unwrap();
            assert_eq!(made.points.len(), 60);
            assert!(made.quality.unwrap().trustworthiness > 0.8, "{method:?}: {:?}", made.quality);
            let iterations: Vec<u32> = made.kl.iter().map(|&(iteration, _)| iteration).collect();
            let expected: &[u32] = if method == Method::Tsne { &[50, 100, 120] } else { &[] };
            assert_eq!(iterations, expected);
            let moments: Vec<u32> = made.history.iter().map(|moment| moment.iteration).collect();
            assert!(moments.is_sorted(), "{moments:?}");
            assert_eq!(
                made.history.last().map(|last| last.points == made.points),
                (method != Method::Pca).then_some(true)
            );
        }
    }

    #[test]
    fn a_map_of_few_points_is_not_judged() {
        let whole = request(Method::Pca);
        for rows in [1, 2, 11, 12] {
            let vectors = whole.vectors.select(0..rows);
            let few = ProjectRequest::new(vectors, whole.rows[..rows].into(), whole.params);
            let made = project(&few, &LiveSlot::default(), &Environment::default(), &Progress::new()).unwrap();
            assert_eq!((made.quality.is_some(), made.is_judged()), (rows >= 12, rows >= 12), "{rows} rows");
            assert_eq!(made.distances.is_some(), rows >= 12);
        }
    }

    #[test]
    fn three_axes_are_found_and_their_first_two_shown() {
        for method in [Method::Pca, Method::Umap, Method::Pacmap] {
            let mut request = request(method);
            request.params.dimensions = 3;
            let made = project(&request, &LiveSlot::default(), &Environment::default(), &Progress::new()).unwrap();
            let space = made.space.unwrap();
            assert_eq!(space.len(), 60);
            for (seen, point) in space.iter().zip(made.points.iter()) {
                assert!((seen[0] - point[0]).abs() + (seen[1] - point[1]).abs() < 1e-3, "{seen:?} {point:?}");
            }
        }
    }

    #[test]
    fn one_graph_serves_every_method_and_is_made_once() {
        let mut request = request(Method::Umap);
        project(&request, &LiveSlot::default(), &Environment::default(), &Progress::new()).unwrap();
        let metric = natural_metric(&request.vectors);
        let first = request.graph.get(metric, 14).unwrap();
        request.params.method = Method::Tsne;
        project(&request, &LiveSlot::default(), &Environment::default(), &Progress::new()).unwrap();
        assert!(Arc::ptr_eq(&first, &request.graph.get(metric, 14).unwrap()));
    }

    #[test]
    fn a_map_says_of_what_neighbours_it_was_made() {
        let of = |request: &ProjectRequest| {
            project(request, &LiveSlot::default(), &Environment::default(), &Progress::new()).unwrap().graph
        };
        let request = request(Method::Umap);
        let exact = of(&request).unwrap();
        assert_eq!((exact.exact, exact.recall, exact.words().as_str()), (true, None, "exact"));
        let metric = natural_metric(&request.vectors);
        let graph = request.graph.get(metric, 14).unwrap();
        let rough = NeighbourGraph { exact: false, recall: Some(0.935), ..NeighbourGraph::clone(&graph) };
        request.graph.put(rough.k, Arc::new(rough));
        for method in [Method::Umap, Method::Tsne] {
            let params = ProjectionParams { method, ..request.params };
            let told = of(&ProjectRequest { params, ..request.clone() }).unwrap();
            assert_eq!((told.exact, told.recall), (false, Some(0.935)));
            assert_eq!(told.words(), "93.5 % of the true neighbours found");
        }
        assert_eq!(of(&self::request(Method::Pca)), None);
    }

    #[test]
    fn stopping_keeps_the_map_and_cancelling_does_not() {
        let live = LiveSlot::default();
        live.stop();
        let made = project(&request(Method::Tsne), &live, &Environment::default(), &Progress::new()).unwrap();
        assert_eq!((made.points.len(), made.kl.len()), (60, 0));
        let progress = Progress::new();
        progress.cancel();
        let error = project(&request(Method::Tsne), &LiveSlot::default(), &Environment::default(), &progress);
        assert!(error.unwrap_err().is_cancelled());
    }

    #[test]
    fn a_map_by_the_cosine_is_measured_by_the_cosine() {
        let mut request = request(Method::Tsne);
        let stretched = request.vectors.rows().enumerate().flat_map(|(at, row)| {
            let factor = 1.0 + (at * 37 % 60) as f32;
            row.iter().map(move |value| value * factor)
        });
        request.vectors = Vectors::new(stretched.collect::<Vec<f32>>(), 4).unwrap();
        request.params.metric = Some(Metric::Cosine);
        let made = project(&request, &LiveSlot::default(), &Environment::default(), &Progress::new()).unwrap();
        let mut unit = request.vectors.values().to_vec();
        normalize_rows(&mut unit, 4);
        let points = made.points.clone();
        let by = |vectors: &Vectors| quality(vectors, &points, SAMPLE, SAMPLE_SEED, &Progress::new()).unwrap();
        assert_eq!(made.quality, Some(by(&Vectors::new(unit, 4).unwrap())));
        assert_ne!(made.quality, Some(by(&request.vectors)));
    }
}
