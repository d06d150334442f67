//! Results as JSON values.

use serde_json::{Map, Value, json};

use crate::corpus::Corpus;
use crate::models::catalogue::known;
use crate::models::{InputKind, ModelCard, ModelSource, Precision};
use crate::projection::Quality;
use crate::vectors::{kernel_name, level};
use crate::workspace::{EmbeddingSet, GraphFacts};

/// An object with its fields in the order given.
pub(super) fn object(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

/// A number rounded to what it is worth; `null` for none and for what is not finite.
pub(super) fn rounded(number: Option<f64>, decimals: i32) -> Value {
    let scale = 10f64.powi(decimals);
    number.filter(|number| number.is_finite()).map_or(Value::Null, |number| json!((number * scale).round() / scale))
}

pub(super) fn skipped(corpus: &Corpus) -> Value {
    let entry = |skipped: &crate::corpus::Skipped| json!({ "path": skipped.path.to_string_lossy(), "reason": skipped.reason.to_string() });
    corpus.skipped.iter().map(entry).collect()
}

pub(super) fn failed(corpus: &Corpus, set: &EmbeddingSet) -> Value {
    let entry = |(row, reason): &(crate::vectors::RowId, String)| {
        let chunk = corpus.chunk(*row);
        let path = corpus.item_of(*row).path.to_string_lossy().into_owned();
        json!({ "path": path, "start": chunk.start, "end": chunk.end, "reason": reason })
    };
    set.failed.iter().map(entry).collect()
}

pub(super) fn card(card: &ModelCard) -> Value {
    let (source, folder) = match &card.source {
        ModelSource::Bundled => ("bundled", Value::Null),
        ModelSource::Folder(path) => ("folder", json!(path.to_string_lossy())),
        ModelSource::HubCache(path) => ("hub cache", json!(path.to_string_lossy())),
        ModelSource::Made { of, .. } => ("another set", json!(of)),
        ModelSource::File { path, .. } => ("file of vectors", json!(path.to_string_lossy())),
    };
    let known = known(&card.id.0);
    let runs = known.map_or_else(|| "here".to_owned(), crate::models::catalogue::KnownModel::runs);
    json!({
        "id": card.id, "name": card.name, "modality": modality(card.input), "dimensions": card.dimensions,
        "context_tokens": card.context_tokens, "pooling": card.pooling, "normalized": card.normalized, "space": card.space,
        "text_query_model": card.text_query_model, "licence": card.licence, "source": source, "folder": folder,
        "size_bytes": card.size_bytes, "available": true, "about": card.about, "strengths": card.strengths,
        "weaknesses": card.weaknesses, "best_for": card.best_for, "precisions": precisions(card), "kernel": kernel_name(), "cpu_level": level().word(),
        "prompts": card.prompts, "similarity": card.similarity, "remarks": card.remarks, "runs": runs,
        "matryoshka": known.map_or(&[][..], |known| known.matryoshka.as_slice()),
    })
}

/// The precisions a model may run in, and what each runs as here.
fn precisions(card: &ModelCard) -> Value {
    let all = card.precision.map_or(&[][..], |_| &Precision::ALL);
    let one = |&precision: &Precision| json!({ "precision": precision, "id": card.id.at(precision), "runs_as": precision.runs_as() });
    all.iter().map(one).collect()
}

pub(super) fn modality(input: InputKind) -> &'static str {
    match input {
        InputKind::Text => "text",
        InputKind::Image => "image",
        InputKind::Both => "text and image",
    }
}

pub(super) fn quality(quality: Option<Quality>) -> [(&'static str, Value); 3] {
    let figure = |of: fn(Quality) -> f32| rounded(quality.map(|quality| f64::from(of(quality))), 4);
    [
        ("trustworthiness", figure(|quality| quality.trustworthiness)),
        ("continuity", figure(|quality| quality.continuity)),
        ("neighbour_preservation", figure(|quality| quality.neighbours_kept)),
    ]
}

/// The neighbours a map was made of; `null` where it needed none.
pub(super) fn graph(facts: Option<GraphFacts>) -> Value {
    let told = |facts: GraphFacts| json!({ "k": facts.k, "exact": facts.exact, "recall": rounded(facts.recall.map(f64::from), 5) });
    facts.map_or(Value::Null, told)
}
