//! The embedder trait, and what goes in and comes out.
//!
//! Says what models do and nothing of how. Invariant: a vector never depends on the inputs beside it.

use std::sync::Arc;

use super::{ModelCard, ModelError};

/// One thing to embed.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A text or a piece of code: the model's prompt for passages goes before it.
    Text(&'a str),
    /// A question asked of texts: the model's prompt for queries goes before it.
    Query(&'a str),
    /// A picture, 8-bit RGB, orientation already applied.
    Image(&'a image::RgbImage),
}

/// The vectors of one batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Embedded {
    /// Row-major vectors, one row an input, in the order given.
    pub values: Vec<f32>,
    /// Tokens each input was cut into and the model saw, special tokens counted; 0 for pictures.
    pub tokens: Vec<u32>,
    /// Tokens of each input that the model did not see because of its context length.
    pub cut: Vec<u32>,
    /// What the model says of each input in a few words: a picture's likeliest classes ("tabby 0.61, lynx 0.12"); empty
    /// for texts.
    pub notes: Vec<String>,
    /// What the network gave for each input, where several models are made of one network ([`Embedder::network`]); else empty.
    pub seen: Vec<Arc<Seen>>,
}

/// What a picture network gave for one picture: all that the models made of it need.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Pooled features, not normalised.
    pub features: Vec<f32>,
    /// The likeliest classes (index, probability), likeliest first.
    pub likeliest: Vec<(usize, f32)>,
}

/// One input's way through a model, for the inspector and `embedlens inspect`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Explanation {
    /// Tokens as the model sees them, special ones included.
    pub tokens: Vec<String>,
    /// Their ids.
    pub ids: Vec<u32>,
    /// Byte range in the input of each token; (0, 0) for special ones and for those of a prompt.
    pub offsets: Vec<(usize, usize)>,
    /// Tokens that did not fit.
    pub truncated: usize,
    /// The text that did not fit.
    pub cut_text: String,
    /// How it pooled, in words.
    pub pooling: String,
    /// Length of the vector before it was brought to 1.
    pub norm: f32,
    /// Likeliest classes with their probabilities; pictures only.
    pub classes: Vec<(String, f32)>,
    /// The vector.
    pub vector: Vec<f32>,
}

/// How a model that reads words and pictures scores captions of a picture: factor times cosine plus bias.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CaptionScale {
    /// Factor on the cosine, one over the temperature; about 100 in CLIP's trained models.
    pub factor: f32,
    /// What is added; 0 in CLIP, about -16 in `SigLIP`'s.
    pub bias: f32,
    /// Whether each caption is judged for itself (sigmoid, as `SigLIP` was trained) or against the others (softmax, as CLIP).
    pub each_alone: bool,
}

impl CaptionScale {
    /// Probabilities of captions by their cosines to a picture: each of being right by itself, or of being the one among them.
    pub fn shares(self, cosines: &[f32]) -> Vec<f32> {
        let logit = |cosine: f32| f64::from(self.factor) * f64::from(cosine) + f64::from(self.bias);
        if self.each_alone {
            return cosines.iter().map(|&cosine| (1.0 / (1.0 + (-logit(cosine)).exp())) as f32).collect();
        }
        let greatest = cosines.iter().map(|&cosine| logit(cosine)).fold(f64::NEG_INFINITY, f64::max);
        let powers: Vec<f64> = cosines.iter().map(|&cosine| (logit(cosine) - greatest).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.into_iter().map(|power| (power / sum) as f32).collect()
    }
}

/// A loaded model.
pub trait Embedder: Send {
    /// What is known of it.
    fn card(&self) -> &ModelCard;
    /// Hash of weights, tokenizer and everything else that decides the vectors: part of every cache key.
    fn fingerprint(&self) -> &str;
    /// Embeds one batch. Vectors come in the order of the inputs, normalised when the card says so.
    fn embed(&mut self, inputs: &[Input<'_>]) -> Result<Embedded, ModelError>;
    /// Embeds one batch as [`Embedder::embed`] does, and gives up soon after `stop` says so: then there are no vectors. Models whose
    /// batches are quick may look at it only between batches.
    ///
    /// # Errors
    /// As [`Embedder::embed`].
    fn embed_until(
        &mut self,
        inputs: &[Input<'_>],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Embedded>, ModelError> {
        if stop() { Ok(None) } else { self.embed(inputs).map(Some) }
    }
    /// Hash of the network that decides its vectors together with what [`Embedder::embed_seen`] adds; `None` for a model with a
    /// network of its own.
    fn network(&self) -> Option<&str> {
        None
    }
    /// The same vectors and notes, bit by bit, as [`Embedder::embed`] gives for the inputs that its network saw so.
    ///
    /// # Errors
    /// A model without a shared network; figures that are not of this network.
    fn embed_seen(&self, _seen: &[Arc<Seen>]) -> Result<Embedded, ModelError> {
        let message = "it shares its network with no other model".to_owned();
        Err(ModelError::Unsupported { id: self.card().id.0.clone(), message })
    }
    /// The model as a source of vectors of single tokens, from which a static model can be distilled; `None` where it has no such.
    fn token_source(&self) -> Option<super::TokenSource<'_>> {
        None
    }
    /// Multiplications and additions of the layers' matrix products, a token: 2 a weight. `None` where that says nothing of the work.
    fn operations_per_token(&self) -> Option<f64> {
        None
    }
    /// How costly an input is, in tokens before truncation (1 for a picture): for sorting into batches.
    fn cost(&self, input: Input<'_>) -> usize;
    /// How it scores captions of pictures; `None` for models that were not trained to.
    fn caption_scale(&self) -> Option<CaptionScale> {
        None
    }
    /// Shows one input's way through the model.
    fn explain(&mut self, input: Input<'_>) -> Result<Explanation, ModelError>;
}
