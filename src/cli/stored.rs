//! `search` and `compare` on files of vectors, which need no files of texts beside them.

use std::collections::HashSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::args::{CompareArgs, SearchArgs};
use super::compare;
use super::json::{object, rounded};
use super::search::{Asked, NONE_ASKED, asks_many};
use super::session::{Failure, Session};
use super::text::{count, plural, snippet};
use crate::models::ModelId;
use crate::tasks::{self, Query, RowInfo, StoredAnswer, StoredQuery, StoredVectors};
use crate::workspace::Agreement;

/// Characters of a passage that are shown.
const SNIPPET: usize = 160;

/// Whether the paths are files or folders of vectors: all of them or none.
pub(super) fn are_vectors(paths: &[PathBuf]) -> Result<bool, Failure> {
    let (vectors, others): (Vec<_>, Vec<_>) = paths.iter().partition(|path| tasks::holds_vectors(path));
    // Among texts a table of numbers is a text, as in a folder, and a folder of vectors is one like any other.
    if !others.is_empty() && vectors.iter().all(|path| tasks::is_csv(path) || path.is_dir()) {
        return Ok(false);
    }
    match (vectors.first(), others.first()) {
        (Some(vectors), Some(other)) => Err(Failure::Usage(format!(
            "{} holds vectors and {} does not: give either files or folders of vectors, or folders and files to embed",
            vectors.display(),
            other.display()
        ))),
        (found, _) => Ok(found.is_some()),
    }
}

pub(super) fn search(args: &SearchArgs, queries: &[Asked], session: &Session) -> Result<(), Failure> {
    let only = args.only.only()?;
    let started = std::time::Instant::now();
    let files = read(&args.paths, session)?;
    let load = started.elapsed().as_secs_f64();
    let model = model_for(args, &files, session)?;
    let mut request = StoredQuery { files, model, query: queries[0].query.clone(), top: args.top, only };
    let mut answers = Vec::new();
    for asked in queries {
        request.query = asked.query.clone();
        answers.push(session.watch(|env, progress| tasks::answer_stored(&request, env, progress))?);
    }
    let sum = |of: fn(&StoredAnswer) -> f64| answers.iter().map(of).sum::<f64>();
    let seconds = [
        ("load", load),
        ("embed", 0.0),
        ("query", sum(|answer| answer.seconds_query)),
        ("search", sum(|answer| answer.seconds_search)),
    ];
    let rows: usize = request.files.iter().map(|file| file.imported.vectors.len()).sum();
    let mut fields = Vec::new();
    let mut out = String::new();
    if asks_many(args) {
        let mut documents = Vec::new();
        for (asked, answer) in queries.iter().zip(&answers) {
            let results = hits(&request.files, answer);
            documents.push(json!({ "id": asked.id, "query": shown(&asked.query), "results": results }));
            out += &format!("{}\n{}\n", shown(&asked.query), text(&request.files, answer));
        }
        fields.push(("answers", documents.into()));
    } else {
        fields.push(("query", json!(shown(&queries[0].query))));
        fields.push(("results", hits(&request.files, &answers[0]).into()));
        out = text(&request.files, &answers[0]);
    }
    fields.push(("model", json!(answers[0].card.id)));
    fields.push(("within", json!(answers[0].within)));
    if answers[0].within == Some(0) {
        session.say(NONE_ASKED);
    }
    fields.push(("unanswered", json!([])));
    fields.push(("rows", rows.into()));
    fields.push(("seconds", object(seconds.map(|(name, seconds)| (name, rounded(Some(seconds), 4))))));
    fields.push(Session::memory_json());
    session.print(&out, &object(fields))
}

fn shown(query: &Query) -> String {
    match query {
        Query::Text(text) => text.clone(),
        Query::Image(path) => path.to_string_lossy().into_owned(),
    }
}

/// Reads the files and tells what was left out of them.
pub(super) fn read(paths: &[PathBuf], session: &Session) -> Result<Vec<StoredVectors>, Failure> {
    let files = session.watch(|env, progress| env.run(|| tasks::read_stored(paths, progress)))?;
    files.iter().for_each(|file| session.say_left_out(&file.path, &file.imported));
    Ok(files)
}

/// The one model that was named, that the files name, or the bundled one whose vectors have as many dimensions.
fn model_for(args: &SearchArgs, files: &[StoredVectors], session: &Session) -> Result<ModelId, Failure> {
    let mut named = args.model.ids();
    if named.len() > 1 {
        return Err(Failure::Usage("give --model once: the vectors in the files were made by one model".to_owned()));
    }
    if let Some(model) = named.pop() {
        return Ok(model);
    }
    let mut told = files.iter().map(|file| file.imported.model.clone());
    if let Some(Some(first)) = told.next()
        && told.all(|other| other.as_ref() == Some(&first))
    {
        session.say(&format!("Taking the vectors for those of {first}, which the files name; --model names another"));
        return Ok(first);
    }
    let dim = files.first().map_or(0, |file| file.imported.vectors.dim());
    let card = tasks::model_cards().into_iter().find(|card| card.dimensions == dim).ok_or_else(|| {
        Failure::Usage(format!("no bundled model makes vectors of {dim} dimensions: name the model with --model"))
    })?;
    session.say(&format!(
        "Taking the vectors for those of {}, for their {dim} dimensions; --model names another",
        card.id
    ));
    Ok(card.id)
}

fn text(files: &[StoredVectors], answer: &StoredAnswer) -> String {
    let mut out = String::new();
    for group in &answer.groups {
        out += &format!("{}{} by {}\n", if out.is_empty() { "" } else { "\n" }, group.modality, answer.card.name);
        for (rank, &(file, row, score)) in group.hits.iter().enumerate() {
            let info = &files[file].imported.rows[row];
            out += &format!("{:>4}  {score:.3}  {}\n", rank + 1, place(&files[file], info));
            let shown = snippet(&info.text, SNIPPET);
            if !shown.is_empty() {
                out += &format!("             {shown}\n");
            }
        }
    }
    if out.is_empty() { "Nothing found.\n".to_owned() } else { out }
}

/// Where a row comes from; its number in the file where that is all that is known.
fn place(file: &StoredVectors, info: &RowInfo) -> String {
    if info.path.is_empty() { format!("{} row {}", file.path.display(), info.row) } else { info.path.clone() }
}

fn hits(files: &[StoredVectors], answer: &StoredAnswer) -> Vec<Value> {
    let mut all = Vec::new();
    for group in &answer.groups {
        for (rank, &(file, row, score)) in group.hits.iter().enumerate() {
            let info = &files[file].imported.rows[row];
            all.push(json!({
                "rank": rank + 1, "score": rounded(Some(f64::from(score)), 6), "path": info.path, "start": info.start,
                "end": info.end, "snippet": snippet(&info.text, SNIPPET), "modality": group.modality,
                "model": answer.card.id, "label": info.label, "vectors": files[file].path.to_string_lossy(), "row": info.row,
            }));
        }
    }
    all
}

pub(super) fn compare(args: &CompareArgs, session: &Session) -> Result<(), Failure> {
    let two = || Failure::Usage("give at least two files or folders of vectors to compare".to_owned());
    if args.paths.len() < 2 {
        return Err(two());
    }
    if !args.model.models.is_empty() {
        return Err(Failure::Usage("--model is for folders and files: these files hold vectors already".to_owned()));
    }
    let files = read(&args.paths, session)?;
    if files.len() < 2 {
        return Err(two());
    }
    let once: HashSet<String> = files.iter().map(StoredVectors::name).collect();
    // Files of one name in several folders are told apart by their paths.
    let id = |file: &StoredVectors| match once.len() == files.len() {
        true => file.name(),
        false => file.path.to_string_lossy().into_owned(),
    };
    let mut pairs = Vec::new();
    for (nth, first) in files.iter().enumerate() {
        for second in &files[nth + 1..] {
            let agreed = |env: &_, progress: &_| tasks::agree_stored([first, second], args.neighbours, env, progress);
            let agreement = session.watch(agreed)?;
            pairs.push(Agreement { a: ModelId(id(first)), b: ModelId(id(second)), ..agreement });
        }
    }
    let mut out = String::new();
    for file in &files {
        let vectors = &file.imported.vectors;
        let rows = plural(vectors.len(), "vector", "vectors");
        out += &format!("{}: {rows} of {} dimensions\n", file.path.display(), count(vectors.dim() as u64));
    }
    out += &compare::pairs_text(&pairs);
    let column = |file: &StoredVectors| {
        let vectors = &file.imported.vectors;
        json!({
            "id": id(file), "path": file.path.to_string_lossy(), "dimensions": vectors.dim(), "rows": vectors.len(),
            "items_per_second": null, "peak_memory_mb": null,
            "vectors_mb": rounded(Some(size_of_val(vectors.values()) as f64 / 1e6), 3),
        })
    };
    let document = object([
        ("pairs", pairs.iter().map(compare::pair).collect::<Vec<_>>().into()),
        ("not_compared", json!([])),
        ("models", files.iter().map(column).collect::<Vec<_>>().into()),
    ]);
    session.print(&out, &document)
}
