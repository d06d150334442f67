//! Text encoders as embedders: texts in, pooled vectors out.
//!
//! Cutting to the context, sharing the work out, pooling and what follows it are done here; the layers are the engine's. It reads no
//! files. Invariant: the same text gives the same vector, bit by bit, alone or in any batch, in any order, on any number of threads.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::{
    distil::TokenSource,
    pool::{After, Pools, norm},
    tokens::TextTokenizer,
};
use crate::models::{
    Embedded, Embedder, Explanation, Input, InputKind, ModelCard, ModelError, Overrides, Pooling,
    encoder::{Encoder, Workspace},
};

/// Tokens that go through the layers together on one thread: enough to use each weight that is fetched many times, and few enough for
/// the core's own cache.
const GROUP_TOKENS: usize = 256;

/// What an embedder is made of.
pub(in crate::models) struct EncoderParts {
    pub(in crate::models) card: ModelCard,
    pub(in crate::models) tokenizer: Arc<TextTokenizer>,
    pub(in crate::models) encoder: Encoder,
    /// Longest input in tokens, special ones counted.
    pub(in crate::models) max_tokens: usize,
    /// How token vectors become one.
    pub(in crate::models) pools: Pools,
    /// What is done to pooled vectors.
    pub(in crate::models) after: Vec<After>,
    /// Hash of the weight files.
    pub(in crate::models) weights_hash: blake3::Hash,
}

impl EncoderParts {
    /// With what the user set in place of what the model says.
    pub(in crate::models) fn with(mut self, overrides: &Overrides) -> Self {
        if let Some(pooling) = overrides.pooling {
            self.pools = self.pools.with(pooling);
            self.card.space += &format!(" {}", self.pools.name());
        }
        if let Some(prompts) = &overrides.prompts {
            self.card.prompts = prompts.clone();
        }
        let last = matches!(self.after.last(), Some(After::Normalize));
        match overrides.normalize {
            Some(true) if !last => self.after.push(After::Normalize),
            Some(false) if last => _ = self.after.pop(),
            _ => {}
        }
        self.card.pooling = self.pools.shown();
        self.card.normalized = matches!(self.after.last(), Some(After::Normalize));
        self
    }
}

/// A loaded encoder.
pub(in crate::models) struct TextEncoder {
    card: ModelCard,
    fingerprint: String,
    tokenizer: Arc<TextTokenizer>,
    encoder: Encoder,
    max_tokens: usize,
    pools: Pools,
    after: Vec<After>,
    /// Memory of groups that are done, for the next ones.
    workspaces: Mutex<Vec<Workspace>>,
}

/// One text made ready: ids with special tokens, cut to the context.
struct Ready {
    ids: Vec<u32>,
    cut: u32,
    /// First tokens that are left out of pooling.
    skip: usize,
}

impl TextEncoder {
    /// Puts the parts together.
    ///
    /// # Errors
    /// A tokenizer that does not fit the encoder, a context without room for text.
    pub(in crate::models) fn new(parts: EncoderParts) -> Result<Self, ModelError> {
        let EncoderParts { mut card, tokenizer, encoder, max_tokens, pools, after, weights_hash } = parts;
        let shape = encoder.shape();
        let id = card.id.to_string();
        check_vocabulary(&id, &tokenizer, shape.vocabulary)?;
        if max_tokens <= tokenizer.special_count() {
            let message = format!("its context of {max_tokens} tokens leaves no room for text");
            return Err(ModelError::Unsupported { id, message });
        }
        card.dimensions = check_steps(&id, pools.width(shape.hidden), &after)?;
        let mut hash = blake3::Hasher::new();
        hash.update(b"encoder 1 ").update(weights_hash.as_bytes()).update(tokenizer.hash.as_bytes());
        let steps: Vec<String> = after.iter().map(After::name).collect();
        let mut options = format!(" {max_tokens} {} {steps:?} {} {shape:?}", pools.name(), encoder.precision());
        if !card.prompts.passage.is_empty() {
            options += &format!(" {:?} {}", card.prompts.passage, pools.with_prompt);
        }
        let fingerprint = hash.update(options.as_bytes()).finalize().to_hex()[..32].to_owned();
        Ok(Self { card, fingerprint, tokenizer, encoder, max_tokens, pools, after, workspaces: Mutex::default() })
    }

    /// The text of an input behind its prompt, and the prompt's bytes.
    fn whole<'a>(&self, input: Input<'a>) -> Result<(Cow<'a, str>, usize), ModelError> {
        let text = text_of(&self.card, input)?;
        let prompt = self.prompt(input);
        let whole = if prompt.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(format!("{prompt}{text}")) };
        Ok((whole, prompt.len()))
    }

    fn prompt(&self, input: Input<'_>) -> &str {
        match input {
            Input::Query(_) => &self.card.prompts.query,
            _ => &self.card.prompts.passage,
        }
    }

    /// First tokens that pooling leaves out: those of the prompt alone, the special ones before them counted, where prompts take no
    /// part.
    fn skipped(&self, input: Input<'_>) -> Result<usize, ModelError> {
        let prompt = self.prompt(input);
        if self.pools.with_prompt || prompt.is_empty() {
            return Ok(0);
        }
        let all = self.tokenizer.ids(prompt)?.len() + self.tokenizer.special_count();
        // sentence-transformers takes one special token off behind a prompt.
        Ok(all.min(self.max_tokens) - usize::from(!self.tokenizer.suffix.is_empty()))
    }

    fn ready(&self, ids: &[u32], skip: usize) -> Ready {
        let room = self.max_tokens - self.tokenizer.special_count();
        let kept = &ids[..ids.len().min(room)];
        let cut = (ids.len() - kept.len()) as u32;
        Ready { ids: [&self.tokenizer.prefix, kept, &self.tokenizer.suffix].concat(), cut, skip }
    }

    /// Pooled vectors of a group, or nothing when it was given up. A group that has the machine for itself is shared by all threads.
    fn pooled(
        &self,
        pools: &Pools,
        group: &[&Ready],
        alone: bool,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Option<Vec<f32>> {
        let spare = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut work = spare.unwrap_or_else(|| self.encoder.workspace());
        let texts: Vec<&[u32]> = group.iter().map(|ready| ready.ids.as_slice()).collect();
        let through = if alone {
            self.encoder.encode_together(&texts, &mut work);
            true
        } else {
            self.encoder.encode(&texts, &mut work, &stop)
        };
        let dim = self.encoder.shape().hidden;
        let width = pools.width(dim);
        let pooled = through.then(|| {
            let mut out = vec![0f32; group.len() * width];
            let mut states = work.states();
            for (ready, out) in group.iter().zip(out.chunks_exact_mut(width)) {
                let (own, rest) = states.split_at(ready.ids.len() * dim);
                pools.pool(own, dim, ready.skip, out);
                states = rest;
            }
            out
        });
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).push(work);
        pooled
    }

    /// The tokenizer.
    pub(in crate::models) fn tokenizer(&self) -> &TextTokenizer {
        &self.tokenizer
    }

    /// Values a token.
    pub(in crate::models) fn width(&self) -> usize {
        self.encoder.shape().hidden
    }

    /// Mean of the last states of each list of tokens, special ones put around it and counted.
    pub(in crate::models) fn mean_states(&self, lists: &[&[u32]]) -> Vec<f32> {
        let ready: Vec<Ready> = lists.iter().map(|ids| self.ready(ids, 0)).collect();
        let order: Vec<usize> = (0..ready.len()).collect();
        let mean = Pools::of(Pooling::Mean);
        let pooled = |group: &Vec<usize>| {
            let group: Vec<&Ready> = group.iter().map(|&i| &ready[i]).collect();
            self.pooled(&mean, &group, false, &|| false).unwrap_or_default()
        };
        groups(&order, &ready).par_iter().with_max_len(1).map(pooled).collect::<Vec<_>>().concat()
    }

    /// What follows pooling; also the length of the vector before it was brought to 1, or as it is.
    fn finish(&self, pooled: &[f32]) -> (Vec<f32>, f32) {
        let mut vector = pooled.to_vec();
        let mut length = None;
        for step in &self.after {
            if matches!(step, After::Normalize) {
                length = Some(norm(&vector));
            }
            step.apply(&mut vector);
        }
        let length = length.unwrap_or_else(|| norm(&vector));
        (vector, length)
    }
}

impl Embedder for TextEncoder {
    fn card(&self) -> &ModelCard {
        &self.card
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn embed(&mut self, inputs: &[Input<'_>]) -> Result<Embedded, ModelError> {
        Ok(self.embed_until(inputs, &|| false)?.unwrap_or_default())
    }

    fn embed_until(
        &mut self,
        inputs: &[Input<'_>],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<Embedded>, ModelError> {
        let this = &*self;
        if stop() {
            return Ok(None);
        }
        let read =
            |&input: &Input<'_>| Ok(this.ready(&this.tokenizer.ids(&this.whole(input)?.0)?, this.skipped(input)?));
        // A query is not worth waking other threads for its tokens.
        let ready = match inputs {
            [single] => vec![read(single)?],
            many => many.par_iter().map(read).collect::<Result<Vec<_>, ModelError>>()?,
        };
        let mut order: Vec<usize> = (0..ready.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(ready[i].ids.len()));
        let groups = groups(&order, &ready);
        let pooled = |group: &Vec<usize>| {
            let group: Vec<&Ready> = group.iter().map(|&i| &ready[i]).collect();
            this.pooled(&this.pools, &group, groups.len() == 1, stop)
        };
        let pooled: Option<Vec<Vec<f32>>> = match groups.as_slice() {
            [single] => pooled(single).map(|rows| vec![rows]),
            many => many.par_iter().with_max_len(1).map(pooled).collect(),
        };
        let Some(pooled) = pooled else { return Ok(None) };

        let dim = this.card.dimensions;
        let mut values = vec![0f32; ready.len() * dim];
        for (group, rows) in groups.iter().zip(pooled) {
            for (&i, row) in group.iter().zip(rows.chunks_exact(this.pools.width(this.encoder.shape().hidden))) {
                values[i * dim..][..dim].copy_from_slice(&this.finish(row).0);
            }
        }
        Ok(Some(Embedded {
            values,
            tokens: ready.iter().map(|r| r.ids.len() as u32).collect(),
            cut: ready.iter().map(|r| r.cut).collect(),
            notes: vec![String::new(); ready.len()],
            seen: Vec::new(),
        }))
    }

    fn token_source(&self) -> Option<TokenSource<'_>> {
        Some(TokenSource::new(self))
    }

    fn operations_per_token(&self) -> Option<f64> {
        Some(self.encoder.shape().operations_per_token())
    }

    fn cost(&self, input: Input<'_>) -> usize {
        let own = self.whole(input).and_then(|(text, _)| self.tokenizer.ids(&text)).map_or(0, |ids| ids.len());
        own + self.tokenizer.special_count()
    }

    fn explain(&mut self, input: Input<'_>) -> Result<Explanation, ModelError> {
        let (text, before) = self.whole(input)?;
        let pieces = self.tokenizer.pieces(&text)?;
        let ready = self.ready(&pieces.ids, self.skipped(input)?);
        let pooled = self.pooled(&self.pools, &[&ready], true, &|| false).unwrap_or_default();
        let (vector, length) = self.finish(&pooled);
        let kept = pieces.ids.len() - ready.cut as usize;
        let around = |ids: &[u32]| vec![(0, 0); ids.len()];
        // Byte ranges in the input as given: the prompt is no part of it.
        let own = |&(from, to): &(usize, usize)| (from.saturating_sub(before), to.saturating_sub(before));
        let own: Vec<(usize, usize)> = pieces.offsets.iter().map(own).collect();
        let offsets = [around(&self.tokenizer.prefix), own[..kept].to_vec(), around(&self.tokenizer.suffix)];
        let count = ready.ids.len();
        let mut how = self.pools.words(count - ready.skip.min(count));
        if before > 0 {
            let prompt = self.prompt(input);
            how += &if self.pools.with_prompt {
                format!("; the prompt {prompt:?} before the text takes part")
            } else {
                format!("; the prompt {prompt:?} before the text is left out")
            };
        }
        Ok(Explanation {
            tokens: ready.ids.iter().map(|&id| self.tokenizer.token(id)).collect(),
            ids: ready.ids,
            offsets: offsets.concat(),
            truncated: ready.cut as usize,
            cut_text: pieces.offsets.get(kept).map_or_else(String::new, |&(at, _)| text[at.max(before)..].to_owned()),
            pooling: how,
            norm: length,
            classes: Vec::new(),
            vector,
        })
    }
}

/// Values of the vector that comes out of the steps; refuses steps that it does not fit.
pub(in crate::models) fn check_steps(id: &str, pooled: usize, after: &[After]) -> Result<usize, ModelError> {
    let mut width = pooled;
    for step in after {
        let (takes, gives) = match step {
            After::Normalize => continue,
            After::Dense(dense) => (dense.weight.len() / dense.bias.len().max(1), dense.bias.len()),
            After::Norm { scale, .. } => (scale.len(), scale.len()),
        };
        if takes != width {
            let message = format!("pooling gives {width} values, and the module behind it takes {takes}");
            return Err(ModelError::Unsupported { id: id.to_owned(), message });
        }
        width = gives;
    }
    Ok(width)
}

/// Refuses a tokenizer that makes tokens of which an encoder with `known` tokens has no vector.
pub(in crate::models) fn check_vocabulary(id: &str, tokenizer: &TextTokenizer, known: usize) -> Result<(), ModelError> {
    let made = tokenizer.vocabulary();
    if made <= known {
        return Ok(());
    }
    let message = format!("its tokenizer has {made} tokens, its weights know {known}");
    Err(ModelError::Unsupported { id: id.to_owned(), message })
}

/// Consecutive runs of `order` of at most [`GROUP_TOKENS`] tokens; `order` is longest first.
fn groups(order: &[usize], ready: &[Ready]) -> Vec<Vec<usize>> {
    let mut out: Vec<Vec<usize>> = Vec::new();
    let mut tokens = 0;
    for &i in order {
        let own = ready[i].ids.len();
        match out.last_mut() {
            Some(group) if tokens + own <= GROUP_TOKENS => {
                group.push(i);
                tokens += own;
            }
            _ => {
                out.push(vec![i]);
                tokens = own;
            }
        }
    }
    out
}

/// The text of an input, or why it cannot be read by a text model.
pub(in crate::models) fn text_of<'a>(card: &ModelCard, input: Input<'a>) -> Result<&'a str, ModelError> {
    match input {
        Input::Text(text) | Input::Query(text) => Ok(text),
        Input::Image(_) => {
            debug_assert_eq!(card.input, InputKind::Text);
            Err(ModelError::WrongInput { model: card.name.clone(), reads: "texts", given: "a picture" })
        }
    }
}
