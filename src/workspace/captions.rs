//! How well captions describe a picture.

use std::sync::Arc;

use crate::models::ModelId;
use crate::vectors::RowId;

/// Captions of a picture, scored by a model that has words and pictures in one space.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Captioned {
    /// The row of the picture, where it is one of the corpus.
    #[serde(skip)]
    pub row: Option<RowId>,
    /// The model.
    pub model: ModelId,
    /// What cosines are divided by: small makes the likeliest caption stand out.
    pub temperature: f32,
    /// Whether the model learnt that temperature; else it is ours, or the user's.
    pub learnt: bool,
    /// What is added after the division; 0 with softmax.
    pub bias: f32,
    /// Whether each caption is judged for itself (sigmoid) rather than against the others (softmax).
    pub each_alone: bool,
    /// In the order given.
    pub captions: Arc<[Caption]>,
}

/// A caption and its score.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Caption {
    /// The words.
    pub text: String,
    /// Cosine to the picture, -1 to 1.
    pub cosine: f32,
    /// Probability, 0 to 1: over all captions with softmax, for itself with the sigmoid.
    pub share: f32,
}
