//! `embedlens compare`: how far models agree on the same files, and what each costs.

use std::sync::Arc;

use serde_json::{Value, json};

use super::args::CompareArgs;
use super::json::{self, object, rounded};
use super::session::{Failure, Session};
use super::stored;
use super::text::{columns, count, rate};
use crate::corpus::Corpus;
use crate::progress::Progress;
use crate::tasks::{self, AgreeRequest, Compared, TaskError};
use crate::workspace::{Agreement, Concern, EmbeddingSet};

/// One model's figures.
struct Column {
    set: Arc<EmbeddingSet>,
    items_per_second: Option<f64>,
    peak_memory_mb: Option<f64>,
}

pub(super) fn run(args: &CompareArgs, session: &Session) -> Result<(), Failure> {
    let vectors = stored::are_vectors(&args.paths)?;
    let models = args.model.ids();
    if models.len() < 2 && !vectors {
        return Err(Failure::Usage("give --model at least twice, for two models: compare needs two".to_owned()));
    }
    if args.neighbours == 0 {
        return Err(Failure::Usage("--neighbours must be at least 1".to_owned()));
    }
    if vectors {
        return stored::compare(args, session);
    }
    let corpus = session.load(&args.paths, &args.load)?;
    let mut all: Vec<Column> = Vec::new();
    for model in &models {
        // Peaks are the whole process's, so each model begins from what is in use at its start.
        let peaks = tasks::reset_peak_memory();
        let set = session.embed(&corpus, model)?;
        let speed = match session.watch(|env, progress| tasks::measure_speed(&corpus, &set, env, progress)) {
            Err(error) if !error.is_cancelled() => {
                session.say(&format!("The speed of {} was not measured: {error}", set.card.name));
                None
            }
            measured => measured?,
        };
        let items_per_second = speed.map(|speed| speed.per_second);
        let peak_memory_mb = tasks::peak_memory_mb().filter(|_| peaks);
        session.env.models.clear();
        all.push(Column { set, items_per_second, peak_memory_mb });
    }
    let (mut pairs, mut apart) = (Vec::new(), Vec::new());
    for (n, first) in all.iter().enumerate() {
        for second in &all[n + 1..] {
            let (a, b) = (first.set.clone(), second.set.clone());
            let request = AgreeRequest { a, b, k: args.neighbours };
            match session.watch(|env, progress| tasks::agree(&request, env, progress)) {
                Ok(agreement) => pairs.push(agreement),
                Err(
                    error @ (TaskError::NothingInCommon { .. }
                    | TaskError::OneInCommon { .. }
                    | TaskError::Analysis { .. }),
                ) => {
                    session.say(&error.to_string());
                    let (a, b) = (&first.set.card.id, &second.set.card.id);
                    apart.push(json!({ "a": a, "b": b, "reason": error.to_string() }));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    let concerns = session.watch(|_, progress| fairness(&all, &corpus, progress))?;
    let mut fields = vec![
        ("pairs", pairs.iter().map(pair).collect::<Vec<_>>().into()),
        ("not_compared", apart.into()),
        ("models", all.iter().map(column).collect::<Vec<_>>().into()),
        ("concerns", serde_json::to_value(&concerns).unwrap_or_default()),
        ("peak_memory_is", "of the whole process while this model worked".into()),
    ];
    fields.extend(Session::corpus_json(&corpus));
    session.print(&(text(&all, &pairs) + &concerns_text(&concerns)), &object(fields))
}

/// What makes the comparison unfair.
fn fairness(all: &[Column], corpus: &Corpus, progress: &Progress) -> Result<Vec<Concern>, TaskError> {
    let expected: Vec<_> = all.iter().map(|column| tasks::expected_of(&column.set.card)).collect();
    let facts = all.iter().zip(&expected).map(|(column, of)| tasks::set_facts(corpus, &column.set, of, progress));
    let facts = facts.collect::<Result<Vec<_>, _>>()?;
    let parts = all.iter().zip(&facts).zip(&expected);
    let compared = parts.map(|((column, facts), expected)| Compared { set: &column.set, facts, expected });
    Ok(tasks::concerns(&compared.collect::<Vec<_>>(), corpus))
}

/// The concerns for people.
fn concerns_text(concerns: &[Concern]) -> String {
    if concerns.is_empty() {
        return "\nFair: nothing was cut off, and prompts, pooling and files are as they should be.\n".to_owned();
    }
    let mut text = "\nNot a fair comparison:\n".to_owned();
    for concern in concerns {
        text += &format!("  {} {}\n", concern.summary, concern.why);
    }
    text
}

pub(super) fn pair(agreement: &Agreement) -> Value {
    json!({
        "a": agreement.a, "b": agreement.b, "rows": agreement.rows.len(), "k": agreement.k,
        "neighbour_overlap": rounded(Some(f64::from(agreement.mean_overlap)), 4),
        "random_overlap": rounded(Some(f64::from(agreement.random_overlap)), 4),
        "cka": rounded(Some(f64::from(agreement.cka)), 4), "procrustes": rounded(Some(f64::from(agreement.procrustes)), 4),
    })
}

fn column(column: &Column) -> Value {
    let set = &column.set;
    json!({
        "id": set.card.id, "modality": json::modality(set.card.input), "dimensions": set.vectors.dim(),
        "context_tokens": set.card.context_tokens, "rows": set.rows.len(), "cached": set.cached,
        "items_per_second": rounded(column.items_per_second, 2), "peak_memory_mb": rounded(column.peak_memory_mb, 1),
        "model_memory_mb": rounded(set.model_memory_mb, 1), "vectors_mb": rounded(Some(set.bytes() as f64 / 1e6), 3),
        "tokens_cut": set.cut.iter().map(|&tokens| u64::from(tokens)).sum::<u64>(),
    })
}

fn text(all: &[Column], pairs: &[Agreement]) -> String {
    let head = ["model", "dimensions", "context", "rows", "items/s", "model MB", "peak MB", "vectors MB"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let unknown = || "–".to_owned();
    for Column { set, items_per_second, peak_memory_mb } in all {
        rows.push(vec![
            set.card.id.to_string(),
            count(set.vectors.dim() as u64),
            set.card.context_tokens.map_or_else(|| "any".to_owned(), |tokens| count(tokens as u64)),
            count(set.rows.len() as u64),
            items_per_second.map_or_else(unknown, rate),
            set.model_memory_mb.map_or_else(unknown, |mb| count(mb as u64)),
            peak_memory_mb.map_or_else(unknown, |mb| count(mb as u64)),
            format!("{:.1}", set.bytes() as f64 / 1e6),
        ]);
    }
    columns(&rows, "lrrrrrrr") + &pairs_text(pairs)
}

/// The pairs for people.
pub(super) fn pairs_text(pairs: &[Agreement]) -> String {
    let mut out = String::new();
    for pair in pairs {
        out += &format!(
            "\n{} and {} on {} rows\n  of {} nearest neighbours {:.1} % are shared (by chance {:.1} %)\n  CKA {:.3}, Procrustes disparity {:.3}\n",
            pair.a,
            pair.b,
            count(pair.rows.len() as u64),
            pair.k,
            pair.mean_overlap * 100.0,
            pair.random_overlap * 100.0,
            pair.cka,
            pair.procrustes
        );
    }
    out
}
