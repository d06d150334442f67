//! `embedlens embed`: files to vectors on disk.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::args::EmbedArgs;
use super::json::{self, object, rounded};
use super::session::{Failure, Session, check_out, out_for, spare_items};
use super::text::{count, plural, rate};
use crate::corpus::Corpus;
use crate::tasks::{self, StoredFile};
use crate::workspace::EmbeddingSet;

pub(super) fn run(args: &EmbedArgs, session: &Session) -> Result<(), Failure> {
    check_out(&args.out, &["npy", "npz", "tsv", "parquet", "vectors"], &args.paths)?;
    let ours = args.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("vectors"));
    if args.store.is_some() && !ours {
        return Err(Failure::Usage("--store is for files that end in .vectors".to_owned()));
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
        let stored = match args.store {
            Some(store) => Some(tasks::export_stored(&set, &corpus, &out, store.into())?),
            None => {
                tasks::export_vectors(&set, &corpus, &out)?;
                None
            }
        };
        text += &line(&set, &out);
        text += &stored.as_ref().map_or_else(String::new, stored_line);
        let mut told = entry(&corpus, &set, &out);
        told["stored"] = stored.as_ref().map_or(Value::Null, stored_json);
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
