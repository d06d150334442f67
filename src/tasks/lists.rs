//! The neighbours of every row of any vectors, with what is known of how they were found; and vectors made shorter.
//!
//! The graph of an embedding set is used where one is given (see `neighbours`). Invariant: a graph that is not exact comes with its recall.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::neighbours::graph_of_depth;
use super::project::natural_metric;
use super::saving::{Fill, Saved, save};
use super::{Environment, RowInfo, SheetColumn, TaskError, write_sheet};
use crate::progress::Progress;
use crate::projection::{FittedReduction, Reduction};
use crate::search::{GraphChoice, NeighbourGraph, approximate_graph, exact_graph, recall};
use crate::vectors::arrays::{self, ArrayColumn};
use crate::vectors::{Metric, RowBlocks, Vectors, npy};
use crate::workspace::SharedGraph;

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
    /// Where the graphs of these vectors are shared: exact lists are taken from there, and from the cache, where they are known, and are
    /// put there where not (up to 200,000 vectors). `None` finds them anew, as deep as asked for.
    pub shared: Option<SharedGraph>,
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
    /// What there is to tell of how they came to be.
    pub notes: Vec<String>,
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
        let mut graph = match (exact, &request.shared) {
            (true, Some(shared)) if vectors.len() <= EXACT_UP_TO => {
                exact_from(shared, request, metric, (env, progress))?
            }
            (true, _) => exact_graph(vectors, metric, request.k, progress)?,
            (false, _) => approximate_graph(vectors, metric, request.k, request.seed, progress)?,
        };
        let seconds = started.elapsed().as_secs_f64();
        let started = Instant::now();
        graph.recall = Some(recall(vectors, &graph, SAMPLE, request.seed, progress)?);
        let mut notes = request.shared.as_ref().map(SharedGraph::take_notes).unwrap_or_default();
        let (asked, rows) = (request.k, vectors.len());
        let told = || format!("{asked} neighbours were asked for; {rows} rows allow {}, which were found", graph.k);
        notes.extend((graph.k < asked && rows > 1).then(told));
        Ok(Listed { graph, seconds, seconds_recall: started.elapsed().as_secs_f64(), notes })
    })
}

/// The first neighbours of the shared graph, which is made no deeper than asked for; found anew where that is not exact.
fn exact_from(
    shared: &SharedGraph,
    request: &ListRequest,
    metric: Metric,
    (env, progress): (&Environment, &Progress),
) -> Result<NeighbourGraph, TaskError> {
    let graph = graph_of_depth(shared, &request.vectors, (metric, request.k, request.k), env, progress)?;
    if graph.exact {
        return Ok(graph.nearest(request.k));
    }
    Ok(exact_graph(&request.vectors, metric, request.k, progress)?)
}

/// The three files that `.npy` lists are written to: `F.indices.npy`, `F.scores.npy` and `F.rows.npy`.
pub fn list_files(path: &Path) -> [PathBuf; 3] {
    ["indices.npy", "scores.npy", "rows.npy"].map(|ending| path.with_extension(ending))
}

/// The lists with every row by its number in the file it came from: rows that were left out there have a number too.
fn numbered<'a>(graph: &'a NeighbourGraph, rows: &[RowInfo]) -> Cow<'a, [u32]> {
    if rows.iter().enumerate().all(|(at, row)| row.row == at) {
        return Cow::Borrowed(&graph.indices);
    }
    graph.indices.iter().map(|&at| rows[at as usize].row as u32).collect()
}

/// Writes neighbours: `.csv`, `.jsonl` or `.parquet` with a line a row; `.npz` with the arrays `scores`, `indices`, `row` and `path`; or
/// `.npy` as three files (see [`list_files`]). Rows are named by their number in the file they came from, everywhere.
///
/// # Errors
/// Cancelled, when what was there is as it was; another ending; the file cannot be written.
pub fn export_neighbours(
    graph: &NeighbourGraph,
    rows: &[RowInfo],
    path: &Path,
    progress: &Progress,
) -> Result<(), TaskError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let named = numbered(graph, rows);
    let numbers = || rows.iter().map(|row| row.row as i64).collect();
    let indices = ArrayColumn::Tables(graph.k, &named);
    let scores = || Vectors::new(&graph.scores[..], graph.k.max(1));
    let count = rows.len();
    match ending.as_deref() {
        Some("npz") => {
            let paths = ArrayColumn::Words(rows.iter().map(|row| row.path.as_str()).collect());
            let columns = [("indices", indices), ("row", ArrayColumn::Numbers(numbers())), ("path", paths)];
            let scores = scores()?;
            let fill: Fill<'_> = &|part, heard| arrays::fill(part, ("scores", &scores), &columns, heard);
            return save(&[Saved { path, rows: count, fill }], progress);
        }
        Some("npy") => {
            let [indices_file, scores_file, rows_file] = list_files(path);
            let (numbers, scores) = (ArrayColumn::Numbers(numbers()), scores()?);
            let fills: [(&Path, Fill<'_>); 3] = [
                (&indices_file, &|part, heard| arrays::fill_alone(part, &indices, heard)),
                (&rows_file, &|part, heard| arrays::fill_alone(part, &numbers, heard)),
                (&scores_file, &|part, heard| npy::fill(part, &scores, heard)),
            ];
            return save(&fills.map(|(path, fill)| Saved { path, rows: count, fill }), progress);
        }
        _ => {}
    }
    let mut columns = vec![
        ("row", SheetColumn::Numbers(numbers())),
        ("path", SheetColumn::Words(rows.iter().map(|row| row.path.as_str()).collect())),
    ];
    if graph.k > 0 {
        columns.push(("neighbour", SheetColumn::NumberLists(graph.k, &named)));
        columns.push(("score", SheetColumn::ShareLists(graph.k, &graph.scores)));
    }
    write_sheet(&columns, path, progress)
}

/// Vectors of fewer dimensions.
#[derive(Clone, Debug)]
pub struct Shortened {
    /// The vectors, in the same order.
    pub vectors: Vectors,
    /// How they were made so: makes other vectors as short.
    pub fitted: FittedReduction,
    /// Share of the variance along each principal component that was kept; empty for other ways.
    pub explained_variance: Vec<f32>,
    /// Seconds it took.
    pub seconds: f64,
    /// Of these, seconds for the coordinates once the components were known; 0 for other ways.
    pub seconds_transform: f64,
    /// What was not done as it was asked for.
    pub notes: Vec<String>,
}

/// Makes vectors shorter, which may stay in their file: at no time are all of them in memory.
///
/// # Errors
/// Cancelled; no vectors; they cannot be read.
pub fn shorten(
    rows: &dyn RowBlocks,
    reduction: Reduction,
    env: &Environment,
    progress: &Progress,
) -> Result<Shortened, TaskError> {
    env.run(|| {
        let started = Instant::now();
        let fitted = FittedReduction::fit(rows, reduction, progress)?;
        let known = Instant::now();
        let vectors = fitted.apply(rows, progress)?;
        let pca = fitted.pca();
        Ok(Shortened {
            explained_variance: pca.map_or_else(Vec::new, |pca| pca.explained_variance_ratio.clone()),
            seconds: started.elapsed().as_secs_f64(),
            seconds_transform: pca.map_or(0.0, |_| known.elapsed().as_secs_f64()),
            notes: fewer(reduction, (rows.row_count(), rows.row_length())).into_iter().collect(),
            vectors,
            fitted,
        })
    })
}

/// What is made of more dimensions than there are, or of more principal components than so few rows have.
fn fewer(asked: Reduction, (rows, dim): (usize, usize)) -> Option<String> {
    let (k, most) = (asked.k(), rows.saturating_sub(1));
    if k > dim {
        return Some(format!("{} asks for more dimensions than the vectors have: {dim} were taken", asked.spelled()));
    }
    let empty = matches!(asked, Reduction::Pca { .. }) && k > most && rows > 1;
    empty.then(|| format!("{rows} rows have no more than {most} principal components: the others of {k} are 0"))
}

/// Makes vectors, which may stay in their file, as short as others were made before.
///
/// # Errors
/// Cancelled; vectors of other dimensions; they cannot be read.
pub fn shorten_as(
    fitted: &FittedReduction,
    rows: &dyn RowBlocks,
    env: &Environment,
    progress: &Progress,
) -> Result<Shortened, TaskError> {
    let started = Instant::now();
    let vectors = env.run(|| fitted.apply(rows, progress))?;
    let seconds = started.elapsed().as_secs_f64();
    let (explained_variance, notes) = Default::default();
    Ok(Shortened { vectors, fitted: fitted.clone(), explained_variance, seconds, seconds_transform: seconds, notes })
}

/// Makes vectors as short as others were made before.
///
/// # Errors
/// Cancelled; vectors of other dimensions.
pub fn apply_reduction(
    fitted: &FittedReduction,
    vectors: &Vectors,
    env: &Environment,
    progress: &Progress,
) -> Result<Vectors, TaskError> {
    Ok(env.run(|| fitted.apply(vectors, progress))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_come_from_the_cache_and_are_those_found_anew() {
        let dir = tempfile::tempdir().unwrap();
        let env = Environment { cache_dir: Some(dir.path().to_owned()), ..Environment::default() };
        let values: Vec<f32> = (0..700 * 6).map(|at| ((at * 7919 % 104_729) as f32 * 0.613).sin()).collect();
        let vectors = Vectors::new(values, 6).unwrap();
        let request = |k| ListRequest {
            vectors: vectors.clone(),
            metric: Some(Metric::Cosine),
            k,
            choice: GraphChoice::Automatic,
            seed: 1,
            shared: Some(SharedGraph::default()),
        };
        let listed = |k| neighbour_lists(&request(k), &env, &Progress::new()).unwrap();
        assert!(listed(12).notes.is_empty());
        let again = listed(7);
        assert_eq!(again.notes, ["Neighbours from the cache"]);
        let anew = exact_graph(&vectors, Metric::Cosine, 7, &Progress::new()).unwrap();
        assert_eq!((again.graph.k, &again.graph.indices), (7, &anew.indices));
        assert!(again.graph.scores.iter().zip(anew.scores.iter()).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}
