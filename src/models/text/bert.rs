//! BERT encoders on candle: token ids in, pooled vectors out.
//!
//! Cutting to the context, padding, masking, pooling and normalising are done here; the layers are candle's. It reads no
//! files. Invariant: padding has no effect, since masked places get the weight zero exactly and are never pooled.

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use rayon::prelude::*;

use super::{
    pool::{norm, normalize, pool},
    tokens::TextTokenizer,
};
use crate::models::{
    Embedded, Embedder, Explanation, Input, InputKind, ModelCard, ModelError, Pooling, weights::Weights,
};

/// Padded tokens that go through the layers together, several groups at once on different threads. Measured on two cores:
/// 128 to 256 cost least CPU time, 512 10 % more, 8192 45 % more (memory traffic). Fixed, so that the result does not
/// depend on the number of threads.
const GROUP_TOKENS: usize = 256;

/// What a BERT embedder is made of.
pub(in crate::models) struct BertParts {
    pub(in crate::models) card: ModelCard,
    pub(in crate::models) tokenizer: Arc<TextTokenizer>,
    pub(in crate::models) config: Config,
    /// Longest input in tokens, special ones counted.
    pub(in crate::models) max_tokens: usize,
    /// Hash of the weight file.
    pub(in crate::models) weights_hash: blake3::Hash,
}

/// A loaded BERT encoder.
pub(in crate::models) struct BertEmbedder {
    card: ModelCard,
    fingerprint: String,
    tokenizer: Arc<TextTokenizer>,
    model: BertModel,
    max_tokens: usize,
    operations: f64,
}

/// One text made ready: ids with special tokens, cut to the context.
struct Ready {
    ids: Vec<u32>,
    cut: u32,
}

impl BertEmbedder {
    /// Builds the layers from `weights`.
    pub(in crate::models) fn new(parts: BertParts, weights: &Weights<'_>) -> Result<Self, ModelError> {
        let BertParts { card, tokenizer, config, max_tokens, weights_hash } = parts;
        let id = card.id.to_string();
        let unsupported = |message| ModelError::Unsupported { id: id.clone(), message };
        if tokenizer.vocabulary() > config.vocab_size {
            let (t, c) = (tokenizer.vocabulary(), config.vocab_size);
            return Err(unsupported(format!("its tokenizer has {t} tokens, its weights know {c}")));
        }
        if max_tokens <= tokenizer.special_count() {
            return Err(unsupported(format!("its context of {max_tokens} tokens leaves no room for text")));
        }
        let model = build(weights, &config)?;
        let (hidden, between) = (config.hidden_size as f64, config.intermediate_size as f64);
        let operations = 2.0 * config.num_hidden_layers as f64 * hidden * (4.0 * hidden + 2.0 * between);
        let mut hash = blake3::Hasher::new();
        hash.update(b"bert 1 ").update(weights_hash.as_bytes()).update(tokenizer.hash.as_bytes());
        let precision = card.precision.unwrap_or_default().runs_as();
        let options = format!(" {max_tokens} {:?} {} {precision} {config:?}", card.pooling, card.normalized);
        let fingerprint = hash.update(options.as_bytes()).finalize().to_hex()[..32].to_owned();
        Ok(Self { card, fingerprint, tokenizer, model, max_tokens, operations })
    }

    fn ready(&self, ids: &[u32]) -> Ready {
        let room = self.max_tokens - self.tokenizer.special_count();
        let kept = &ids[..ids.len().min(room)];
        let cut = (ids.len() - kept.len()) as u32;
        Ready { ids: [&self.tokenizer.prefix, kept, &self.tokenizer.suffix].concat(), cut }
    }

    /// Last hidden states of a group, flattened, and its padded length.
    fn hidden(&self, group: &[&Ready]) -> Result<(Vec<f32>, usize), ModelError> {
        let longest = group.iter().map(|r| r.ids.len()).max().unwrap_or(0);
        let mut ids = vec![0u32; group.len() * longest];
        let mut mask = vec![0f32; group.len() * longest];
        for (row, ready) in group.iter().enumerate() {
            let at = row * longest;
            ids[at..at + ready.ids.len()].copy_from_slice(&ready.ids);
            mask[at..at + ready.ids.len()].fill(1.0);
        }
        let shape = (group.len(), longest);
        let run = || -> candle_core::Result<Vec<f32>> {
            let ids = Tensor::from_vec(ids, shape, &Device::Cpu)?;
            let mask = Tensor::from_vec(mask, shape, &Device::Cpu)?;
            self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?.flatten_all()?.to_vec1()
        };
        Ok((run().map_err(|e| tensor(&e))?, longest))
    }

    /// Pooled vectors of a group, not yet normalised.
    fn pooled(&self, group: &[&Ready]) -> Result<Vec<f32>, ModelError> {
        let dim = self.card.dimensions;
        let (hidden, longest) = self.hidden(group)?;
        let mut out = vec![0f32; group.len() * dim];
        for (row, ready) in group.iter().enumerate() {
            let own = &hidden[row * longest * dim..][..ready.ids.len() * dim];
            pool(self.card.pooling, own, dim, &mut out[row * dim..][..dim]);
        }
        Ok(out)
    }

    fn text<'a>(&self, input: Input<'a>) -> Result<&'a str, ModelError> {
        text_of(&self.card, input)
    }
}

impl Embedder for BertEmbedder {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn embed(&mut self, inputs: &[Input<'_>]) -> Result<Embedded, ModelError> {
        let this = &*self;
        let ready = inputs
            .par_iter()
            .map(|&input| Ok(this.ready(&this.tokenizer.ids(this.text(input)?)?)))
            .collect::<Result<Vec<_>, ModelError>>()?;
        let mut order: Vec<usize> = (0..ready.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(ready[i].ids.len()));
        let groups = groups(&order, &ready);
        let vectors = groups
            .par_iter()
            .map(|group| this.pooled(&group.iter().map(|&i| &ready[i]).collect::<Vec<_>>()))
            .collect::<Result<Vec<_>, _>>()?;

        let dim = this.card.dimensions;
        let mut values = vec![0f32; ready.len() * dim];
        for (group, rows) in groups.iter().zip(vectors) {
            for (&i, row) in group.iter().zip(rows.chunks_exact(dim)) {
                let out = &mut values[i * dim..][..dim];
                out.copy_from_slice(row);
                if this.card.normalized {
                    normalize(out);
                }
            }
        }
        Ok(Embedded {
            values,
            tokens: ready.iter().map(|r| r.ids.len() as u32).collect(),
            cut: ready.iter().map(|r| r.cut).collect(),
            notes: vec![String::new(); ready.len()],
            seen: Vec::new(),
        })
    }

    fn operations_per_token(&self) -> Option<f64> {
        Some(self.operations)
    }

    fn cost(&self, input: Input<'_>) -> usize {
        let own = self.text(input).and_then(|t| self.tokenizer.ids(t)).map_or(0, |ids| ids.len());
        own + self.tokenizer.special_count()
    }

    fn explain(&mut self, input: Input<'_>) -> Result<Explanation, ModelError> {
        let text = self.text(input)?;
        let pieces = self.tokenizer.pieces(text)?;
        let ready = self.ready(&pieces.ids);
        let mut vector = self.pooled(&[&ready])?;
        let length = if self.card.normalized { normalize(&mut vector) } else { norm(&vector) };
        let kept = pieces.ids.len() - ready.cut as usize;
        let around = |ids: &[u32]| vec![(0, 0); ids.len()];
        let offsets = [around(&self.tokenizer.prefix), pieces.offsets[..kept].to_vec(), around(&self.tokenizer.suffix)];
        let how = match self.card.pooling {
            Pooling::Cls => "vector of the first token".to_owned(),
            Pooling::Max => format!("largest value of each dimension over {} tokens", ready.ids.len()),
            _ => format!("mean over {} tokens", ready.ids.len()),
        };
        Ok(Explanation {
            tokens: ready.ids.iter().map(|&id| self.tokenizer.token(id)).collect(),
            ids: ready.ids,
            offsets: offsets.concat(),
            truncated: ready.cut as usize,
            cut_text: pieces.offsets.get(kept).map_or_else(String::new, |&(at, _)| text[at..].to_owned()),
            pooling: how,
            norm: length,
            classes: Vec::new(),
            vector,
        })
    }
}

/// Consecutive runs of `order` of at most [`GROUP_TOKENS`] padded tokens; `order` is longest first.
fn groups(order: &[usize], ready: &[Ready]) -> Vec<Vec<usize>> {
    let mut out: Vec<Vec<usize>> = Vec::new();
    let mut padded = 0;
    for &i in order {
        match out.last_mut() {
            Some(group) if (group.len() + 1) * padded <= GROUP_TOKENS => group.push(i),
            _ => {
                padded = ready[i].ids.len();
                out.push(vec![i]);
            }
        }
    }
    out
}

/// The text of an input, or why it cannot be read by a text model.
pub(in crate::models) fn text_of<'a>(card: &ModelCard, input: Input<'a>) -> Result<&'a str, ModelError> {
    match input {
        Input::Text(text) => Ok(text),
        Input::Image(_) => {
            debug_assert_eq!(card.input, InputKind::Text);
            Err(ModelError::WrongInput { model: card.name.clone(), reads: "texts", given: "a picture" })
        }
    }
}

/// candle's layers from converted weights. Prefixes that checkpoints put before the encoder's names are taken off.
fn build(weights: &Weights<'_>, config: &Config) -> Result<BertModel, ModelError> {
    let names: Vec<&str> = weights.names().into_iter().filter(|n| weights.is_float(n)).collect();
    let tensors = names
        .par_iter()
        .map(|&name| {
            let shape = weights.shape(name)?;
            let tensor = Tensor::from_vec(weights.f32(name, &shape)?, shape, &Device::Cpu).map_err(|e| tensor(&e))?;
            let name = name.strip_prefix("bert.").or(name.strip_prefix("model.")).unwrap_or(name);
            // Old TensorFlow conversions call them gamma and beta.
            let name = name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias");
            Ok((name, tensor))
        })
        .collect::<Result<_, ModelError>>()?;
    let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    BertModel::load(vb, config).map_err(|e| weights.fault(first_line(&e)))
}

fn first_line(e: &candle_core::Error) -> String {
    e.to_string().lines().next().unwrap_or_default().to_owned()
}

fn tensor(e: &candle_core::Error) -> ModelError {
    ModelError::Tensor(first_line(e))
}
