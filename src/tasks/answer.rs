//! Answering a query: embed it with the model of each space, search every set, group by model and modality.
//!
//! Scores of different models, or of texts and pictures, are not on one scale, so each group has a ranking of its own. Invariant: every
//! set either answers or says in one sentence why it cannot.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::models::modalities_of;
use super::reductions::as_short;
use super::{Environment, Only, TaskError};
use crate::corpus::{self, Corpus, Modality};
use crate::models::{Input, InputKind, ModelCard, ModelId};
use crate::progress::Progress;
use crate::vectors::RowId;
use crate::workspace::{Answer, AnswerGroup, EmbeddingSet};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Words.
    Text(String),
    /// A picture.
    Image(PathBuf),
}

/// A query to all sets of a corpus.
#[derive(Clone, Debug)]
pub struct QueryRequest {
    /// The corpus.
    pub corpus: Arc<Corpus>,
    /// The sets to search.
    pub sets: Vec<Arc<EmbeddingSet>>,
    /// What is asked.
    pub query: Query,
    /// Hits a group.
    pub top: usize,
    /// Rows it is asked of.
    pub only: Only,
}

/// Answers a query.
///
/// # Errors
/// Cancelled; the query's picture cannot be read; the model that reads the query cannot be run.
pub fn answer(request: &QueryRequest, env: &Environment, progress: &Progress) -> Result<Answer, TaskError> {
    progress.stage("Answering", "models", request.sets.len() as u64);
    let mut answer = Answer { query: shown(&request.query), ..Answer::default() };
    let admitted = request.only.of(&request.corpus);
    answer.within = admitted.as_ref().map(|rows| rows.iter().filter(|&&row| row).count());
    let started = Instant::now();
    let mut asker = Asker { request, env, vectors: HashMap::new() };
    let mut ready: Vec<(&EmbeddingSet, Arc<[f32]>)> = Vec::new();
    for set in &request.sets {
        progress.check()?;
        match asker.query_model(&set.card) {
            Ok(model) => {
                answer.remarks.extend(prompt_twice(&request.query, &model, &set.card));
                match as_short(asker.vector(&model)?, set) {
                    Ok(vector) => ready.push((set, vector)),
                    Err(error) => {
                        let why = format!("{} cannot be asked: {}", set.card.name, error.report().summary);
                        answer.unanswered.push((set.card.id.clone(), why));
                    }
                }
            }
            Err(why) => answer.unanswered.push((set.card.id.clone(), why)),
        }
    }
    answer.vectors = ready.iter().map(|(set, vector)| (set.card.id.clone(), vector.clone())).collect();
    answer.seconds_embed = started.elapsed().as_secs_f64();
    let started = Instant::now();
    env.run(|| {
        for (set, query) in ready {
            progress.check()?;
            answer.groups.extend(search_set(request, set, &query, admitted.as_deref()));
            progress.advance(1);
        }
        Ok::<(), TaskError>(())
    })?;
    answer.seconds_search = started.elapsed().as_secs_f64();
    Ok(answer)
}

/// A sentence where the words asked begin with the prompt that the model puts before them by itself.
fn prompt_twice(query: &Query, asked: &ModelId, card: &ModelCard) -> Option<String> {
    let Query::Text(text) = query else { return None };
    let prompt = card.prompts.query.trim();
    let twice = *asked == card.id && !prompt.is_empty() && text.trim_start().starts_with(prompt);
    twice.then(|| format!("{} puts \"{prompt}\" before a question by itself: leave it out.", card.name))
}

fn shown(query: &Query) -> String {
    match query {
        Query::Text(text) => text.clone(),
        Query::Image(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
    }
}

/// One ranking a modality that the set holds among the rows asked.
fn search_set(
    request: &QueryRequest,
    set: &EmbeddingSet,
    query: &[f32],
    admitted: Option<&[bool]>,
) -> Vec<AnswerGroup> {
    let corpus = &request.corpus;
    let modality = |&row: &RowId| {
        let asked = admitted.is_none_or(|admitted| admitted[row.index()]);
        asked.then(|| corpus.item_of(row).modality)
    };
    let modality_at: Vec<Option<Modality>> = set.rows.iter().map(modality).collect();
    let index = set.graph.index(&set.vectors, set.metric());
    let group = |modality: Modality| {
        let of_modality = |position: usize| modality_at[position] == Some(modality);
        let hits = index.top_k(query, request.top, Some(&of_modality));
        let hits: Vec<(RowId, f32)> =
            hits.into_iter().map(|hit| (set.rows[hit.position as usize], hit.score)).collect();
        AnswerGroup { model: set.card.id.clone(), model_name: set.card.name.clone(), modality, hits: hits.into() }
    };
    modalities_of(set.card.input)
        .iter()
        .filter(|&&modality| modality_at.contains(&Some(modality)))
        .map(|&modality| group(modality))
        .collect()
}

/// Embeds the query once a model.
struct Asker<'a> {
    request: &'a QueryRequest,
    env: &'a Environment,
    vectors: HashMap<ModelId, Arc<[f32]>>,
}

impl Asker<'_> {
    /// The model that can put this query into a set's space, or why none can.
    fn query_model(&self, card: &ModelCard) -> Result<ModelId, String> {
        if card.is_of_file() && card.maker().is_none() {
            let name = &card.name;
            return Err(format!("{name} was made by an unknown model: choose a row to see its neighbours"));
        }
        match (&self.request.query, card.input) {
            (Query::Text(_), _) => card.text_query_model.clone().ok_or_else(|| {
                format!("{} knows pictures only: words cannot be asked of its space. Ask it with a picture", card.name)
            }),
            (Query::Image(_), InputKind::Image | InputKind::Both) => Ok(card.maker().unwrap_or(&card.id).clone()),
            (Query::Image(_), InputKind::Text) => self
                .request
                .sets
                .iter()
                .find(|set| set.card.input.reads_pictures() && set.card.space == card.space)
                .and_then(|set| set.card.maker().cloned())
                .ok_or_else(|| format!("{} reads texts: no picture model of its space is in use", card.name)),
        }
    }

    fn vector(&mut self, model: &ModelId) -> Result<Arc<[f32]>, TaskError> {
        if let Some(vector) = self.vectors.get(model) {
            return Ok(vector.clone());
        }
        let limit = self.request.corpus.options.max_megapixels;
        let vector = embed_query(&self.request.query, model, limit, self.env)?;
        self.vectors.insert(model.clone(), vector.clone());
        Ok(vector)
    }
}

/// Embeds a query with a model that reads its kind; a picture may have at most `max_megapixels`.
pub(super) fn embed_query(
    query: &Query,
    model: &ModelId,
    max_megapixels: u32,
    env: &Environment,
) -> Result<Arc<[f32]>, TaskError> {
    let mut pooled = env.models.take(model, env.offline)?;
    let attempted = format!("embed the query with {model}");
    let embedded = match query {
        Query::Text(text) => env.run(|| pooled.with(&attempted, |m| m.embed(&[Input::Query(text)]))),
        Query::Image(path) => {
            let picture = corpus::read_image(path, max_megapixels.max(1))
                .map_err(|reason| TaskError::QueryImage { path: path.clone(), reason: reason.to_string() })?;
            env.run(|| pooled.with(&attempted, |m| m.embed(&[Input::Image(&picture)])))
        }
    }?;
    Ok(embedded.values.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::Prompts;

    #[test]
    fn a_prompt_typed_before_a_question_is_told() {
        let mut card = ModelCard::plain("e5", 2);
        card.prompts = Prompts { query: "query: ".into(), passage: "passage: ".into() };
        let asked = |text: &str| prompt_twice(&Query::Text(text.into()), &card.id, &card);
        assert!(asked(" query: soup").unwrap().contains("\"query:\""));
        assert_eq!((asked("soup"), asked("a query: soup")), (None, None));
        let other = ModelId("other".into());
        assert_eq!(prompt_twice(&Query::Text("query: soup".into()), &other, &card), None);
        assert_eq!(prompt_twice(&Query::Image("query: a.png".into()), &card.id, &card), None);
    }
}
