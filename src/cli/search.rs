//! `embedlens search`: the nearest passages and pictures.

use serde_json::{Value, json};

use super::args::SearchArgs;
use super::json::{object, rounded};
use super::session::{Failure, Session};
use super::stored;
use super::text::snippet;
use crate::corpus::{Corpus, Modality};
use crate::tasks::{self, Query, QueryRequest};
use crate::vectors::RowId;
use crate::workspace::{Answer, AnswerGroup, ErrorReport};

/// Characters of a passage that are shown.
const SNIPPET: usize = 160;

pub(super) fn run(args: &SearchArgs, session: &Session) -> Result<(), Failure> {
    if args.top == 0 {
        return Err(Failure::Usage("--top must be at least 1".to_owned()));
    }
    let query = match (&args.query, &args.image) {
        (Some(text), _) if text.trim().is_empty() => {
            return Err(Failure::Usage("--query is empty: say what to look for".to_owned()));
        }
        (Some(text), _) => Query::Text(text.clone()),
        (None, Some(path)) => Query::Image(path.clone()),
        (None, None) => return Err(Failure::Usage("give --query or --image".to_owned())),
    };
    if stored::are_vectors(&args.paths)? {
        return stored::search(args, query, session);
    }
    let corpus = session.load(&args.paths, &args.load)?;
    let models = args.model.or(|| tasks::default_query_models(&corpus, &query));
    let mut sets = Vec::new();
    for model in &models {
        sets.push(session.embed(&corpus, model)?);
    }
    let request = QueryRequest { corpus: corpus.clone(), sets, query, top: args.top };
    let answer = session.watch(|env, progress| tasks::answer(&request, env, progress))?;
    if answer.groups.is_empty() && !answer.unanswered.is_empty() {
        let details = answer.unanswered.iter().map(|(_, why)| why.clone()).collect();
        let summary = "none of the models can answer this query".to_owned();
        return Err(Failure::Report(ErrorReport { summary, details, hint: String::new() }));
    }
    for why in answer.unanswered.iter().map(|(_, why)| why).chain(&answer.remarks) {
        session.say(why);
    }
    session.print(&text(&corpus, &answer), &document(&corpus, &answer, session))
}

fn text(corpus: &Corpus, answer: &Answer) -> String {
    let mut out = String::new();
    for group in &answer.groups {
        if !out.is_empty() {
            out.push('\n');
        }
        out += &format!("{} by {}\n", title(group.modality), group.model_name);
        for (rank, &(row, score)) in group.hits.iter().enumerate() {
            let chunk = corpus.chunk(row);
            let place = if chunk.lines.0 > 0 { format!(":{}", chunk.lines.0) } else { String::new() };
            out += &format!("{:>4}  {score:.3}  {}{place}\n", rank + 1, corpus.item_of(row).path.display());
            let shown = snippet(corpus.text_of(row), SNIPPET);
            if !shown.is_empty() {
                out += &format!("             {shown}\n");
            }
        }
    }
    if out.is_empty() { "Nothing found.\n".to_owned() } else { out }
}

fn title(modality: Modality) -> &'static str {
    match modality {
        Modality::Text => "Texts",
        Modality::Code => "Code",
        Modality::Image => "Pictures",
    }
}

fn document(corpus: &Corpus, answer: &Answer, session: &Session) -> Value {
    let results: Vec<Value> = answer.groups.iter().flat_map(|group| hits(corpus, group)).collect();
    let unanswered: Vec<Value> =
        answer.unanswered.iter().map(|(model, why)| json!({ "model": model, "reason": why })).collect();
    let mut fields =
        vec![("query", json!(answer.query)), ("results", results.into()), ("unanswered", unanswered.into())];
    fields.push(("remarks", json!(answer.remarks)));
    let mut seconds = session.seconds_json().to_vec();
    seconds.push(("query", rounded(Some(answer.seconds_embed), 4)));
    seconds.push(("search", rounded(Some(answer.seconds_search), 4)));
    fields.push(("seconds", object(seconds)));
    fields.push(Session::memory_json());
    fields.extend(Session::corpus_json(corpus));
    object(fields)
}

fn hits(corpus: &Corpus, group: &AnswerGroup) -> Vec<Value> {
    let hit = |(rank, &(row, score)): (usize, &(RowId, f32))| {
        let (item, chunk) = (corpus.item_of(row), corpus.chunk(row));
        json!({
            "rank": rank + 1, "score": rounded(Some(f64::from(score)), 6), "path": item.path.to_string_lossy(),
            "start": chunk.start, "end": chunk.end, "snippet": snippet(corpus.text_of(row), SNIPPET),
            "modality": group.modality, "model": group.model, "label": item.label, "name": chunk.name,
            "lines": if chunk.lines.0 > 0 { json!([chunk.lines.0, chunk.lines.1]) } else { Value::Null },
        })
    };
    group.hits.iter().enumerate().map(hit).collect()
}
