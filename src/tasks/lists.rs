//! The neighbours of every row of any vectors, with what is known of how they were found; and vectors made shorter.
//!
//! Shares nothing with other work (see `neighbours` for the graph of an embedding set). Invariant: a graph that is not exact comes with
//! its recall.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::project::natural_metric;
use super::{Environment, RowInfo, SheetColumn, TaskError, write_sheet};
use crate::progress::Progress;
use crate::projection::{self, Pca, Reduction};
use crate::search::{GraphChoice, NeighbourGraph, approximate_graph, exact_graph, recall};
use crate::vectors::arrays::{self, ArrayColumn};
use crate::vectors::{Metric, Vectors, npy};

/// Up to so many rows all pairs are compared, unless asked otherwise.
const EXACT_UP_TO: usize = 200_000;
/// Rows on which recall is measured.
const SAMPLE: usize = 1000;

/// Which neighbours are looked for.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// The vectors.
    pub vectors: Vectors,
    /// What counts as near; `None` takes the cosine of vectors of length 1 and the distance of others.
    pub metric: Option<Metric>,
    /// Neighbours a row.
    pub k: usize,
    /// Whether all pairs are compared.
    pub choice: GraphChoice,
    /// Seed of an approximate search and of the sample on which it is measured.
    pub seed: u64,
}

/// The neighbours of every row and what they took.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The neighbours; `recall` is known.
    pub graph: NeighbourGraph,
    /// Seconds to find them.
    pub seconds: f64,
    /// Seconds to measure the recall.
    pub seconds_recall: f64,
}

/// Finds the neighbours of every row.
///
/// # Errors
/// Cancelled.
pub fn neighbour_lists(request: &ListRequest, env: &Environment, progress: &Progress) -> Result<Listed, TaskError> {
    env.run(|| {
        let vectors = &request.vectors;
        let metric = request.metric.unwrap_or_else(|| natural_metric(vectors));
        let started = Instant::now();
        let exact = match request.choice {
            GraphChoice::Automatic => vectors.len() <= EXACT_UP_TO,
            GraphChoice::Exact => true,
            GraphChoice::Approximate => false,
        };
        let mut graph = match exact {
            true => exact_graph(vectors, metric, request.k, progress)?,
            false => approximate_graph(vectors, metric, request.k, request.seed, progress)?,
        };
        let seconds = started.elapsed().as_secs_f64();
        let started = Instant::now();
        graph.recall = Some(recall(vectors, &graph, SAMPLE, request.seed, progress)?);
        Ok(Listed { graph, seconds, seconds_recall: started.elapsed().as_secs_f64() })
    })
}

/// The two files that `.npy` lists are written to: `F.indices.npy` and `F.scores.npy`.
pub fn list_files(path: &Path) -> [PathBuf; 2] {
    ["indices.npy", "scores.npy"].map(|ending| path.with_extension(ending))
}

/// Writes neighbours: `.csv`, `.jsonl` or `.parquet` with a line a row; `.npz` with the arrays `indices`, `scores` and `path`; or `.npy` as
/// two files (see [`list_files`]).
///
/// # Errors
/// Another ending; the file cannot be written.
pub fn export_neighbours(graph: &NeighbourGraph, rows: &[RowInfo], path: &Path) -> Result<(), TaskError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let indices = ArrayColumn::Tables(graph.k, &graph.indices);
    let scores = || Vectors::new(graph.scores.clone(), graph.k.max(1));
    match ending.as_deref() {
        Some("npz") => {
            let paths = ArrayColumn::Words(rows.iter().map(|row| row.path.as_str()).collect());
            return Ok(arrays::write_named(path, ("scores", &scores()?), &[("indices", indices), ("path", paths)])?);
        }
        Some("npy") => {
            let [indices_file, scores_file] = list_files(path);
            arrays::write_alone(&indices_file, &indices)?;
            return Ok(npy::write(&scores_file, &scores()?)?);
        }
        _ => {}
    }
    let mut columns = vec![
        ("row", SheetColumn::Numbers(rows.iter().map(|row| row.row as i64).collect())),
        ("path", SheetColumn::Words(rows.iter().map(|row| row.path.as_str()).collect())),
    ];
    if graph.k > 0 {
        columns.push(("neighbour", SheetColumn::NumberLists(graph.k, &graph.indices)));
        columns.push(("score", SheetColumn::ShareLists(graph.k, &graph.scores)));
    }
    write_sheet(&columns, path)
}

/// Vectors of fewer dimensions.
#[derive(Clone, Debug)]
pub struct Shortened {
    /// The vectors, in the same order.
    pub vectors: Vectors,
    /// Share of the variance along each principal component that was kept; empty for other ways.
    pub explained_variance: Vec<f32>,
    /// Seconds it took.
    pub seconds: f64,
    /// Of these, seconds for the coordinates once the components were known; 0 for other ways.
    pub seconds_transform: f64,
}

/// Makes vectors shorter.
///
/// # Errors
/// Cancelled; no vectors.
pub fn shorten(
    vectors: &Vectors,
    reduction: Reduction,
    env: &Environment,
    progress: &Progress,
) -> Result<Shortened, TaskError> {
    env.run(|| {
        let started = Instant::now();
        let mut seconds_transform = 0.0;
        let (vectors, explained_variance) = match reduction {
            Reduction::Pca { k } => {
                let pca = Pca::fit_with(vectors, k.clamp(1, vectors.dim()), progress)?;
                progress.check()?;
                let known = Instant::now();
                let short = pca.transform(vectors)?;
                seconds_transform = known.elapsed().as_secs_f64();
                (short, pca.explained_variance_ratio)
            }
            _ => (projection::reduce(vectors, reduction, progress)?, Vec::new()),
        };
        Ok(Shortened { vectors, explained_variance, seconds: started.elapsed().as_secs_f64(), seconds_transform })
    })
}
