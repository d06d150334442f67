//! The towers of picture models: pictures or texts in, a vector each out.
//!
//! A tower is an encoder with what comes before it (patches, filled-up texts) and after it (pooling, projection). It reads no files.
//! Invariant: the same picture or text gives the same vector, bit by bit, alone or in any batch.

use image::RgbImage;

use super::settings::Settings;
use crate::models::{
    encoder::{Encoder, Patches, Probe, Workspace},
    text::pool::{After, norm},
};

/// How the states of a picture become one vector.
pub(super) enum Pooled {
    /// The class token's.
    First,
    /// The mean over the patches.
    Mean,
    /// A learned query's.
    Probe(Box<Probe>),
}

/// What reads pictures.
pub(super) struct PictureTower {
    pub(super) settings: Settings,
    pub(super) patches: Patches,
    pub(super) encoder: Encoder,
    pub(super) pooled: Pooled,
    pub(super) after: Vec<After>,
}

/// By which token a text is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextEnd {
    /// The first with the greatest id.
    Greatest,
    /// The first with this id, or the first of all.
    Token(u32),
    /// The last, of a text filled up to the full length with this id.
    Last(u32),
}

/// What reads texts into the same space.
pub(super) struct TextTower {
    pub(super) encoder: Encoder,
    pub(super) end: TextEnd,
    pub(super) after: Vec<After>,
}

impl PictureTower {
    /// Pictures through the tower; nothing when it was given up. A group that has the machine for itself is shared by all threads.
    pub(super) fn vectors(
        &self,
        pictures: &[&RgbImage],
        work: &mut Workspace,
        alone: bool,
        stop: &dyn Fn() -> bool,
    ) -> Option<Vec<Vec<f32>>> {
        let patch = self.patches.grid().patch;
        let states = pictures.iter().map(|picture| self.patches.states(&self.settings.patches(picture, patch)));
        let states: Vec<f32> = states.collect::<Vec<_>>().concat();
        let lengths = vec![self.patches.tokens(); pictures.len()];
        if !self.encoder.encode_states((&states, &lengths), work, alone, stop) {
            return None;
        }
        let hidden = self.patches.grid().hidden;
        let own = work.states().chunks_exact(self.patches.tokens() * hidden);
        Some(own.map(|states| self.pool(states, hidden)).collect())
    }

    fn pool(&self, states: &[f32], hidden: usize) -> Vec<f32> {
        match &self.pooled {
            Pooled::First => states[..hidden].to_vec(),
            Pooled::Probe(probe) => probe.pool(states),
            Pooled::Mean => {
                let rows = states.chunks_exact(hidden).skip(self.patches.extra());
                let mut sum = vec![0.0; hidden];
                rows.for_each(|row| sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value));
                let scale = 1.0 / (self.patches.tokens() - self.patches.extra()) as f32;
                sum.iter_mut().for_each(|value| *value *= scale);
                sum
            }
        }
    }

    /// How it pools, in words.
    pub(super) fn words(&self) -> String {
        let grid = self.patches.grid();
        let (side, patch) = (grid.side, grid.patch);
        let patches = format!("{} patches of {patch} x {patch} pixels ({side} x {side})", side * side);
        match &self.pooled {
            Pooled::First => format!("vector of the class token before {patches}"),
            Pooled::Mean => format!("mean over {patches}"),
            Pooled::Probe(_) => format!("what one learned query finds in {patches}"),
        }
    }
}

impl TextTower {
    /// Ids as the tower takes them.
    pub(super) fn filled(&self, mut ids: Vec<u32>) -> Vec<u32> {
        if let TextEnd::Last(fill) = self.end {
            ids.resize(self.encoder.shape().longest(), fill);
        }
        ids
    }

    /// Texts through the tower, as [`PictureTower::vectors`].
    pub(super) fn vectors(
        &self,
        texts: &[&[u32]],
        work: &mut Workspace,
        alone: bool,
        stop: &dyn Fn() -> bool,
    ) -> Option<Vec<Vec<f32>>> {
        if alone {
            self.encoder.encode_together(texts, work);
        } else if !self.encoder.encode(texts, work, stop) {
            return None;
        }
        let hidden = self.encoder.shape().hidden;
        let mut states = work.states();
        let one = |ids: &&[u32]| {
            let (own, rest) = states.split_at(ids.len() * hidden);
            states = rest;
            own[self.told_by(ids) * hidden..][..hidden].to_vec()
        };
        Some(texts.iter().map(one).collect())
    }

    /// The place of the token by which a text is told.
    pub(super) fn told_by(&self, ids: &[u32]) -> usize {
        match self.end {
            TextEnd::Greatest => {
                let greatest = ids.iter().max();
                ids.iter().position(|id| Some(id) == greatest).unwrap_or(0)
            }
            TextEnd::Token(end) => ids.iter().position(|&id| id == end).unwrap_or(0),
            TextEnd::Last(_) => ids.len().saturating_sub(1),
        }
    }
}

/// What follows pooling, and the length of the vector before it was brought to 1.
pub(super) fn finish(mut vector: Vec<f32>, after: &[After]) -> (Vec<f32>, f32) {
    let mut length = None;
    for step in after {
        if matches!(step, After::Normalize) {
            length = Some(norm(&vector));
        }
        step.apply(&mut vector);
    }
    let length = length.unwrap_or_else(|| norm(&vector));
    (vector, length)
}
