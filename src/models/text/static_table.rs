//! Static embeddings: a table of token vectors, looked up and averaged (the `Model2Vec` recipe of `MinishLab`).
//!
//! No attention, no context limit, word order is not seen: thousands of texts a second on one core, nearly all of it spent
//! tokenising. Invariant: unknown tokens are left out, as the table was made without them; a text with no known token gets
//! the zero vector.

use std::sync::Arc;

use half::{f16, slice::HalfFloatSliceExt};
use rayon::prelude::*;

use super::{encoder::text_of, pool::normalize, tokens::TextTokenizer};
use crate::models::{Embedded, Embedder, Explanation, Input, ModelCard, ModelError, weights::Weights};

/// A loaded table.
pub(in crate::models) struct StaticEmbedder {
    card: ModelCard,
    fingerprint: String,
    tokenizer: Arc<TextTokenizer>,
    unknown: Option<u32>,
    table: Arc<[f16]>,
}

impl StaticEmbedder {
    /// Reads the tensor `embeddings` of `weights`, one row a vocabulary entry.
    pub(in crate::models) fn new(
        card: ModelCard,
        tokenizer: Arc<TextTokenizer>,
        weights: &Weights<'_>,
        weights_hash: blake3::Hash,
    ) -> Result<Self, ModelError> {
        let table = weights.f16("embeddings", &[tokenizer.vocabulary(), card.dimensions])?;
        let mut hash = blake3::Hasher::new();
        hash.update(b"static 1 ").update(weights_hash.as_bytes()).update(tokenizer.hash.as_bytes());
        let fingerprint = hash.finalize().to_hex()[..32].to_owned();
        let unknown = tokenizer.id("[UNK]");
        Ok(Self { card, fingerprint, tokenizer, unknown, table: table.into() })
    }

    /// Adds up the rows of `ids` into `out` and returns how many were known and the mean's length before normalising.
    fn mean(&self, ids: &[u32], out: &mut [f32]) -> (usize, f32) {
        let dim = self.card.dimensions;
        let mut row = vec![0f32; dim];
        let mut known = 0;
        for &id in ids.iter().filter(|&&id| Some(id) != self.unknown) {
            self.table[id as usize * dim..][..dim].convert_to_f32_slice(&mut row);
            out.iter_mut().zip(&row).for_each(|(o, x)| *o += x);
            known += 1;
        }
        let scale = 1.0 / known.max(1) as f32;
        out.iter_mut().for_each(|o| *o *= scale);
        (known, normalize(out))
    }
}

impl Embedder for StaticEmbedder {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn embed(&mut self, inputs: &[Input<'_>]) -> Result<Embedded, ModelError> {
        let this = &*self;
        let mut values = vec![0f32; inputs.len() * this.card.dimensions];
        let tokens = inputs
            .par_iter()
            .zip(values.par_chunks_mut(this.card.dimensions))
            .with_min_len(16)
            .map(|(&input, out)| {
                let ids = this.tokenizer.ids(text_of(&this.card, input)?)?;
                this.mean(&ids, out);
                Ok(ids.len() as u32)
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        Ok(Embedded {
            values,
            tokens,
            cut: vec![0; inputs.len()],
            notes: vec![String::new(); inputs.len()],
            seen: Vec::new(),
        })
    }

    /// Bytes over four stand for tokens here: counting them would cost as much as embedding.
    fn cost(&self, input: Input<'_>) -> usize {
        text_of(&self.card, input).map_or(1, |t| t.len() / 4 + 1)
    }

    fn explain(&mut self, input: Input<'_>) -> Result<Explanation, ModelError> {
        let pieces = self.tokenizer.pieces(text_of(&self.card, input)?)?;
        let mut vector = vec![0f32; self.card.dimensions];
        let (known, norm) = self.mean(&pieces.ids, &mut vector);
        let left_out = pieces.ids.len() - known;
        let mut pooling = format!("mean over the table's vectors of {known} tokens");
        if left_out > 0 {
            pooling.push_str(&format!(", {left_out} unknown left out"));
        }
        Ok(Explanation {
            tokens: pieces.ids.iter().map(|&id| self.tokenizer.token(id)).collect(),
            ids: pieces.ids,
            offsets: pieces.offsets,
            pooling,
            norm,
            vector,
            ..Explanation::default()
        })
    }
}
