//! What each benchmark does in one run.

use std::path::Path;

use serde_json::{Value, json};

use super::{Found, Stages, Work, check, input, print, set};
use crate::analysis::clusters::adjusted_rand;
use crate::cli::cluster;
use crate::cli::json::{quality, rounded};
use crate::cli::maps::{self, Source};
use crate::cli::neighbours::facts;
use crate::cli::numeric_args::{BenchClusterArgs, BenchNeighboursArgs, BenchPcaArgs, BenchProjectArgs};
use crate::cli::session::{Failure, Session};
use crate::projection::{Method, Reduction};
use crate::tasks::{self, Listed, TaskError};
use crate::vectors::{RowBlocks, Vectors, npy};
use crate::workspace::{ClusterMethod, Projection, ProjectionParams};

/// Arrays alone: what is written beside them elsewhere is in the input.
const ENDINGS: &[&str] = &["npy"];

/// The same rows with no neighbours found yet.
fn fresh(source: &Source) -> Source {
    Source {
        vectors: source.vectors.clone(),
        original: source.original.clone(),
        rows: source.rows.clone(),
        model: None,
        notes: source.notes.clone(),
        graph: Default::default(),
        points: source.points.clone(),
        metric: source.metric,
    }
}

pub(super) fn project(args: &BenchProjectArgs, session: &Session) -> Result<(), Failure> {
    let params = args.layout.params(session.seed()).map_err(Failure::Usage)?;
    args.layout.strangers().iter().for_each(|words| session.say(words));
    let source = input(&args.bench, session, ENDINGS)?;
    let (mut stages, mut last) = (Stages::default(), None);
    for _ in 0..args.bench.rounds.runs {
        let made = maps::lay_out(session, &fresh(&source), (params, args.layout.tuning.by_label))?;
        let ([neighbours, layout, quality], [components, weights]) = (made.seconds, made.preparing);
        let weighing = match params.method {
            Method::Umap => "fuzzy_set",
            Method::Pacmap => "pairs",
            Method::Pca | Method::Tsne => "affinities",
        };
        stages.add("components", components);
        if params.method != Method::Pca {
            stages.add("neighbours", neighbours);
            stages.add(weighing, weights);
            stages.add("optimisation", layout - components - weights);
        }
        stages.add("layout", layout);
        stages.add("quality", quality);
        // Without reading and measuring, as other programs are timed.
        stages.add("total", neighbours + layout);
        last = Some(made);
    }
    let Some(made) = last else { return Ok(()) };
    if let Some(out) = &args.bench.out {
        npy::write(out, &positions(&made)?)?;
    }
    let (rows, dimensions) = (source.vectors.len() as f64, source.vectors.dim() as f64);
    // Of the other stages no least number of operations is known.
    let work = match made.graph {
        Some(graph) if graph.exact => Some(all_pairs(rows, dimensions)),
        Some(_) => None,
        None => Some(components(rows, dimensions)),
    };
    let found = Found { suite: "project", stages, facts: map_facts(&made), work };
    print(&found, &source.vectors, &args.bench, session)
}

fn positions(made: &Projection) -> Result<Vectors, Failure> {
    Ok(match &made.space {
        Some(space) => Vectors::new(space.iter().flatten().copied().collect::<Vec<f32>>(), 3)?,
        None => Vectors::new(made.points.iter().flatten().copied().collect::<Vec<f32>>(), 2)?,
    })
}

fn map_facts(made: &Projection) -> Vec<(&'static str, Value)> {
    let params = &made.params;
    let mut facts = vec![("method", json!(params.method)), ("axes", params.dimensions.into())];
    match params.method {
        Method::Pca => {}
        Method::Tsne => facts.extend([
            ("perplexity", rounded(Some(f64::from(params.tsne.perplexity)), 3)),
            ("iterations", params.tsne.iterations.into()),
        ]),
        Method::Umap => facts.extend([
            ("neighbours", params.umap.n_neighbors.into()),
            ("epochs", params.umap.epochs_for(made.points.len()).into()),
        ]),
        Method::Pacmap => facts.extend([
            ("neighbours", params.pacmap.neighbours_for(made.points.len()).into()),
            ("iterations", params.pacmap.iterations.into()),
        ]),
    }
    facts.push(("exact", json!(made.graph.map(|graph| graph.exact))));
    facts.push(("recall", rounded(made.graph.and_then(|graph| graph.recall).map(f64::from), 5)));
    facts.extend(quality(made.quality));
    let correlation = made.distances.map(|found| f64::from(found.spearman));
    facts.push(("distance_correlation", rounded(correlation, 4)));
    facts.push(("notes", json!(made.notes)));
    facts.push(("kl", rounded(made.kl.last().map(|&(_, kl)| f64::from(kl)), 5)));
    facts
}

/// What exact neighbours cannot do without.
fn all_pairs(rows: f64, dimensions: f64) -> Work {
    Work {
        operations: rows * rows * dimensions,
        formula: "rows² · dimensions: a multiplication and an addition a dimension for every pair, each pair once",
        stage: "neighbours",
        bytes: true,
    }
}

/// What principal components cannot do without.
fn components(rows: f64, dimensions: f64) -> Work {
    Work {
        operations: rows * dimensions * dimensions,
        formula: "rows · dimensions²: a multiplication and an addition for every pair of dimensions, each pair once",
        stage: "components",
        bytes: false,
    }
}

pub(super) fn neighbours(args: &BenchNeighboursArgs, session: &Session) -> Result<(), Failure> {
    let source = input(&args.bench, session, ENDINGS)?;
    let request = args.search.request(&source.vectors, session.seed());
    let (mut stages, mut last): (_, Option<Listed>) = (Stages::default(), None);
    for _ in 0..args.bench.rounds.runs {
        let listed = session.watch(|env, progress| tasks::neighbour_lists(&request, env, progress))?;
        stages.add("neighbours", listed.seconds);
        stages.add("recall", listed.seconds_recall);
        stages.add("total", listed.seconds);
        last = Some(listed);
    }
    let Some(listed) = last else { return Ok(()) };
    if let Some(out) = &args.bench.out {
        session.watch(|_, progress| tasks::export_neighbours(&listed.graph, &source.rows, out, progress))?;
    }
    let (rows, dimensions) = (source.vectors.len() as f64, source.vectors.dim() as f64);
    let work = listed.graph.exact.then(|| all_pairs(rows, dimensions));
    let found = Found { suite: "neighbours", stages, facts: facts(&listed), work };
    print(&found, &source.vectors, &args.bench, session)
}

pub(super) fn pca(args: &BenchPcaArgs, session: &Session) -> Result<(), Failure> {
    check(&args.bench, ENDINGS)?;
    // Half precision stays in its file, so that there may be more of it than memory.
    let rows = session.read_rows(&set(&args.bench))?.vectors;
    let way = Reduction::Pca { k: args.components as usize };
    let (mut stages, mut last) = (Stages::default(), None);
    for _ in 0..args.bench.rounds.runs {
        let made = session.watch(|env, progress| tasks::shorten(&rows, way, env, progress))?;
        stages.add("components", made.seconds - made.seconds_transform);
        stages.add("coordinates", made.seconds_transform);
        stages.add("total", made.seconds);
        last = Some(made);
    }
    let Some(made) = last else { return Ok(()) };
    if let Some(out) = &args.bench.out {
        npy::write(out, &made.vectors)?;
    }
    let kept = made.explained_variance.iter().map(|&share| f64::from(share)).sum::<f64>();
    made.notes.iter().for_each(|note| session.say(note));
    let facts = vec![
        ("components", made.vectors.dim().into()),
        ("explained_variance", rounded(Some(kept), 6)),
        ("notes", json!(made.notes)),
    ];
    let work = Some(components(rows.row_count() as f64, rows.row_length() as f64));
    print(&Found { suite: "pca", stages, facts, work }, &rows, &args.bench, session)
}

/// The lines of a file of labels, of which there must be `rows`.
fn labels(path: &Path, rows: usize) -> Result<Vec<String>, Failure> {
    let fault = |message: String| Failure::Task(TaskError::Format { path: path.to_owned(), message });
    let lines = fs_err::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    let lines: Vec<String> = lines.lines().map(|line| line.trim().to_owned()).collect();
    if lines.len() != rows {
        return Err(fault(format!("it has {} lines, and there are {rows} rows", lines.len())));
    }
    Ok(lines)
}

pub(super) fn cluster(args: &BenchClusterArgs, session: &Session) -> Result<(), Failure> {
    let params = args.cluster.params(session.seed()).map_err(Failure::Usage)?;
    let source = input(&args.bench, session, ENDINGS)?;
    if params.method.on_map() && source.points.is_none() {
        return Err(Failure::Usage(format!(
            "this method looks at a map: give a file of 2 or 3 dimensions, or --method hdbscan-vectors or k-means for {}",
            source.vectors.dim()
        )));
    }
    let known = args.labels.as_ref().map(|path| labels(path, source.vectors.len())).transpose()?;
    let (mut stages, mut last) = (Stages::default(), None);
    for _ in 0..args.bench.rounds.runs {
        let layout = (ProjectionParams::new(Method::Pca), false);
        let made = cluster::clusters(session, &fresh(&source), params, layout)?.clusters;
        stages.add("clusters", made.seconds);
        stages.add("total", made.seconds);
        last = Some(made);
    }
    let Some(made) = last else { return Ok(()) };
    if let Some(out) = &args.bench.out {
        npy::write(out, &Vectors::new(made.fine.labels.iter().map(|&label| label as f32).collect::<Vec<_>>(), 1)?)?;
    }
    let mut facts = vec![
        ("method", json!(params.method)),
        ("clusters", made.len().into()),
        ("noise", rounded(Some(f64::from(made.noise())), 4)),
    ];
    if let Some(known) = known {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        facts.push(("adjusted_rand", rounded(adjusted_rand(&made.fine.labels, &known), 5)));
    }
    match params.method {
        ClusterMethod::KMeans => facts.push(("k", params.k.into())),
        ClusterMethod::Density => {
            let dimensions = if source.points.as_ref().is_some_and(|at| at.space().is_some()) { 3 } else { 2 };
            let used = params.blur(source.vectors.len(), dimensions);
            facts.push(("bandwidth", rounded(Some(f64::from(used)), 4)));
        }
        ClusterMethod::HdbscanMap | ClusterMethod::HdbscanVectors => facts.extend([
            ("min_size", params.fewest(source.vectors.len()).into()),
            ("min_samples", params.min_samples.into()),
        ]),
    }
    print(&Found { suite: "cluster", stages, facts, work: None }, &source.vectors, &args.bench, session)
}
