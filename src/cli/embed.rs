//! `embedlens embed`: files to vectors on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::args::EmbedArgs;
use super::json::{self, object, rounded};
use super::session::{Failure, Session, check_out, out_for, spare_items};
use super::stored;
use super::text::{count, plural, rate};
use crate::corpus::Corpus;
use crate::models::ModelId;
use crate::projection::Reduction;
use crate::tasks::{self, Imported, RowInfo, Shortened, StoredFile, VectorSet};
use crate::vectors::{RowBlocks, Rows};
use crate::workspace::EmbeddingSet;

/// Forms that vectors are written in.
const ENDINGS: &[&str] = &["npy", "npz", "tsv", "parquet", "vectors"];

pub(super) fn run(args: &EmbedArgs, session: &Session) -> Result<(), Failure> {
    let read: Vec<PathBuf> = args.paths.iter().chain(&args.reduce_as).cloned().collect();
    check_out(&args.out, ENDINGS, &read)?;
    let ours = args.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("vectors"));
    if args.store.is_some() && !ours {
        return Err(Failure::Usage("--store is for files that end in .vectors".to_owned()));
    }
    if stored::are_vectors(&args.paths)? {
        return of_files(args, session);
    }
    let started = Instant::now();
    let corpus = session.load(&args.paths, &args.load)?;
    let loading = started.elapsed().as_secs_f64();
    let models = args.model.or(|| tasks::default_models(&corpus));
    let outs: Vec<_> = models.iter().enumerate().map(|(nth, model)| out_for(&args.out, nth, model)).collect();
    spare_items(&outs, &corpus)?;
    let (mut sets, mut entries, mut text) = (Vec::new(), Vec::new(), String::new());
    for (nth, model) in models.iter().enumerate() {
        let set = session.embed(&corpus, model)?;
        let out = out_for(&args.out, nth, &set.card.id);
        let rows = tasks::set_table(&corpus, &set);
        text += &line(&set, &out);
        let mut told = entry(&corpus, &set, &out);
        write(args, (Rows::Single(set.vectors.clone()), rows), (&out, &mut text, &mut told), session)?;
        entries.push(told);
        sets.push(set);
    }
    let mut fields = Session::corpus_json(&corpus);
    fields.extend(totals(&sets));
    fields.push(("loading_seconds", rounded(Some(loading), 3)));
    fields.push(("seconds", rounded(Some(started.elapsed().as_secs_f64()), 3)));
    fields.push(Session::memory_json());
    fields.push(("models", entries.into()));
    session.print(&text, &object(fields))
}

/// Files of vectors, shorter or in another form; what they know of their rows stays.
fn of_files(args: &EmbedArgs, session: &Session) -> Result<(), Failure> {
    if !args.model.models.is_empty() {
        return Err(Failure::Usage("--model is for folders and files: these files hold vectors already".to_owned()));
    }
    let (mut entries, mut text) = (Vec::new(), String::new());
    let sets = tasks::vector_sets(&args.paths);
    let files: Vec<Imported<Rows>> = sets.iter().map(|set| session.read_rows(set)).collect::<Result<_, Failure>>()?;
    let out = |(nth, set): (usize, &VectorSet)| {
        let stem = set.path.file_stem().unwrap_or_default().to_string_lossy();
        out_for(&args.out, nth, &ModelId(stem.into_owned()))
    };
    let outs: Vec<PathBuf> = sets.iter().enumerate().map(out).collect();
    for (nth, out) in outs.iter().enumerate() {
        if outs[..nth].contains(out) {
            let message =
                format!("two of the files would be written to {}: give them one after the other", out.display());
            return Err(Failure::Usage(message));
        }
        check_out(out, ENDINGS, &args.paths)?;
        let kept = fs_err::canonicalize(tasks::reduction_path(out)).ok();
        if kept.is_some() && args.paths.iter().any(|path| fs_err::canonicalize(path).ok() == kept) {
            let message = format!("--out {}: an input tells how it was made, and would be lost", out.display());
            return Err(Failure::Usage(message));
        }
    }
    for ((set, file), out) in sets.iter().zip(files).zip(outs) {
        let Imported { vectors, mut rows, model, .. } = file;
        let name = set.name();
        let shape = (plural(vectors.row_count(), "vector", "vectors"), count(vectors.row_length() as u64));
        text += &format!("{name}: {} of {} dimensions → {}\n", shape.0, shape.1, out.display());
        let mut told = json!({
            "id": model, "from": set.path.to_string_lossy(), "out": out.to_string_lossy(),
            "rows": vectors.row_count(), "dimensions": vectors.row_length(),
        });
        rows.iter_mut().enumerate().for_each(|(position, row)| row.row = position);
        write(args, (vectors, rows), (&out, &mut text, &mut told), session)?;
        entries.push(told);
    }
    session.print(&text, &object(vec![Session::memory_json(), ("models", entries.into())]))
}

/// Writes vectors as they were asked for, and tells what was lost.
fn write(
    args: &EmbedArgs,
    (whole, mut rows): (Rows, Vec<RowInfo>),
    (out, text, told): (&Path, &mut String, &mut Value),
    session: &Session,
) -> Result<(), Failure> {
    let short = match &args.reduce_as {
        Some(path) => Some(shorten_as(&whole, path, session)?),
        None => args.reduce.map(|way| shorten(&whole, way, session)).transpose()?,
    };
    let vectors = match &short {
        Some(short) => short.vectors.clone(),
        None => session.env.run(|| whole.decoded())?,
    };
    if let Some(short) = &short {
        // No model makes vectors that can be held against these.
        rows.iter_mut().for_each(|row| row.model.clear());
        told["dimensions"] = vectors.dim().into();
        *text += &short_line(short);
        short.notes.iter().for_each(|note| session.say(note));
    }
    let stored = session.watch(|env, progress| {
        env.run(|| match args.store {
            Some(store) => tasks::export_stored(&vectors, &rows, out, store.into(), progress).map(Some),
            None => tasks::export_table(&vectors, &rows, out, progress).map(|()| None),
        })
    })?;
    told["reduced"] = short.as_ref().map_or(Value::Null, short_json);
    if let Some(short) = &short {
        let path = tasks::keep_reduction(&short.fitted, out)?;
        *text += &format!("  how, for others to be made as short: {}\n", path.display());
        told["reduced"]["fitted"] = json!(path.to_string_lossy());
    }
    *text += &stored.as_ref().map_or_else(String::new, stored_line);
    told["stored"] = stored.as_ref().map_or(Value::Null, stored_json);
    Ok(())
}

fn shorten(rows: &Rows, way: Reduction, session: &Session) -> Result<Shortened, Failure> {
    let way = match way {
        Reduction::Random { k, .. } => Reduction::Random { k, seed: session.seed() },
        other => other,
    };
    if way.k() > rows.row_length() {
        let (asked, there) = (way.k(), rows.row_length());
        return Err(Failure::Usage(format!("--reduce: the vectors have {there} dimensions, fewer than {asked}")));
    }
    Ok(session.watch(|env, progress| tasks::shorten(rows, way, env, progress))?)
}

/// As short as others were made.
fn shorten_as(rows: &Rows, path: &Path, session: &Session) -> Result<Shortened, Failure> {
    let fitted = tasks::named_reduction(path)?;
    let (takes, there) = (fitted.dimensions(), rows.row_length());
    if takes != there {
        let message = format!(
            "--reduce-as {}: it makes vectors of {takes} dimensions shorter, these have {there}: both must be made by one model",
            path.display()
        );
        return Err(Failure::Usage(message));
    }
    Ok(session.watch(|env, progress| tasks::shorten_as(&fitted, rows, env, progress))?)
}

/// What was left, and how much of the variance the components keep.
fn short_line(short: &Shortened) -> String {
    let dimensions = plural(short.vectors.dim(), "dimension", "dimensions");
    if short.explained_variance.is_empty() {
        return format!("  cut to {dimensions}\n");
    }
    let kept: f32 = short.explained_variance.iter().sum();
    format!("  cut to {dimensions}, {:.1} % of the variance kept\n", kept * 100.0)
}

fn short_json(short: &Shortened) -> Value {
    let explained: Vec<Value> =
        short.explained_variance.iter().map(|&share| rounded(Some(f64::from(share)), 6)).collect();
    let explained = if explained.is_empty() { Value::Null } else { explained.into() };
    json!({ "dimensions": short.vectors.dim(), "explained_variance": explained, "seconds": rounded(Some(short.seconds), 3), "notes": short.notes })
}

fn line(set: &EmbeddingSet, out: &Path) -> String {
    let speed = set
        .rows_per_second()
        .map_or_else(String::new, |per_second| format!(" in {:.1} s ({} items/s)", set.seconds, rate(per_second)));
    let shared = match set.shared {
        0 => String::new(),
        rows => format!(" ({} looked at already for another model)", count(rows as u64)),
    };
    format!(
        "{}: {} of {} dimensions, {} from the cache, {} embedded{shared}{speed} → {}\n",
        set.card.id,
        plural(set.rows.len(), "vector", "vectors"),
        count(set.vectors.dim() as u64),
        count(set.cached as u64),
        count((set.rows.len() - set.cached) as u64),
        out.display()
    )
}

/// What less precision saved and lost.
fn stored_line(stored: &StoredFile) -> String {
    format!(
        "  {:.1} MB; {:.2} % of the nearest ten kept, rows turned by 1 − cosine = {:.1e} (worst {:.1e})\n",
        stored.bytes as f64 / 1e6,
        stored.neighbours_kept * 100.0,
        stored.turned.mean,
        stored.turned.max
    )
}

fn stored_json(stored: &StoredFile) -> Value {
    json!({
        "precision": stored.precision, "bytes": stored.bytes, "neighbours_kept": rounded(Some(f64::from(stored.neighbours_kept)), 5),
        "turned": stored.turned.mean, "turned_most": stored.turned.max,
    })
}

fn entry(corpus: &Corpus, set: &EmbeddingSet, out: &Path) -> Value {
    let cut: u64 = set.cut.iter().map(|&tokens| u64::from(tokens)).sum();
    json!({
        "id": set.card.id, "out": out.to_string_lossy(), "rows": set.rows.len(), "dimensions": set.vectors.dim(),
        "cached": set.cached, "shared": set.shared, "embedded": set.rows.len() - set.cached, "inputs_embedded": set.embedded, "seconds": rounded(Some(set.seconds), 3),
        "items_per_second": rounded(set.rows_per_second(), 2), "tokens_per_second": rounded(tokens_per_second(set), 1),
        "tokens": set.tokens.iter().map(|&tokens| u64::from(tokens)).sum::<u64>(), "tokens_cut": cut,
        "failed": json::failed(corpus, set),
    })
}

fn tokens_per_second(set: &EmbeddingSet) -> Option<f64> {
    (set.tokens_embedded > 0 && set.seconds > 0.0).then(|| set.tokens_embedded as f64 / set.seconds)
}

/// Figures over all sets; the dimensions are those of the first.
fn totals(sets: &[Arc<EmbeddingSet>]) -> Vec<(&'static str, Value)> {
    let seconds: f64 = sets.iter().map(|set| set.seconds).sum();
    let cached: usize = sets.iter().map(|set| set.cached).sum();
    let fresh: usize = sets.iter().map(|set| set.rows.len() - set.cached).sum();
    let inputs: usize = sets.iter().map(|set| set.embedded).sum();
    let tokens: u64 = sets.iter().map(|set| set.tokens_embedded).sum();
    let per_second = |number: f64| (number > 0.0 && seconds > 0.0).then(|| number / seconds);
    vec![
        ("dimensions", sets.first().map_or(Value::Null, |set| set.vectors.dim().into())),
        ("cached", cached.into()),
        ("embedded", fresh.into()),
        ("embedding_seconds", rounded(Some(seconds), 3)),
        ("items_per_second", rounded(per_second(inputs as f64), 2)),
        ("tokens_per_second", rounded(per_second(tokens as f64), 1)),
    ]
}
