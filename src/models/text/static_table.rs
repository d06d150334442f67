//! Static embeddings: a table of token vectors, looked up and averaged (the `Model2Vec` recipe of `MinishLab`).
//!
//! No attention, word order is not seen: thousands of texts a second on one core, nearly all of it spent tokenising. Invariant: a text
//! with no known token gets the zero vector.

use std::borrow::Cow;
use std::sync::Arc;

use half::{f16, slice::HalfFloatSliceExt};
use rayon::prelude::*;

use super::{
    encoder::{check_steps, text_of},
    pool::{After, norm},
    tokens::TextTokenizer,
};
use crate::models::{Embedded, Embedder, Explanation, Input, ModelCard, ModelError, Overrides};

/// A table's values, row after row.
pub(in crate::models) enum Table {
    Singles(Vec<f32>),
    Halves(Vec<f16>),
    Bytes(Vec<i8>),
}

impl Table {
    fn len(&self) -> usize {
        match self {
            Self::Singles(values) => values.len(),
            Self::Halves(values) => values.len(),
            Self::Bytes(values) => values.len(),
        }
    }

    /// Adds `weight` times row `at` to `out`; `row` is memory for it.
    fn add(&self, at: usize, weight: f32, row: &mut [f32], out: &mut [f32]) {
        let range = at * out.len()..(at + 1) * out.len();
        let sum = |out: &mut [f32], row: &[f32]| {
            if weight == 1.0 {
                out.iter_mut().zip(row).for_each(|(o, x)| *o += x);
            } else {
                out.iter_mut().zip(row).for_each(|(o, x)| *o += weight * x);
            }
        };
        match self {
            Self::Singles(values) => sum(out, &values[range]),
            Self::Halves(values) => {
                values[range].convert_to_f32_slice(row);
                sum(out, row);
            }
            Self::Bytes(values) => {
                row.iter_mut().zip(&values[range]).for_each(|(x, &value)| *x = f32::from(value));
                sum(out, row);
            }
        }
    }
}

/// What a table's embedder is made of.
pub(in crate::models) struct TableParts {
    pub(in crate::models) card: ModelCard,
    pub(in crate::models) tokenizer: Arc<TextTokenizer>,
    pub(in crate::models) table: Table,
    /// Values a row.
    pub(in crate::models) width: usize,
    /// The row of each token; its own where there is none.
    pub(in crate::models) mapping: Option<Vec<u32>>,
    /// What each token's row is multiplied by.
    pub(in crate::models) weights: Option<Vec<f32>>,
    /// What is done to the mean.
    pub(in crate::models) after: Vec<After>,
    /// Unknown tokens are left out, as tables are made without them.
    pub(in crate::models) drop_unknown: bool,
    /// Hash of the weight files.
    pub(in crate::models) weights_hash: blake3::Hash,
}

impl TableParts {
    /// With what the user set in place of what the folder says; a table has one way of pooling.
    pub(in crate::models) fn with(mut self, overrides: &Overrides) -> Self {
        if let Some(prompts) = &overrides.prompts {
            self.card.prompts = prompts.clone();
        }
        let last = matches!(self.after.last(), Some(After::Normalize));
        match overrides.normalize {
            Some(true) if !last => self.after.push(After::Normalize),
            Some(false) if last => _ = self.after.pop(),
            _ => {}
        }
        self
    }

    /// A table with a row a token, brought to length 1, whose card says how wide it is.
    #[cfg_attr(not(feature = "bundled-models"), allow(dead_code))]
    pub(in crate::models) fn plain(
        card: ModelCard,
        tokenizer: Arc<TextTokenizer>,
        table: Table,
        weights_hash: blake3::Hash,
    ) -> Self {
        let width = card.dimensions;
        let after = vec![After::Normalize];
        Self { card, tokenizer, table, width, mapping: None, weights: None, after, drop_unknown: true, weights_hash }
    }
}

/// A loaded table.
pub(in crate::models) struct StaticEmbedder {
    parts: TableParts,
    fingerprint: String,
    unknown: Option<u32>,
}

impl StaticEmbedder {
    /// Checks that every token has its row.
    pub(in crate::models) fn new(mut parts: TableParts) -> Result<Self, ModelError> {
        let id = parts.card.id.0.clone();
        let fault = |message: String| ModelError::Unsupported { id: id.clone(), message };
        let (tokens, rows) = (parts.tokenizer.vocabulary(), parts.table.len() / parts.width.max(1));
        let mapped = parts.mapping.as_ref().map_or(rows, Vec::len);
        let known = mapped.min(parts.weights.as_ref().map_or(mapped, Vec::len));
        if tokens > known {
            return Err(fault(format!("its tokenizer has {tokens} tokens, its table knows {known}")));
        }
        if parts.mapping.iter().flatten().any(|&row| row as usize >= rows) {
            return Err(fault(format!("its mapping names a row that its table of {rows} rows does not have")));
        }
        parts.card.dimensions = check_steps(&id, parts.width, &parts.after)?;
        parts.card.normalized = matches!(parts.after.last(), Some(After::Normalize));
        let mut hash = blake3::Hasher::new();
        hash.update(b"static 1 ").update(parts.weights_hash.as_bytes()).update(parts.tokenizer.hash.as_bytes());
        let steps: Vec<String> = parts.after.iter().map(After::name).collect();
        let (prompt, most) = (&parts.card.prompts.passage, parts.card.context_tokens);
        if steps != ["normalize"] || !parts.drop_unknown || !prompt.is_empty() || most.is_some() {
            hash.update(format!(" {steps:?} {} {prompt:?} {most:?}", parts.drop_unknown).as_bytes());
        }
        let fingerprint = hash.finalize().to_hex()[..32].to_owned();
        let unknown = if parts.drop_unknown { parts.tokenizer.unknown() } else { None };
        Ok(Self { parts, fingerprint, unknown })
    }

    /// The vector of `ids`, how many of them were known, and the mean's length before it was brought to 1.
    fn vector(&self, ids: &[u32]) -> (Vec<f32>, usize, f32) {
        let parts = &self.parts;
        let (mut row, mut out) = (vec![0f32; parts.width], vec![0f32; parts.width]);
        let mut known = 0;
        for &id in ids.iter().filter(|&&id| Some(id) != self.unknown) {
            let at = parts.mapping.as_ref().map_or(id, |mapping| mapping[id as usize]);
            let weight = parts.weights.as_ref().map_or(1.0, |weights| weights[id as usize]);
            parts.table.add(at as usize, weight, &mut row, &mut out);
            known += 1;
        }
        let scale = 1.0 / known.max(1) as f32;
        out.iter_mut().for_each(|o| *o *= scale);
        let mut length = None;
        for step in &parts.after {
            if matches!(step, After::Normalize) {
                length = Some(norm(&out));
            }
            step.apply(&mut out);
        }
        let length = length.unwrap_or_else(|| norm(&out));
        (out, known, length)
    }

    /// The text of an input behind its prompt, and the prompt.
    fn whole<'a>(&self, input: Input<'a>) -> Result<(Cow<'a, str>, &str), ModelError> {
        let text = text_of(&self.parts.card, input)?;
        let prompt = match input {
            Input::Query(_) => &self.parts.card.prompts.query,
            _ => &self.parts.card.prompts.passage,
        };
        Ok((if prompt.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(format!("{prompt}{text}")) }, prompt))
    }

    /// How many of `count` tokens are seen.
    fn seen(&self, count: usize) -> usize {
        count.min(self.parts.card.context_tokens.unwrap_or(usize::MAX))
    }
}

impl Embedder for StaticEmbedder {
    fn card(&self) -> &ModelCard {
        &self.parts.card
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn embed(&mut self, inputs: &[Input<'_>]) -> Result<Embedded, ModelError> {
        let this = &*self;
        let dim = this.parts.card.dimensions;
        let mut values = vec![0f32; inputs.len() * dim];
        let counts = inputs
            .par_iter()
            .zip(values.par_chunks_mut(dim))
            .with_min_len(16)
            .map(|(&input, out)| {
                let ids = this.parts.tokenizer.ids(&this.whole(input)?.0)?;
                let seen = this.seen(ids.len());
                out.copy_from_slice(&this.vector(&ids[..seen]).0);
                Ok((seen as u32, (ids.len() - seen) as u32))
            })
            .collect::<Result<Vec<_>, ModelError>>()?;
        let (tokens, cut) = counts.into_iter().unzip();
        Ok(Embedded { values, tokens, cut, notes: vec![String::new(); inputs.len()], seen: Vec::new() })
    }

    /// Bytes over four stand for tokens here: counting them would cost as much as embedding.
    fn cost(&self, input: Input<'_>) -> usize {
        text_of(&self.parts.card, input).map_or(1, |t| t.len() / 4 + 1)
    }

    fn explain(&mut self, input: Input<'_>) -> Result<Explanation, ModelError> {
        let (text, prompt) = self.whole(input)?;
        let pieces = self.parts.tokenizer.pieces(&text)?;
        let (kept, before) = (self.seen(pieces.ids.len()), prompt.len());
        let ids = pieces.ids[..kept].to_vec();
        let (vector, known, norm) = self.vector(&ids);
        let mut pooling = format!("mean over the table's vectors of {known} tokens");
        if kept > known {
            pooling.push_str(&format!(", {} unknown left out", kept - known));
        }
        if before > 0 {
            pooling.push_str(&format!("; the prompt {prompt:?} before the text takes part"));
        }
        let own = |&(from, to): &(usize, usize)| (from.saturating_sub(before), to.saturating_sub(before));
        Ok(Explanation {
            tokens: ids.iter().map(|&id| self.parts.tokenizer.token(id)).collect(),
            ids,
            offsets: pieces.offsets[..kept].iter().map(own).collect(),
            truncated: pieces.ids.len() - kept,
            cut_text: pieces.offsets.get(kept).map_or_else(String::new, |&(at, _)| text[at.max(before)..].to_owned()),
            pooling,
            norm,
            vector,
            ..Explanation::default()
        })
    }
}
