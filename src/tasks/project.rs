//! Laying vectors out in the plane, in slices, with the newest map in a one-place slot as it forms.
//!
//! The optimiser knows nothing of time; here it is asked for a few iterations at a time. Invariant: how the work is sliced never changes
//! the result (divergence is measured at fixed iterations).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Environment, TaskError};
use crate::picture::Layout;
use crate::progress::Progress;
use crate::projection::{
    LINFA_LIMIT, Method, Pca, ProjectionError, Tsne, TsneEngine, TsneParams, linfa_tsne, neighbours_needed, quality,
};
use crate::search::{self, NeighbourGraph};
use crate::vectors::{Metric, RowId, Vectors};
use crate::workspace::{Projection, ProjectionParams};

/// Principal components whose variance is told.
const COMPONENTS: usize = 64;
/// Points whose neighbours are checked for the quality of a map.
const SAMPLE: usize = 2000;
/// Seconds of one slice of work.
const SLICE: f64 = 0.03;
/// The divergence is measured every so many iterations; each time costs about one more.
const KL_EVERY: usize = 50;

/// Vectors to lay out.
#[derive(Clone, Debug)]
pub struct ProjectRequest {
    /// The vectors.
    pub vectors: Vectors,
    /// The corpus row of each.
    pub rows: Arc<[RowId]>,
    /// How.
    pub params: ProjectionParams,
    /// Neighbours that are known already; found anew where they are too few.
    pub graph: Option<Arc<NeighbourGraph>>,
}

/// The newest map of a running layout.
#[derive(Clone, Debug)]
pub struct LiveFrame {
    /// Where the points are now.
    pub layout: Arc<Layout>,
    /// Iterations done.
    pub iteration: usize,
    /// Iterations in all.
    pub iterations: usize,
    /// Divergence when it was last measured.
    pub kl: Option<f32>,
}

/// One place for the newest map, shared by the worker and whoever draws; and the wish to stop early.
#[derive(Clone, Debug, Default)]
pub struct LiveSlot {
    newest: Arc<Mutex<Option<LiveFrame>>>,
    stop: Arc<AtomicBool>,
}

impl LiveSlot {
    /// Puts a map in the place of the one before.
    pub fn put(&self, frame: LiveFrame) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(frame);
    }

    /// Takes the newest map, if one came since the last time.
    pub fn take(&self) -> Option<LiveFrame> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Asks the layout to end now and keep what there is.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
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
        if request.params.method == Method::Tsne {
            check_engine(&request.params.tsne, request.vectors.len())?;
        }
        progress.stage("Finding the principal components", "steps", 0);
        let started = Instant::now();
        let pca = Pca::fit(&request.vectors, COMPONENTS.min(request.vectors.dim()))?;
        let start = pca.plane(&request.vectors)?;
        let pca_seconds = started.elapsed().as_secs_f64();
        progress.check()?;
        if request.params.method == Method::Pca {
            // The map can be looked at while its quality is measured.
            let layout = Arc::new(Layout::new(request.rows.clone(), start.clone().into()));
            live.put(LiveFrame { layout, iteration: 0, iterations: 0, kl: None });
            progress.stage("Measuring how far the map can be trusted", "steps", 0);
        }
        let mut made = match (request.params.method, request.params.tsne.engine) {
            (Method::Pca, _) => Made { points: start, kl: Vec::new(), seconds: [0.0, 0.0] },
            (Method::Tsne, TsneEngine::Embedlens) => tsne(request, &start, live, progress)?,
            (Method::Tsne, TsneEngine::Linfa) => {
                let started = Instant::now();
                progress.stage("Running linfa-tsne", "steps", 0);
                let points = linfa_tsne(&request.vectors, &request.params.tsne)?;
                Made { points, kl: Vec::new(), seconds: [0.0, started.elapsed().as_secs_f64()] }
            }
        };
        made.seconds[1] += pca_seconds;
        let started = Instant::now();
        let seed = request.params.tsne.seed;
        let quality = quality(&request.vectors, &made.points, SAMPLE, seed, progress)?;
        Ok(Projection {
            params: request.params,
            rows: request.rows.clone(),
            points: made.points.into(),
            explained_variance: pca.explained_variance_ratio.into(),
            kl: made.kl.into(),
            quality: Some(quality),
            seconds: [made.seconds[0], made.seconds[1], started.elapsed().as_secs_f64()],
        })
    })
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

/// A layout and what it took: seconds for the neighbours and for the layout.
struct Made {
    points: Vec<[f32; 2]>,
    kl: Vec<(u32, f32)>,
    seconds: [f64; 2],
}

fn tsne(request: &ProjectRequest, start: &[[f32; 2]], live: &LiveSlot, progress: &Progress) -> Result<Made, TaskError> {
    let params = &request.params.tsne;
    let started = Instant::now();
    let graph = graph_for(request, progress)?;
    let neighbour_seconds = started.elapsed().as_secs_f64();
    let started = Instant::now();
    progress.stage("Laying out with t-SNE", "iterations", params.iterations as u64);
    let mut state = Tsne::new(&graph, start, params)?;
    let mut kl: Vec<(u32, f32)> = Vec::new();
    let mut pace = Pace::default();
    while state.iteration() < params.iterations && !live.is_stopped() {
        progress.check()?;
        let slice = Instant::now();
        let before = state.iteration();
        let next_kl = (before / KL_EVERY + 1) * KL_EVERY;
        state.run_to((before + pace.iterations()).min(next_kl).min(params.iterations));
        pace.took(slice.elapsed(), state.iteration() - before);
        if state.iteration() == next_kl || state.iteration() == params.iterations {
            let divergence = state.kl();
            kl.push((state.iteration() as u32, divergence));
            progress.detail(format!("KL {divergence:.3}"));
        }
        progress.set_done(state.iteration() as u64);
        if pace.may_show() {
            pace.show(|| {
                live.put(LiveFrame {
                    layout: Arc::new(Layout::new(request.rows.clone(), state.points().into())),
                    iteration: state.iteration(),
                    iterations: params.iterations,
                    kl: kl.last().map(|&(_, divergence)| divergence),
                });
            });
        }
    }
    Ok(Made { points: state.points().to_vec(), kl, seconds: [neighbour_seconds, started.elapsed().as_secs_f64()] })
}

/// The given neighbours where they are enough and of the right metric, else found anew.
fn graph_for(request: &ProjectRequest, progress: &Progress) -> Result<Arc<NeighbourGraph>, TaskError> {
    let vectors = &request.vectors;
    let needed = neighbours_needed(request.params.tsne.perplexity, vectors.len());
    let unit = vectors.rows().all(|row| {
        let square: f32 = row.iter().map(|value| value * value).sum();
        (square - 1.0).abs() < 1e-3
    });
    // Of vectors of length 1 the cosine orders neighbours as the distance does.
    let metric = if unit { Metric::Cosine } else { Metric::Euclidean };
    if let Some(graph) = &request.graph
        && graph.metric == metric
        && graph.k >= needed
        && graph.len() == vectors.len()
    {
        return Ok(graph.clone());
    }
    Ok(Arc::new(search::exact_graph(vectors, metric, needed, progress)?))
}

/// How many iterations make a slice, and when the next map may be shown.
#[derive(Default)]
struct Pace {
    seconds_each: f64,
    shown: Option<(Instant, Duration)>,
}

impl Pace {
    fn iterations(&self) -> usize {
        if self.seconds_each <= 0.0 { 1 } else { ((SLICE / self.seconds_each) as usize).clamp(1, KL_EVERY) }
    }

    fn took(&mut self, time: Duration, iterations: usize) {
        self.seconds_each = time.as_secs_f64() / iterations.max(1) as f64;
    }

    /// At most 30 maps a second, and no more than a tenth of the time spent on them.
    fn may_show(&self) -> bool {
        self.shown.is_none_or(|(at, cost)| at.elapsed() > (cost * 10).max(Duration::from_millis(33)))
    }

    fn show(&mut self, make: impl FnOnce()) {
        let started = Instant::now();
        make();
        self.shown = Some((Instant::now(), started.elapsed()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three clouds on the corners of a simplex.
    fn request(method: Method) -> ProjectRequest {
        let mut values = Vec::new();
        for n in 0..60u32 {
            let mut row = [0.05, 0.05, 0.05, (n as f32 * 0.7).sin() * 0.1];
            row[n as usize % 3] = 1.0;
            values.extend(row);
        }
        let tsne =
            TsneParams { iterations: 120, exaggeration_iterations: 50, perplexity: 8.0, ..TsneParams::default() };
        ProjectRequest {
            vectors: Vectors::new(values, 4).unwrap(),
            rows: (0..60).map(RowId).collect(),
            params: ProjectionParams { method, tsne },
            graph: None,
        }
    }

    #[test]
    fn both_methods_lay_out_every_row_and_are_measured() {
        for method in [Method::Pca, Method::Tsne] {
            let live = LiveSlot::default();
            let made = project(&request(method), &live, &Environment::default(), &Progress::new()).unwrap();
            assert_eq!(made.points.len(), 60);
            assert!(made.quality.unwrap().trustworthiness > 0.8, "{method:?}: {:?}", made.quality);
            let iterations: Vec<u32> = made.kl.iter().map(|&(iteration, _)| iteration).collect();
            let expected: &[u32] = if method == Method::Tsne { &[50, 100, 120] } else { &[] };
            assert_eq!(iterations, expected);
        }
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
}
