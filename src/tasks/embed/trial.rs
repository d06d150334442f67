//! Embedding timed for itself: no cache, no corpus, every text anew in each run.
//!
//! Measures, decides nothing. Invariant: a run embeds exactly the texts given, in the steps that a corpus is embedded in.

use std::time::Instant;

use super::steps::Steps;
use crate::models::{self, Input, ModelCard, ModelId, OpenOptions};
use crate::progress::{Cancelled, Progress};
use crate::tasks::{Environment, TaskError};
use crate::vectors::Vectors;

/// Texts to embed for the clock's sake.
#[derive(Clone, Debug)]
pub struct EmbedTrial {
    /// The texts.
    pub texts: Vec<String>,
    /// Short texts that are embedded one by one, after [`WARM_UP`] that do not count.
    pub queries: Vec<String>,
    /// The model.
    pub model: ModelId,
    /// Runs over all texts, at least one.
    pub runs: usize,
}

/// Queries before those that count.
pub const WARM_UP: usize = 10;

/// What was measured.
#[derive(Clone, Debug)]
pub struct EmbedTimes {
    /// The model.
    pub card: ModelCard,
    /// Seconds to open the model.
    pub load: f64,
    /// Seconds from the start of opening to the first vector.
    pub first: f64,
    /// Seconds of each run.
    pub runs: Vec<f64>,
    /// Seconds of each query that counts.
    pub queries: Vec<f64>,
    /// Tokens of all texts that the model saw, special ones included.
    pub tokens: u64,
    /// Tokens that it did not see.
    pub cut: u64,
    /// Operations of the matrix products with weights a token; `None` for models without such products.
    pub operations_per_token: Option<f64>,
    /// The longest step of the last run, in seconds.
    pub longest_step: f64,
    /// The vectors of the last run, in the order of the texts.
    pub vectors: Vectors,
}

/// Opens the model anew and embeds the texts. Stages: "Opening …", "Embedding with …".
///
/// # Errors
/// Cancelled; the model cannot be opened or fails.
pub fn time_embedding(request: &EmbedTrial, env: &Environment, progress: &Progress) -> Result<EmbedTimes, TaskError> {
    progress.stage(&format!("Opening {}", request.model), "models", 0);
    env.run(|| {
        let started = Instant::now();
        let failed = |source| TaskError::Model { attempted: format!("embed with {}", request.model), source };
        let hub_cache = env.models.hub().cache.clone();
        let options = OpenOptions { offline: env.offline, hub_cache, ..OpenOptions::default() };
        let mut embedder = models::open(&request.model, &options).map_err(failed)?;
        let load = started.elapsed().as_secs_f64();
        embedder.embed(&[Input::Text(request.queries.first().map_or("load", String::as_str))]).map_err(failed)?;
        let first = started.elapsed().as_secs_f64();
        let card = embedder.card().clone();
        let mut times = EmbedTimes {
            load,
            first,
            runs: Vec::new(),
            queries: Vec::new(),
            tokens: 0,
            cut: 0,
            operations_per_token: embedder.operations_per_token(),
            longest_step: 0.0,
            vectors: Vectors::new(vec![0.0; card.dimensions * request.texts.len()], card.dimensions)?,
            card,
        };
        for _ in 0..request.runs {
            progress.stage(&format!("Embedding with {}", times.card.name), "texts", request.texts.len() as u64);
            run(&request.texts, embedder.as_mut(), &mut times, progress)?;
        }
        for (nth, query) in request.queries.iter().enumerate() {
            progress.check()?;
            let started = Instant::now();
            embedder.embed(&[Input::Text(query)]).map_err(failed)?;
            if nth >= WARM_UP {
                times.queries.push(started.elapsed().as_secs_f64());
            }
        }
        Ok(times)
    })
}

fn run(
    texts: &[String],
    embedder: &mut dyn models::Embedder,
    times: &mut EmbedTimes,
    progress: &Progress,
) -> Result<(), TaskError> {
    let started = Instant::now();
    let (dim, limit) = (times.card.dimensions, times.card.context_tokens.unwrap_or(usize::MAX));
    let (mut values, mut tokens, mut cut, mut longest) = (vec![0.0; dim * texts.len()], 0, 0, 0.0f64);
    // Bytes over four stand for tokens: counting them would be tokenising twice.
    let costed = texts.iter().enumerate().map(|(at, text)| (at as u32, (text.len() / 4 + 2).min(limit)));
    let mut steps = Steps::new(costed.collect());
    while let Some(step) = steps.next() {
        progress.check()?;
        let inputs: Vec<Input<'_>> = step.iter().map(|&at| Input::Text(&texts[at as usize])).collect();
        let began = Instant::now();
        let made = embedder.embed_until(&inputs, &|| progress.is_cancelled());
        let made =
            made.map_err(|source| TaskError::Model { attempted: format!("embed with {}", times.card.name), source })?;
        let made = made.ok_or(Cancelled)?;
        let seconds = began.elapsed().as_secs_f64();
        steps.took(seconds);
        longest = longest.max(seconds);
        for (&at, vector) in step.iter().zip(made.values.chunks_exact(dim)) {
            values[at as usize * dim..][..dim].copy_from_slice(vector);
        }
        tokens += made.tokens.iter().map(|&tokens| u64::from(tokens)).sum::<u64>();
        cut += made.cut.iter().map(|&tokens| u64::from(tokens)).sum::<u64>();
        progress.advance(step.len() as u64);
    }
    times.runs.push(started.elapsed().as_secs_f64());
    (times.tokens, times.cut, times.longest_step) = (tokens, cut, longest);
    times.vectors = Vectors::new(values, dim)?;
    Ok(())
}
