//! Builds an encoder from a file of weights: finds each tensor by its family's name, checks its shape, packs it.
//!
//! Knows names and shapes, computes nothing. Invariant: every tensor is read with the shape that the configuration asks for.

mod layer;
mod names;

use std::sync::Arc;

use layer::Read;
use names::Names;

use super::attention::{Attention, PositionBias, Reach, Rotary};
use super::kernel::Kernel;
use super::math::{Norm, Settle};
use super::shape::{Family, Shape};
use super::stack::{Encoder, Layer};
use super::table::Table;
use crate::models::{ModelError, weights::Weights};

/// Farther tokens share a bucket of distances (MPNet has no setting for it).
const FARTHEST: usize = 128;

/// Tensors by the encoder's own names, whatever the checkpoint puts before them.
struct Source<'a> {
    weights: &'a Weights<'a>,
    names: &'static Names,
    prefix: String,
    /// Old conversions of TensorFlow call scale and shift of norms so.
    gamma: bool,
}

/// Reads and packs all weights. Tensors are those whose names begin with `prefix`, and with whatever the checkpoint puts there.
pub(super) fn encoder(
    kernel: Kernel,
    shape: Shape,
    weights: &Weights<'_>,
    prefix: &str,
) -> Result<Encoder, ModelError> {
    let names = Names::of(shape.family, shape.options.gated);
    let source = Source::new(weights, names, prefix);
    let positions = source.positions(&shape)?;
    let norm = match names.first_norm {
        "" => None,
        // SigLIP's pictures come without it.
        name if shape.family == Family::ClipVision && !source.has(&format!("{name}.weight")) => None,
        name => Some(source.norm(name, &shape)?),
    };
    let bias = source.bias(&shape)?.map(Arc::new);
    let attention = Attention { kernel, heads: shape.heads, width: shape.width(), bias };
    let rotary = |theta: f32| Rotary::new(theta, shape.width(), shape.longest());
    let rotaries = shape.options.thetas.map_or([None, None], |thetas| thetas.map(|theta| Some(rotary(theta))));
    let no_words = matches!(shape.family, Family::ClipVision | Family::Vit | Family::Dino);
    let words = || match no_words {
        true => Ok(Table::F32(Vec::new(), shape.hidden)),
        false => Table::new(weights, &source.name(names.words), [shape.vocabulary, shape.hidden]),
    };
    let (words, layers) = rayon::join(words, || source.layers(kernel, &shape));
    let (words, (first, layers)) = (words?, layers?);
    let by_position = shape.options.thetas.is_none() && shape.family != Family::Jina;
    Ok(Encoder { kernel, words, positions, by_position, norm, first, attention, rotaries, layers, shape })
}

impl<'a> Source<'a> {
    fn new(weights: &'a Weights<'a>, names: &'static Names, prefix: &str) -> Self {
        let all = weights.names();
        let matching = all.iter().filter(|name| name.starts_with(prefix) && name.ends_with(names.words));
        let shortest = matching.min_by_key(|name| name.len());
        let prefix =
            shortest.map_or_else(|| prefix.to_owned(), |name| name[..name.len() - names.words.len()].to_owned());
        let gamma = all.iter().any(|name| name.ends_with("LayerNorm.gamma"));
        Self { weights, names, prefix, gamma }
    }

    fn name(&self, own: &str) -> String {
        format!("{}{own}", self.prefix)
    }

    /// Whether there is a tensor of that name.
    fn has(&self, own: &str) -> bool {
        let name = self.name(own);
        self.weights.names().iter().any(|other| **other == name)
    }

    fn norm(&self, name: &str, shape: &Shape) -> Result<Norm, ModelError> {
        let [scale, shift] = if self.gamma { ["gamma", "beta"] } else { ["weight", "bias"] };
        let read = |ending: &str| self.weights.f32(&self.name(&format!("{name}.{ending}")), &[shape.hidden]);
        if shape.family == Family::Qwen3 {
            return Ok(Norm { scale: read(scale)?, shift: Vec::new(), epsilon: shape.epsilon });
        }
        let bare = self.names.bare && !self.has(&format!("{name}.{shift}"));
        let shift = if bare { vec![0.0; shape.hidden] } else { read(shift)? };
        Ok(Norm { scale: read(scale)?, shift, epsilon: shape.epsilon })
    }

    /// Vectors of positions, with that of the first token type added.
    fn positions(&self, shape: &Shape) -> Result<Vec<f32>, ModelError> {
        let hidden = shape.hidden;
        let table = |name: &str, rows: usize| -> Result<Vec<f32>, ModelError> {
            self.weights.f32(&self.name(&format!("embeddings.{name}.weight")), &[rows, hidden])
        };
        let types = match shape.token_types {
            0 => vec![0.0; hidden],
            kinds => table("token_type_embeddings", kinds)?[..hidden].to_vec(),
        };
        let mut positions = match shape.family {
            Family::Modern | Family::Nomic | Family::Jina | Family::Gte if shape.token_types > 0 => return Ok(types),
            Family::Modern | Family::Nomic | Family::Jina | Family::Gte | Family::Qwen3 => return Ok(Vec::new()),
            // They are added with the patches.
            Family::ClipVision | Family::Vit | Family::Dino => return Ok(Vec::new()),
            Family::ClipText => return table("position_embedding", shape.positions),
            _ => table("position_embeddings", shape.positions)?,
        };
        for row in positions.chunks_exact_mut(hidden) {
            row.iter_mut().zip(&types).for_each(|(position, &kind)| *position += kind);
        }
        Ok(positions)
    }

    /// Biases by distance.
    fn bias(&self, shape: &Shape) -> Result<Option<PositionBias>, ModelError> {
        if shape.family == Family::Jina {
            return Ok(Some(PositionBias { values: slopes(shape.heads), buckets: 0, max_distance: 0 }));
        }
        let buckets = shape.distance_buckets;
        if buckets == 0 {
            return Ok(None);
        }
        let name = self.name("encoder.relative_attention_bias.weight");
        let values = self.weights.f32(&name, &[buckets, shape.heads])?;
        Ok(Some(PositionBias { values, buckets, max_distance: FARTHEST }))
    }

    /// All layers, and the norm of the first one's rows where norms come before.
    fn layers(&self, kernel: Kernel, shape: &Shape) -> Result<(Option<Norm>, Vec<Layer>), ModelError> {
        let read = layer::read_all(self, kernel, shape)?;
        let last = match self.names.last_norm {
            "" => None,
            name => Some(self.norm(name, shape)?),
        };
        let mut layers: Vec<Layer> = Vec::with_capacity(read.len());
        let mut first = None;
        for (at, Read { projections, head_norms, out, up, down, norms: [before, after] }) in
            read.into_iter().enumerate()
        {
            let options = &shape.options;
            let near = options.near.as_ref().is_none_or(|near| near[at]);
            let reach = if near { options.reach } else { Reach::All };
            let settles = if self.names.before {
                // A half's norm is taken when the half before has been added.
                match layers.last_mut() {
                    Some(layer) => layer.down_settle = before.map_or(Settle::Stay, Settle::Beside),
                    None => first = before,
                }
                [after.map_or(Settle::Stay, Settle::Beside), Settle::Stay]
            } else {
                [before, after].map(|norm| norm.map_or(Settle::Stay, Settle::Normed))
            };
            let [out_settle, down_settle] = settles;
            layers.push(Layer { projections, reach, head_norms, out, out_settle, up, down, down_settle });
        }
        if let (Some(norm), Some(layer)) = (last, layers.last_mut()) {
            layer.down_settle = Settle::Normed(norm);
        }
        Ok((first, layers))
    }
}

/// What heads take away for each token of distance: powers of 2, evenly spaced; numbers of heads between powers of 2 take those of the
/// smaller one and every other of the greater one.
fn slopes(heads: usize) -> Vec<f32> {
    let whole = |heads: usize| {
        let first = (-8.0 / heads as f64).exp2();
        (1..=heads).map(move |at| first.powi(at as i32) as f32)
    };
    if heads.is_power_of_two() {
        return whole(heads).collect();
    }
    let below = heads.next_power_of_two() / 2;
    whole(below).chain(whole(2 * below).step_by(2)).take(heads).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn slopes_are_those_of_the_paper() {
        let near = |got: Vec<f32>, want: &[f64]| {
            got.len() == want.len() && got.iter().zip(want).all(|(g, w)| (f64::from(*g) - w).abs() < 1e-7)
        };
        assert!(near(super::slopes(8), &[0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625]));
        let root = 0.5f64.sqrt();
        let eight = [0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625, 0.0078125, 0.00390625];
        let more = [root, root / 2.0, root / 4.0, root / 8.0];
        assert!(near(super::slopes(12), &[&eight[..], &more[..]].concat()));
    }
}
