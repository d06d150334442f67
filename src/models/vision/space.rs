//! Picture models from folders as embedders: pictures, and texts where the model has a tower for them, in one space.
//!
//! Sharing the work out is done here; the towers do the rest. It reads no files. Invariant: the same picture or text gives the same
//! vector, bit by bit, alone or in any batch, in any order, on any number of threads.

use std::sync::{Arc, Mutex, PoisonError};

use image::RgbImage;
use rayon::prelude::*;

use super::towers::{PictureTower, TextTower, finish};
use crate::models::{
    CaptionScale, Embedded, Embedder, Explanation, Input, ModelCard, ModelError, encoder::Workspace,
    text::tokens::TextTokenizer,
};

/// States that go through the layers together on one thread.
const GROUP_TOKENS: usize = 256;

/// The half of a model that reads texts.
pub(super) struct Texts {
    pub(super) tower: TextTower,
    pub(super) tokenizer: Arc<TextTokenizer>,
    /// Longest text in tokens, special ones counted; the tokenizer leaves room for some.
    pub(super) max_tokens: usize,
}

/// A loaded model.
pub(super) struct PictureModel {
    pub(super) card: ModelCard,
    pub(super) fingerprint: String,
    pub(super) pictures: PictureTower,
    pub(super) texts: Option<Texts>,
    pub(super) scale: Option<CaptionScale>,
    /// Memory of groups that are done, for the next ones.
    pub(super) workspaces: Mutex<Vec<Workspace>>,
}

/// An input made ready.
enum Ready<'a> {
    Picture(&'a RgbImage),
    /// Ids as the tower takes them, how many are the text's own with the special ones, how many were cut.
    Text {
        ids: Vec<u32>,
        own: usize,
        cut: u32,
    },
}

impl Texts {
    fn ready(&self, ids: &[u32]) -> Ready<'static> {
        let kept = &ids[..ids.len().min(self.max_tokens - self.tokenizer.special_count())];
        let own = [&self.tokenizer.prefix, kept, &self.tokenizer.suffix].concat();
        let (cut, count) = ((ids.len() - kept.len()) as u32, own.len());
        Ready::Text { ids: self.tower.filled(own), own: count, cut }
    }
}

impl PictureModel {
    fn ready<'a>(&self, input: Input<'a>) -> Result<Ready<'a>, ModelError> {
        match (input, &self.texts) {
            (Input::Image(picture), _) => Ok(Ready::Picture(picture)),
            (Input::Text(text) | Input::Query(text), Some(texts)) => Ok(texts.ready(&texts.tokenizer.ids(text)?)),
            (Input::Text(_) | Input::Query(_), None) => {
                Err(ModelError::WrongInput { model: self.card.name.clone(), reads: "pictures", given: "a text" })
            }
        }
    }

    /// States that an input takes.
    fn tokens(&self, ready: &Ready<'_>) -> usize {
        match ready {
            Ready::Picture(_) => self.pictures.patches.tokens(),
            Ready::Text { ids, .. } => ids.len(),
        }
    }

    /// Vectors of a group, all of one kind, and their lengths before; nothing when it was given up.
    fn vectors(&self, group: &[&Ready<'_>], alone: bool, stop: &dyn Fn() -> bool) -> Option<Vec<(Vec<f32>, f32)>> {
        let spare = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut work = spare.unwrap_or_else(|| self.pictures.encoder.workspace());
        let (mut pictures, mut texts): (Vec<&RgbImage>, Vec<&[u32]>) = (Vec::new(), Vec::new());
        for ready in group {
            match ready {
                Ready::Picture(picture) => pictures.push(picture),
                Ready::Text { ids, .. } => texts.push(ids),
            }
        }
        let (vectors, after) = match &self.texts {
            Some(own) if pictures.is_empty() => (own.tower.vectors(&texts, &mut work, alone, stop), &own.tower.after),
            _ => (self.pictures.vectors(&pictures, &mut work, alone, stop), &self.pictures.after),
        };
        self.workspaces.lock().unwrap_or_else(PoisonError::into_inner).push(work);
        Some(vectors?.into_iter().map(|vector| finish(vector, after)).collect())
    }

    /// Inputs that go through the layers together: pictures and texts apart, long texts first.
    fn groups(&self, ready: &[Ready<'_>]) -> Vec<Vec<usize>> {
        let mut order: Vec<usize> = (0..ready.len()).collect();
        let kind = |at: usize| matches!(ready[at], Ready::Picture(_));
        order.sort_by_key(|&at| (kind(at), std::cmp::Reverse(self.tokens(&ready[at]))));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut tokens = 0;
        for at in order {
            let own = self.tokens(&ready[at]);
            match groups.last_mut() {
                Some(group) if tokens + own <= GROUP_TOKENS && kind(group[0]) == kind(at) => {
                    group.push(at);
                    tokens += own;
                }
                _ => {
                    groups.push(vec![at]);
                    tokens = own;
                }
            }
        }
        groups
    }
}

impl Embedder for PictureModel {
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
        let ready = inputs.par_iter().map(|&input| this.ready(input)).collect::<Result<Vec<_>, ModelError>>()?;
        let groups = this.groups(&ready);
        let vectors = |group: &Vec<usize>| {
            this.vectors(&group.iter().map(|&at| &ready[at]).collect::<Vec<_>>(), groups.len() == 1, stop)
        };
        let vectors: Option<Vec<_>> = match groups.as_slice() {
            [single] => vectors(single).map(|rows| vec![rows]),
            many => many.par_iter().with_max_len(1).map(vectors).collect(),
        };
        let Some(vectors) = vectors else { return Ok(None) };
        let dim = this.card.dimensions;
        let mut values = vec![0f32; ready.len() * dim];
        for (group, rows) in groups.iter().zip(vectors) {
            for (&at, (row, _)) in group.iter().zip(rows) {
                values[at * dim..][..dim].copy_from_slice(&row);
            }
        }
        let count = |ready: &Ready<'_>| match ready {
            Ready::Picture(_) => (0, 0),
            Ready::Text { own, cut, .. } => (*own as u32, *cut),
        };
        let (tokens, cut) = ready.iter().map(count).unzip();
        Ok(Some(Embedded { values, tokens, cut, notes: vec![String::new(); ready.len()], seen: Vec::new() }))
    }

    fn caption_scale(&self) -> Option<CaptionScale> {
        self.scale
    }

    fn cost(&self, input: Input<'_>) -> usize {
        match self.ready(input) {
            Ok(Ready::Text { own, cut, .. }) => own + cut as usize,
            _ => 1,
        }
    }

    fn explain(&mut self, input: Input<'_>) -> Result<Explanation, ModelError> {
        let ready = self.ready(input)?;
        let found = self.vectors(&[&ready], true, &|| false).and_then(|mut vectors| vectors.pop());
        let (vector, norm) = found.unwrap_or_default();
        let (Ready::Text { ids, own, cut }, Some(texts)) = (ready, &self.texts) else {
            return Ok(Explanation { pooling: self.pictures.words(), norm, vector, ..Explanation::default() });
        };
        let (Input::Text(text) | Input::Query(text)) = input else { return Ok(Explanation::default()) };
        let pieces = texts.tokenizer.pieces(text)?;
        let kept = pieces.ids.len() - cut as usize;
        let around = |count: usize| vec![(0, 0); count];
        let prefix = texts.tokenizer.prefix.len();
        let offsets = [around(prefix), pieces.offsets[..kept].to_vec(), around(ids.len() - prefix - kept)];
        let filled = if ids.len() > own { format!(", filled up to {}", ids.len()) } else { String::new() };
        let place = texts.tower.told_by(&ids) + 1;
        Ok(Explanation {
            tokens: ids.iter().map(|&id| texts.tokenizer.token(id)).collect(),
            pooling: format!("vector of token {place} of {own}{filled}"),
            offsets: offsets.concat(),
            truncated: cut as usize,
            cut_text: pieces.offsets.get(kept).map_or_else(String::new, |&(at, _)| text[at..].to_owned()),
            ids,
            norm,
            classes: Vec::new(),
            vector,
        })
    }
}
