//! The two embedders over the one network: its features, and ConSE's words-to-pictures vectors.
//!
//! ConSE (Norouzi et al. 2013, arXiv:1312.5650): the probability-weighted mean of the class vectors of the ten likeliest
//! classes. Pictures of a batch are spread over the threads. Invariant: vectors have length 1.

use std::sync::Arc;

use image::RgbImage;
use rayon::prelude::*;

use super::lite0::{CLASSES, FEATURES, Lite0};
use crate::models::{
    Embedded, Embedder, Explanation, Input, ModelCard, ModelError, Seen, text::pool::normalize, weights::Weights,
};

/// EfficientNet-Lite0's pooled features.
pub(in crate::models) struct Lite0Embedder {
    card: ModelCard,
    fingerprint: String,
    network: Arc<Lite0>,
}

/// ConSE over EfficientNet-Lite0.
pub(in crate::models) struct ConseEmbedder {
    card: ModelCard,
    fingerprint: String,
    network: Arc<Lite0>,
    /// [`CLASSES`] rows in the text model's space.
    vectors: Vec<f32>,
}

impl Lite0Embedder {
    /// Puts the card on the network.
    pub(in crate::models) fn new(card: ModelCard, network: Arc<Lite0>) -> Self {
        let fingerprint = fingerprint("lite0 1 ", &network.hash, None);
        Self { card, fingerprint, network }
    }
}

impl ConseEmbedder {
    /// Reads the tensor `vectors` (1000 rows) of `weights`.
    pub(in crate::models) fn new(
        card: ModelCard,
        network: Arc<Lite0>,
        weights: &Weights<'_>,
        hash: blake3::Hash,
    ) -> Result<Self, ModelError> {
        let vectors = weights.f32("vectors", &[CLASSES, card.dimensions])?;
        let fingerprint = fingerprint("conse 1 ", &network.hash, Some(&hash));
        Ok(Self { card, fingerprint, network, vectors })
    }

    fn vector(&self, seen: &Seen) -> Vec<f32> {
        let dim = self.card.dimensions;
        let mut out = vec![0f32; dim];
        for &(class, p) in &seen.likeliest {
            out.iter_mut().zip(&self.vectors[class * dim..][..dim]).for_each(|(o, v)| *o += p * v);
        }
        out
    }
}

impl Embedder for Lite0Embedder {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn embed(&mut self, inputs: &[Input<'_>]) -> Result<Embedded, ModelError> {
        embed(&self.card, &self.network, inputs, |seen| seen.features.clone())
    }

    fn network(&self) -> Option<&str> {
        Some(self.network.hash_words())
    }

    fn embed_seen(&self, seen: &[Arc<Seen>]) -> Result<Embedded, ModelError> {
        embed_seen(&self.network, seen, |seen| seen.features.clone())
    }

    fn cost(&self, _: Input<'_>) -> usize {
        1
    }

    fn explain(&mut self, input: Input<'_>) -> Result<Explanation, ModelError> {
        let seen = look(&self.network, picture(&self.card, input)?);
        let how = "mean of 1,280 features over 7 x 7 places of the picture";
        Ok(explain(&self.network, &seen, seen.features.clone(), how))
    }
}

impl Embedder for ConseEmbedder {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn embed(&mut self, inputs: &[Input<'_>]) -> Result<Embedded, ModelError> {
        embed(&self.card, &self.network, inputs, |seen| self.vector(seen))
    }

    fn network(&self) -> Option<&str> {
        Some(self.network.hash_words())
    }

    fn embed_seen(&self, seen: &[Arc<Seen>]) -> Result<Embedded, ModelError> {
        embed_seen(&self.network, seen, |seen| self.vector(seen))
    }

    fn cost(&self, _: Input<'_>) -> usize {
        1
    }

    fn explain(&mut self, input: Input<'_>) -> Result<Explanation, ModelError> {
        let seen = look(&self.network, picture(&self.card, input)?);
        let how = "probability-weighted mean of the text vectors of the 10 likeliest classes";
        Ok(explain(&self.network, &seen, self.vector(&seen), how))
    }
}

fn embed(
    card: &ModelCard,
    network: &Lite0,
    inputs: &[Input<'_>],
    vector: impl Fn(&Seen) -> Vec<f32> + Sync,
) -> Result<Embedded, ModelError> {
    let pictures = inputs.iter().map(|&input| picture(card, input)).collect::<Result<Vec<_>, ModelError>>()?;
    let seen: Vec<Arc<Seen>> = network.look(&pictures).into_iter().map(Arc::new).collect();
    let made = embed_seen(network, &seen, vector)?;
    Ok(Embedded { seen, ..made })
}

/// Vectors and notes of pictures that the network has seen.
fn embed_seen(
    network: &Lite0,
    seen: &[Arc<Seen>],
    vector: impl Fn(&Seen) -> Vec<f32> + Sync,
) -> Result<Embedded, ModelError> {
    let one = |seen: &Arc<Seen>| {
        if seen.features.len() != FEATURES || seen.likeliest.iter().any(|&(class, _)| class >= CLASSES) {
            return Err(ModelError::Tensor("what was seen is not of this network".to_owned()));
        }
        let mut v = vector(seen);
        normalize(&mut v);
        Ok((v, note(network, seen)))
    };
    let rows = seen.par_iter().map(one).collect::<Result<Vec<_>, ModelError>>()?;
    let mut out = Embedded { tokens: vec![0; rows.len()], cut: vec![0; rows.len()], ..Embedded::default() };
    for (v, note) in rows {
        out.values.extend_from_slice(&v);
        out.notes.push(note);
    }
    Ok(out)
}

fn look(network: &Lite0, picture: &RgbImage) -> Seen {
    network.look(&[picture]).pop().unwrap_or_default()
}

fn explain(network: &Lite0, seen: &Seen, mut vector: Vec<f32>, how: &str) -> Explanation {
    let norm = normalize(&mut vector);
    let classes = seen.likeliest.iter().map(|&(i, p)| (network.classes[i].clone(), p)).collect();
    Explanation { pooling: how.to_owned(), norm, classes, vector, ..Explanation::default() }
}

/// The three likeliest classes in words: "tabby 0.61, lynx 0.12, tiger cat 0.05".
fn note(network: &Lite0, seen: &Seen) -> String {
    let top = seen.likeliest.iter().take(3);
    top.map(|&(i, p)| format!("{} {p:.2}", network.classes[i])).collect::<Vec<_>>().join(", ")
}

fn picture<'a>(card: &ModelCard, input: Input<'a>) -> Result<&'a RgbImage, ModelError> {
    match input {
        Input::Image(picture) => Ok(picture),
        Input::Text(_) | Input::Query(_) => {
            Err(ModelError::WrongInput { model: card.name.clone(), reads: "pictures", given: "a text" })
        }
    }
}

fn fingerprint(kind: &str, network: &blake3::Hash, vectors: Option<&blake3::Hash>) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(kind.as_bytes()).update(network.as_bytes());
    vectors.map(|v| hash.update(v.as_bytes()));
    hash.finalize().to_hex()[..32].to_owned()
}
