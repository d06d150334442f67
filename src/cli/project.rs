//! `embedlens project`: vectors to positions on disk.

use std::path::Path;

use serde_json::{Value, json};

use super::args::ProjectArgs;
use super::json::{self, object, rounded};
use super::maps::{self, Source};
use super::session::{Failure, Session, check_out, out_for, spare_items};
use super::text::plural;
use crate::models::ModelId;
use crate::projection::{Method, Reduction};
use crate::tasks::{self, Shortened};
use crate::workspace::{Projection, SharedGraph};

/// Where positions come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    /// The file of vectors holds them.
    Given,
    By(Method),
}

pub(super) fn run(args: &ProjectArgs, session: &Session) -> Result<(), Failure> {
    let read: Vec<_> = args.paths.iter().chain(&args.place).cloned().collect();
    check_out(&args.out, &["csv", "parquet", "npy"], &read)?;
    if !args.place.is_empty() {
        check_out(&super::place::beside(&args.out), &["csv", "parquet", "npy"], &read)?;
    }
    let params = args.layout.params(session.seed()).map_err(Failure::Usage)?;
    args.layout.strangers().iter().for_each(|words| session.say(words));
    let found = maps::sources(session, &args.paths, (&args.model, &args.load), Some(&params), false)?;
    if let Some(corpus) = &found.corpus {
        spare_items(std::slice::from_ref(&args.out), corpus)?;
    }
    let (mut entries, mut text) = (Vec::new(), String::new());
    for (nth, mut source) in found.sources.into_iter().enumerate() {
        let short = args.reduce.map(|way| shorten(session, &mut source, way)).transpose()?;
        // Positions of other dimensions than the file's are made, and so asked for.
        let unasked = args.layout.method.is_none() && short.is_none();
        let given = maps::as_it_is(&source, params, unasked);
        if given.is_some() && !args.place.is_empty() {
            let message = "--place: these positions were made elsewhere; name a --method to lay the vectors out";
            return Err(Failure::Usage(message.to_owned()));
        }
        let method = if given.is_some() { Made::Given } else { Made::By(params.method) };
        let projection = match given {
            Some(given) => given,
            None => maps::lay_out(session, &source, (params, args.layout.tuning.by_label))?,
        };
        let model = source.model.as_ref().map_or_else(|| ModelId("vectors".to_owned()), |(id, _)| id.clone());
        let out = out_for(&args.out, nth, &model);
        session.watch(|_, progress| tasks::export_projection(&projection, &source.rows, &out, progress))?;
        text += &line((&projection, method), &out);
        let mut told = entry((&source, short.as_ref()), (&projection, method), &out, session);
        if !args.place.is_empty() {
            let placed = super::place::run(args, session, (&source, short.as_ref()), (&projection, &out))?;
            text += &placed.line;
            told["placed"] = placed.entry;
        }
        entries.push(told);
    }
    let mut fields = found.corpus.as_deref().map(Session::corpus_json).unwrap_or_default();
    fields.push(Session::memory_json());
    session.print(&text, &with_first_on_top(entries, "maps", fields))
}

/// One document of several results: the first one's fields stand at the top, where scripts for one model look; all of them, where there
/// are several, under `name`.
pub(super) fn with_first_on_top(
    entries: Vec<Value>,
    name: &'static str,
    mut more: Vec<(&'static str, Value)>,
) -> Value {
    let mut document = entries.first().cloned().unwrap_or_else(|| json!({}));
    if entries.len() > 1 {
        more.push((name, entries.into()));
    }
    if let (Value::Object(top), Value::Object(more)) = (&mut document, object(more)) {
        top.extend(more);
    }
    document
}

/// Replaces the vectors by shorter ones, whose neighbours are others; the map is held against those of before.
fn shorten(session: &Session, source: &mut Source, way: Reduction) -> Result<Shortened, Failure> {
    let way = match way {
        Reduction::Random { k, .. } => Reduction::Random { k, seed: session.seed() },
        other => other,
    };
    let short = session.watch(|env, progress| tasks::shorten(&source.vectors, way, env, progress))?;
    short.notes.iter().for_each(|note| session.say(note));
    source.graph = SharedGraph::default();
    source.original = Some(std::mem::replace(&mut source.vectors, short.vectors.clone()));
    Ok(short)
}

fn entry(
    (source, short): (&Source, Option<&Shortened>),
    (projection, made): (&Projection, Made),
    out: &Path,
    session: &Session,
) -> Value {
    let [neighbours, layout, quality] = projection.seconds;
    let pca = made == Made::By(Method::Pca);
    let variance = |of: &[f32]| -> Value { of.iter().map(|&share| rounded(Some(f64::from(share)), 6)).collect() };
    let kl: Vec<Value> =
        projection.kl.iter().map(|&(iteration, kl)| json!([iteration, rounded(Some(f64::from(kl)), 5)])).collect();
    let mut seconds = session.seconds_json().to_vec();
    seconds.extend(short.map(|short| ("reduce", rounded(Some(short.seconds), 3))));
    let of_map = [
        ("neighbours", neighbours),
        ("layout", layout),
        ("quality", quality),
        ("total", neighbours + layout + quality),
    ];
    seconds.extend(of_map.map(|(name, seconds)| (name, rounded(Some(seconds), 3))));
    let mut fields = vec![
        ("model", source.model.as_ref().map_or(Value::Null, |(id, _)| json!(id))),
        (
            "method",
            match made {
                Made::Given => json!("given"),
                Made::By(method) => json!(method),
            },
        ),
        ("out", json!(out.to_string_lossy())),
        ("rows", projection.points.len().into()),
        ("dimensions", (if projection.space.is_some() { 3 } else { 2 }).into()),
        ("seconds", object(seconds)),
    ];
    fields.push(("neighbour_graph", json::graph(projection.graph)));
    fields.extend(json::quality(projection.quality));
    let correlation = projection.distances.map(|found| f64::from(found.spearman));
    fields.push(("distance_correlation", rounded(correlation, 4)));
    fields.push(("explained_variance", if pca { variance(&projection.explained_variance) } else { Value::Null }));
    if let Some(short) = short {
        let explained = Some(&short.explained_variance).filter(|all| !all.is_empty());
        let fact =
            json!({ "dimensions": short.vectors.dim(), "explained_variance": explained.map(|all| variance(all)) });
        fields.push(("reduced", fact));
    }
    fields.push(("kl", kl.into()));
    let notes: Vec<&String> = short.iter().flat_map(|short| &short.notes).chain(projection.notes.iter()).collect();
    fields.push(("notes", json!(notes)));
    object(fields)
}

fn line((projection, made): (&Projection, Made), out: &Path) -> String {
    let Made::By(method) = made else {
        let rows = plural(projection.points.len(), "row", "rows");
        return format!("Positions as they are: {rows} → {}\n", out.display());
    };
    let seconds: f64 = projection.seconds.iter().sum();
    let unjudged = || {
        if projection.is_judged() || projection.all_equal {
            String::new()
        } else {
            ", too few points to judge it".to_owned()
        }
    };
    let trust = projection.quality.map_or_else(unjudged, |quality| {
        format!(", trustworthiness {:.3}, neighbours kept {:.3}", quality.trustworthiness, quality.neighbours_kept)
    });
    let variance = match method {
        Method::Pca => {
            let two: f32 = projection.explained_variance.iter().take(2).sum();
            format!(", {:.1} % of the variance", two * 100.0)
        }
        Method::Tsne | Method::Umap | Method::Pacmap => String::new(),
    };
    let graph = projection.graph.filter(|graph| !graph.exact);
    let graph = graph.map_or_else(String::new, |graph| format!(", neighbours approximate ({})", graph.words()));
    format!(
        "{}: {} in {seconds:.1} s{trust}{variance}{graph} → {}\n",
        method.name(),
        plural(projection.points.len(), "row", "rows"),
        out.display()
    )
}
