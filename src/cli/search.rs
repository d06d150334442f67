//! `embedlens search`: the nearest passages and pictures.

use serde_json::{Value, json};

use super::args::SearchArgs;
use super::json::{object, rounded};
use super::session::{Failure, Session};
use super::stored;
use super::text::snippet;
use crate::corpus::{Corpus, Modality};
use crate::progress::Progress;
use crate::tasks::{self, Query, QueryRequest, TaskError};
use crate::vectors::RowId;
use crate::workspace::{Answer, AnswerGroup, ErrorReport};

/// Characters of a passage that are shown.
const SNIPPET: usize = 160;

pub(super) fn run(args: &SearchArgs, session: &Session) -> Result<(), Failure> {
    if args.top == 0 {
        return Err(Failure::Usage("--top must be at least 1".to_owned()));
    }
    let queries = queries(args)?;
    if stored::are_vectors(&args.paths)? {
        return stored::search(args, &queries, session);
    }
    let only = args.only.only()?;
    let corpus = session.load(&args.paths, &args.load)?;
    let models = args.model.or(|| tasks::default_query_models(&corpus, &queries[0].query, &only));
    let mut sets = Vec::new();
    for model in &models {
        sets.push(session.embed(&corpus, model)?);
    }
    let request = |query: Query| QueryRequest {
        corpus: corpus.clone(),
        sets: sets.clone(),
        query,
        top: args.top,
        only: only.clone(),
    };
    if !asks_many(args) {
        let answer = session.watch(|env, progress| tasks::answer(&request(queries[0].query.clone()), env, progress))?;
        tell(&answer, session)?;
        return session.print(&text(&corpus, &answer), &document(&corpus, &answer, session));
    }
    let answers = session.watch(|env, progress| {
        progress.stage("Answering", "queries", queries.len() as u64);
        let mut answers = Vec::new();
        for asked in &queries {
            progress.check()?;
            answers.push(tasks::answer(&request(asked.query.clone()), env, &Progress::new())?);
            progress.advance(1);
        }
        Ok::<_, TaskError>(answers)
    })?;
    tell(&answers[0], session)?;
    let mut all = String::new();
    let mut documents = Vec::new();
    for (asked, answer) in queries.iter().zip(&answers) {
        all += &format!("{}\n{}\n", answer.query, text(&corpus, answer));
        let results: Vec<Value> = answer.groups.iter().flat_map(|group| hits(&corpus, group)).collect();
        documents.push(json!({ "id": asked.id, "query": answer.query, "results": results }));
    }
    let seconds = |of: fn(&Answer) -> f64| rounded(Some(answers.iter().map(of).sum()), 4);
    let mut all_seconds = session.seconds_json().to_vec();
    all_seconds.push(("query", seconds(|answer| answer.seconds_embed)));
    all_seconds.push(("search", seconds(|answer| answer.seconds_search)));
    let mut fields = vec![("answers", documents.into()), ("within", json!(answers[0].within))];
    fields.push(("unanswered", unanswered(&answers[0]).into()));
    fields.push(("seconds", object(all_seconds)));
    fields.push(Session::memory_json());
    fields.extend(Session::corpus_json(&corpus));
    session.print(&all, &object(fields))
}

/// Said where filters let no row through.
pub(super) const NONE_ASKED: &str = "No row is of the kind, folder and path that were asked for";

/// A query and what the file of queries calls it.
pub(super) struct Asked {
    pub(super) id: Option<String>,
    pub(super) query: Query,
}

/// Whether a list of queries was given, and a list of answers is expected.
pub(super) fn asks_many(args: &SearchArgs) -> bool {
    args.queries.is_some()
}

/// What is asked: at least one query.
fn queries(args: &SearchArgs) -> Result<Vec<Asked>, Failure> {
    let one = |query| Ok(vec![Asked { id: None, query }]);
    match (&args.query, &args.image, &args.queries) {
        (Some(text), ..) if text.trim().is_empty() => {
            Err(Failure::Usage("--query is empty: say what to look for".to_owned()))
        }
        (Some(text), ..) => one(Query::Text(text.clone())),
        (None, Some(path), _) => one(Query::Image(path.clone())),
        (None, None, Some(path)) => {
            let told = |why: String| Failure::Usage(format!("{}: {why}", path.display()));
            let lines = fs_err::read_to_string(path).map_err(|error| Failure::Usage(error.to_string()))?;
            let lines = lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            let asked: Result<Vec<Asked>, Failure> = lines
                .map(|(number, line)| asked(line).map_err(|why| told(format!("line {}: {why}", number + 1))))
                .collect();
            let asked = asked?;
            if asked.is_empty() { Err(told("it holds no query: write one on each line".to_owned())) } else { Ok(asked) }
        }
        (None, None, None) => Err(Failure::Usage("give --query, --queries or --image".to_owned())),
    }
}

/// A line of a file of queries: the words themselves, or a JSON object with `text` or `query`, and an id.
fn asked(line: &str) -> Result<Asked, String> {
    if !line.trim_start().starts_with('{') {
        return Ok(Asked { id: None, query: Query::Text(line.trim().to_owned()) });
    }
    let value: Value = serde_json::from_str(line).map_err(|error| format!("it is no JSON object: {error}"))?;
    let words = ["text", "query"].into_iter().find_map(|name| value.get(name)?.as_str());
    let words = words.filter(|words| !words.trim().is_empty());
    let words = words.ok_or("the object has no words in \"text\" or \"query\"")?;
    let id = ["_id", "id"]
        .into_iter()
        .find_map(|name| value.get(name))
        .map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    Ok(Asked { id, query: Query::Text(words.to_owned()) })
}

/// Tells what no model answered and why.
fn tell(answer: &Answer, session: &Session) -> Result<(), Failure> {
    if answer.groups.is_empty() && !answer.unanswered.is_empty() {
        let details = answer.unanswered.iter().map(|(_, why)| why.clone()).collect();
        let summary = "none of the models can answer this query".to_owned();
        return Err(Failure::Report(ErrorReport { summary, details, hint: String::new() }));
    }
    for why in answer.unanswered.iter().map(|(_, why)| why).chain(&answer.remarks) {
        session.say(why);
    }
    if answer.within == Some(0) {
        session.say(NONE_ASKED);
    }
    Ok(())
}

fn unanswered(answer: &Answer) -> Vec<Value> {
    answer.unanswered.iter().map(|(model, why)| json!({ "model": model, "reason": why })).collect()
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
    let mut fields =
        vec![("query", json!(answer.query)), ("results", results.into()), ("unanswered", unanswered(answer).into())];
    fields.push(("within", json!(answer.within)));
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
