//! Embedding timed for itself: no cache, no corpus, every text or picture anew in each run.
//!
//! Measures, decides nothing. Invariant: a run embeds exactly the inputs given, in the steps that a corpus is embedded in.

use std::sync::Arc;
use std::time::Instant;

use image::RgbImage;

use super::steps::Steps;
use crate::models::{self, Input, ModelCard, ModelId, OpenOptions};
use crate::progress::{Cancelled, Progress};
use crate::tasks::{Environment, TaskError};
use crate::vectors::Vectors;

/// What is embedded for the clock's sake.
#[derive(Clone, Debug)]
pub enum TrialInputs {
    /// Texts.
    Texts(Vec<String>),
    /// Pictures, decoded; making them ready for the model counts.
    Pictures(Vec<Arc<RgbImage>>),
}

/// What a picture counts in a step beside a text's tokens.
const PICTURE: usize = 256;

impl TrialInputs {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Pictures(pictures) => pictures.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// "texts" or "pictures".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Texts(_) => "texts",
            Self::Pictures(_) => "pictures",
        }
    }

    fn at(&self, at: usize) -> Input<'_> {
        match self {
            Self::Texts(texts) => Input::Text(&texts[at]),
            Self::Pictures(pictures) => Input::Image(&pictures[at]),
        }
    }

    /// Bytes over four stand for tokens: counting them would be tokenising twice.
    fn cost(&self, at: usize, limit: usize) -> usize {
        match self {
            Self::Texts(texts) => (texts[at].len() / 4 + 2).min(limit),
            Self::Pictures(_) => PICTURE,
        }
    }
}

/// Inputs to embed for the clock's sake.
#[derive(Clone, Debug)]
pub struct EmbedTrial {
    /// What each run embeds.
    pub inputs: TrialInputs,
    /// Short texts, or pictures, that are embedded one by one, after [`WARM_UP`] that do not count.
    pub queries: TrialInputs,
    /// The model.
    pub model: ModelId,
    /// Runs over all inputs, at least one.
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
    /// The vectors of the last run, in the order of the inputs.
    pub vectors: Vectors,
}

/// Opens the model anew and embeds the inputs. Stages: "Opening …", "Embedding with …".
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
        let begin = if request.queries.is_empty() { Input::Text("load") } else { request.queries.at(0) };
        embedder.embed(&[begin]).map_err(failed)?;
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
            vectors: Vectors::new(vec![0.0; card.dimensions * request.inputs.len()], card.dimensions)?,
            card,
        };
        for _ in 0..request.runs {
            progress.stage(
                &format!("Embedding with {}", times.card.name),
                request.inputs.kind(),
                request.inputs.len() as u64,
            );
            run(&request.inputs, embedder.as_mut(), &mut times, progress)?;
        }
        for nth in 0..request.queries.len() {
            progress.check()?;
            let started = Instant::now();
            embedder.embed(&[request.queries.at(nth)]).map_err(failed)?;
            if nth >= WARM_UP {
                times.queries.push(started.elapsed().as_secs_f64());
            }
        }
        Ok(times)
    })
}

fn run(
    inputs: &TrialInputs,
    embedder: &mut dyn models::Embedder,
    times: &mut EmbedTimes,
    progress: &Progress,
) -> Result<(), TaskError> {
    let started = Instant::now();
    let (dim, limit) = (times.card.dimensions, times.card.context_tokens.unwrap_or(usize::MAX));
    let (mut values, mut tokens, mut cut, mut longest) = (vec![0.0; dim * inputs.len()], 0, 0, 0.0f64);
    let costed = (0..inputs.len()).map(|at| (at as u32, inputs.cost(at, limit)));
    let mut steps = Steps::new(costed.collect());
    while let Some(step) = steps.next() {
        progress.check()?;
        let batch: Vec<Input<'_>> = step.iter().map(|&at| inputs.at(at as usize)).collect();
        let began = Instant::now();
        let made = embedder.embed_until(&batch, &|| progress.is_cancelled());
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
