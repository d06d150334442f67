//! Distilling a static model from a text model: its vocabulary, or that and words of the user's own, through the encoder; then
//! principal components and weights by frequency (the recipe of Model2Vec).
//!
//! The encoder, the tokenizer and the folder are the models' matter. Invariant: the same model, words and settings give the same bytes.

use std::path::PathBuf;

use super::{Environment, TaskError};
use crate::corpus::Corpus;
use crate::models::{self, ModelError, ModelId, ModelSource, StaticSettings, StaticVocabulary};
use crate::progress::{Cancelled, Progress};
use crate::projection::Pca;
use crate::vectors::Vectors;

/// Tokens that go through the encoder between two looks at whether to stop.
const BATCH: usize = 512;

/// How tokens are weighed: frequent ones say little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weighting {
    /// By the rank in the vocabulary, whose frequent tokens come first in most tokenizers (Zipf's law).
    #[default]
    Zipf,
    /// By how often each comes in the user's texts (Arora et al. 2017).
    Sif,
    /// All the same.
    None,
}

/// What to distill.
#[derive(Clone, Debug, PartialEq)]
pub struct DistillRequest {
    /// The model it is made from.
    pub model: ModelId,
    /// The new folder.
    pub out: PathBuf,
    /// Dimensions of the vectors. Usual 256; fewer are smaller and coarser.
    pub dimensions: usize,
    /// How tokens are weighed.
    pub weighting: Weighting,
    /// Words of the user's texts that get a token of their own, the most frequent ones first.
    pub words: usize,
    /// Whether vectors are brought to length 1.
    pub normalize: bool,
    /// Whether the table is written in 16 bits.
    pub half: bool,
}

impl DistillRequest {
    /// What Model2Vec takes when nothing else is said: 256 dimensions, weights by rank, length 1, 16 bits; 10,000 words.
    pub fn new(model: ModelId, out: PathBuf) -> Self {
        let weighting = Weighting::default();
        Self { model, out, dimensions: 256, weighting, words: 10_000, normalize: true, half: true }
    }
}

/// A static model that was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Distilled {
    /// Its folder.
    pub folder: PathBuf,
    /// Tokens with a vector.
    pub tokens: usize,
    /// Those among them that are words of the user's texts.
    pub words: usize,
    /// Dimensions.
    pub dimensions: usize,
    /// Share of the tokens' variance that the dimensions keep, 0 to 1; `None` where all were kept as they are.
    pub explained: Option<f32>,
    /// Bytes of the table.
    pub bytes: u64,
}

/// Coefficient of the weights by frequency (Model2Vec's).
const COEFFICIENT: f64 = 1e-4;

/// Distills a static model into a new folder; `corpus` gives words and frequencies.
///
/// # Errors
/// Cancelled; a model that is no text encoder; weights by frequency without texts; a folder that holds anything.
pub fn distill(
    request: &DistillRequest,
    corpus: Option<&Corpus>,
    env: &Environment,
    progress: &Progress,
) -> Result<Distilled, TaskError> {
    let attempted = || format!("distill {}", request.model);
    let fault = |source: ModelError| TaskError::Model { attempted: attempted(), source };
    if request.weighting == Weighting::Sif && corpus.is_none() {
        let message = "weights by frequency (sif) need texts to count in: give --corpus".to_owned();
        return Err(fault(ModelError::Unsupported { id: request.model.0.clone(), message }));
    }
    models::check_new_folder(&request.out).map_err(fault)?;
    let (vocabulary, states, width, card) = env.run(|| states(request, corpus, env, progress))?;
    let (values, dimensions, explained) = env.run(|| components(states, width, request.dimensions, progress))?;
    progress.stage("Writing the table", "tokens", 0);
    let (weights, coefficient) = weights(request, &vocabulary, corpus).map_err(fault)?;
    let weighed = values.chunks_exact(dimensions).zip(&weights);
    let values: Vec<f32> =
        weighed.flat_map(|(row, &weight)| row.iter().map(move |&value| (f64::from(value) * weight) as f32)).collect();
    // Where a folder lies is nobody's business but the user's.
    let made_from = if matches!(card.source, ModelSource::Folder(_)) { card.name } else { card.id.0 };
    let settings = StaticSettings {
        made_from,
        licence: card.licence,
        dimensions,
        coefficient,
        normalize: request.normalize,
        half: request.half,
    };
    progress.check()?;
    let bytes = models::save_static(&request.out, &vocabulary, &values, &settings).map_err(fault)?;
    let (tokens, words) = (vocabulary.entries().len(), vocabulary.words());
    Ok(Distilled { folder: request.out.clone(), tokens, words, dimensions, explained, bytes })
}

/// The texts of a corpus.
fn texts(corpus: &Corpus) -> impl Iterator<Item = &str> {
    corpus.items.iter().filter_map(|item| item.text())
}

type States = (StaticVocabulary, Vec<f32>, usize, models::ModelCard);

/// Every token through the encoder.
fn states(
    request: &DistillRequest,
    corpus: Option<&Corpus>,
    env: &Environment,
    progress: &Progress,
) -> Result<States, TaskError> {
    let mut model = env.models.take(&request.model, env.offline)?;
    let found = model.with(&format!("distill {}", request.model), |embedder| {
        let card = embedder.card().clone();
        let Some(source) = embedder.token_source() else {
            let message = "only text encoders can be distilled, and this is none".to_owned();
            return Err(ModelError::Unsupported { id: card.id.0, message });
        };
        progress.stage("Counting words", "texts", 0);
        let words = match corpus {
            Some(corpus) if request.words > 0 => source.frequent_words(texts(corpus), request.words),
            _ => Vec::new(),
        };
        let words: Vec<String> = words.into_iter().map(|(word, _)| word).collect();
        let vocabulary = source.vocabulary(&words)?;
        progress.stage("Encoding tokens", "tokens", vocabulary.entries().len() as u64);
        let mut states = Vec::with_capacity(vocabulary.entries().len() * source.width());
        for batch in vocabulary.entries().chunks(BATCH) {
            if progress.check().is_err() {
                return Ok(None);
            }
            let lists: Vec<&[u32]> = batch.iter().map(|(_, pieces)| pieces.as_slice()).collect();
            states.extend(source.mean_states(&lists));
            progress.advance(batch.len() as u64);
        }
        let width = source.width();
        Ok(Some((vocabulary, states, width, card)))
    })?;
    found.ok_or(TaskError::Cancelled(Cancelled))
}

/// The principal components of the states, as many as asked for; the states as they are where there are too few tokens for that.
fn components(
    states: Vec<f32>,
    width: usize,
    dimensions: usize,
    progress: &Progress,
) -> Result<(Vec<f32>, usize, Option<f32>), TaskError> {
    let dimensions = dimensions.clamp(1, width);
    if dimensions >= states.len() / width {
        return Ok((states, width, None));
    }
    let vectors = Vectors::new(states, width).map_err(crate::projection::ProjectionError::Read)?;
    let pca = Pca::fit_with(&vectors, dimensions, progress)?;
    let made = pca.transform_blocks(&vectors, progress)?;
    Ok((made.values().to_vec(), dimensions, pca.explained_so_far().last().copied()))
}

/// A weight an entry, and the coefficient that it was worked out with.
fn weights(
    request: &DistillRequest,
    vocabulary: &StaticVocabulary,
    corpus: Option<&Corpus>,
) -> Result<(Vec<f64>, Option<f64>), ModelError> {
    let count = vocabulary.entries().len();
    let shares: Vec<f64> = match (request.weighting, corpus) {
        (Weighting::None, _) | (Weighting::Sif, None) => return Ok((vec![1.0; count], None)),
        (Weighting::Zipf, _) => (0..count).map(|rank| 1.0 / (rank + 2) as f64).collect(),
        // One more of each, so that what does not come in the texts is rare and not impossible.
        (Weighting::Sif, Some(corpus)) => {
            vocabulary.counts(texts(corpus))?.into_iter().map(|times| (times + 1) as f64).collect()
        }
    };
    let sum: f64 = shares.iter().sum();
    let weights = shares.iter().map(|share| COEFFICIENT / (COEFFICIENT + share / sum)).collect();
    Ok((weights, Some(COEFFICIENT)))
}
