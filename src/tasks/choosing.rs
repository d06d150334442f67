//! What a choice of models needs to know of this computer: which are here, and how much work it does in a second.
//!
//! Ranks nothing. Invariant: a rate is measured on the person's own texts, with the smallest bundled transformer.

use super::{Environment, TaskError, listed_models, time_embedding};
use crate::corpus::{Corpus, Modality};
use crate::models::{self, ModelId, catalogue};
use crate::progress::Progress;
use crate::tasks::{EmbedTrial, TrialInputs};

/// Texts that are embedded for the clock's sake.
const SAMPLE: usize = 48;
/// The model that is timed.
const TIMED: &str = "all-MiniLM-L6-v2";

/// Ids of the models on this computer.
pub fn models_here(env: &Environment) -> Vec<String> {
    listed_models(env).into_iter().map(|card| card.id.0).collect()
}

/// Multiplications and additions a second that embedding texts of `corpus` comes to here; `None` where there are no texts or no bundled
/// model to time.
///
/// # Errors
/// Cancelled; the model fails.
pub fn measure_rate(corpus: &Corpus, env: &Environment, progress: &Progress) -> Result<Option<f64>, TaskError> {
    let rows = corpus.rows_of(&[Modality::Text, Modality::Code]);
    let known = catalogue::known(TIMED).and_then(|model| model.operations);
    let (Some(work), true) = (known, models::cards().iter().any(|card| card.id.0 == TIMED) && !rows.is_empty()) else {
        return Ok(None);
    };
    let step = (rows.len() / SAMPLE).max(1);
    let texts: Vec<String> =
        rows.iter().step_by(step).take(SAMPLE).map(|&row| corpus.text_of(row).to_owned()).collect();
    let trial = EmbedTrial {
        inputs: TrialInputs::Texts(texts),
        queries: TrialInputs::Texts(Vec::new()),
        model: ModelId(TIMED.to_owned()),
        runs: 1,
    };
    let times = time_embedding(&trial, env, progress)?;
    let seconds: f64 = times.runs.iter().sum();
    Ok((seconds > 0.0).then(|| times.tokens as f64 * work as f64 / seconds))
}
