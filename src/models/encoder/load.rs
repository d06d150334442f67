//! Builds an encoder from a file of weights: finds each tensor by its family's name, checks its shape, packs it.
//!
//! Knows names and shapes, computes nothing. Invariant: every tensor is read with the shape that the configuration asks for.

use std::borrow::Cow;
use std::sync::Arc;

use rayon::prelude::*;

use super::attention::{Attention, PositionBias};
use super::kernel::Kernel;
use super::linear::Linear;
use super::math::Norm;
use super::shape::{Family, Shape};
use super::stack::{Encoder, Layer};
use super::table::Table;
use crate::models::{ModelError, weights::Weights};

/// Farther tokens share a bucket of distances (MPNet has no setting for it).
const FARTHEST: usize = 128;

/// Names of a layer's tensors after its own prefix.
struct Names {
    layer: &'static str,
    query: &'static str,
    key: &'static str,
    value: &'static str,
    out: &'static str,
    out_norm: &'static str,
    up: &'static str,
    down: &'static str,
    down_norm: &'static str,
}

const BERT: Names = Names {
    layer: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    out: "attention.output.dense",
    out_norm: "attention.output.LayerNorm",
    up: "intermediate.dense",
    down: "output.dense",
    down_norm: "output.LayerNorm",
};

const DISTILBERT: Names = Names {
    layer: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    out: "attention.out_lin",
    out_norm: "sa_layer_norm",
    up: "ffn.lin1",
    down: "ffn.lin2",
    down_norm: "output_layer_norm",
};

const MPNET: Names = Names {
    query: "attention.attn.q",
    key: "attention.attn.k",
    value: "attention.attn.v",
    out: "attention.attn.o",
    out_norm: "attention.LayerNorm",
    ..BERT
};

/// Tensors by the encoder's own names, whatever the checkpoint puts before them.
struct Source<'a> {
    weights: &'a Weights<'a>,
    prefix: String,
    /// Old conversions of TensorFlow call scale and shift of norms so.
    gamma: bool,
}

/// Reads and packs all weights.
pub(super) fn encoder(kernel: Kernel, shape: Shape, weights: &Weights<'_>) -> Result<Encoder, ModelError> {
    let names = match shape.family {
        Family::Bert | Family::Roberta => &BERT,
        Family::DistilBert => &DISTILBERT,
        Family::Mpnet => &MPNET,
    };
    let source = Source::new(weights);
    let hidden = shape.hidden;
    let table = |name: &str, rows: usize| -> Result<Vec<f32>, ModelError> {
        source.weights.f32(&source.name(&format!("embeddings.{name}.weight")), &[rows, hidden])
    };
    let mut positions = table("position_embeddings", shape.positions)?;
    if shape.token_types > 0 {
        let types = table("token_type_embeddings", shape.token_types)?;
        for row in positions.chunks_exact_mut(hidden) {
            row.iter_mut().zip(&types).for_each(|(position, &kind)| *position += kind);
        }
    }
    let norm = source.norm("embeddings.LayerNorm", &shape)?;
    let bias = match shape.distance_buckets {
        0 => None,
        buckets => {
            let name = source.name("encoder.relative_attention_bias.weight");
            let values = weights.f32(&name, &[buckets, shape.heads])?;
            Some(Arc::new(PositionBias { values, buckets, max_distance: FARTHEST }))
        }
    };
    let attention = Attention { kernel, heads: shape.heads, width: hidden / shape.heads, bias };
    let layer = |at| source.layer(kernel, names, &format!("{}.{at}", names.layer), &shape);
    let (words, layers) = rayon::join(
        || Table::new(weights, &source.name("embeddings.word_embeddings.weight"), [shape.vocabulary, hidden]),
        || (0..shape.layers).into_par_iter().map(layer).collect::<Result<Vec<_>, _>>(),
    );
    let (words, layers) = (words?, layers?);
    Ok(Encoder { kernel, words, positions, norm, attention, layers, shape })
}

impl<'a> Source<'a> {
    fn new(weights: &'a Weights<'a>) -> Self {
        const WORDS: &str = "embeddings.word_embeddings.weight";
        let names = weights.names();
        let shortest = names.iter().filter(|name| name.ends_with(WORDS)).min_by_key(|name| name.len());
        let prefix = shortest.map_or_else(String::new, |name| name[..name.len() - WORDS.len()].to_owned());
        let gamma = names.iter().any(|name| name.ends_with("LayerNorm.gamma"));
        Self { weights, prefix, gamma }
    }

    fn name(&self, own: &str) -> String {
        format!("{}{own}", self.prefix)
    }

    fn norm(&self, name: &str, shape: &Shape) -> Result<Norm, ModelError> {
        let [scale, shift] = if self.gamma { ["gamma", "beta"] } else { ["weight", "bias"] };
        let read = |ending: &str| self.weights.f32(&self.name(&format!("{name}.{ending}")), &[shape.hidden]);
        Ok(Norm { scale: read(scale)?, shift: read(shift)?, epsilon: shape.epsilon })
    }

    /// Weight and bias of a product, `outputs` x `inputs`.
    fn linear(&self, name: &str, [outputs, inputs]: [usize; 2]) -> Result<(Cow<'a, [f32]>, Vec<f32>), ModelError> {
        let weight = self.weights.singles(&self.name(&format!("{name}.weight")), &[outputs, inputs])?;
        Ok((weight, self.weights.f32(&self.name(&format!("{name}.bias")), &[outputs])?))
    }

    fn layer(&self, kernel: Kernel, names: &Names, prefix: &str, shape: &Shape) -> Result<Layer, ModelError> {
        let (hidden, between) = (shape.hidden, shape.between);
        let linear = |name: &str, sizes: [usize; 2]| self.linear(&format!("{prefix}.{name}"), sizes);
        let packed = |name: &str, [outputs, inputs]: [usize; 2]| -> Result<Linear, ModelError> {
            let (weight, bias) = linear(name, [outputs, inputs])?;
            Ok(Linear::pack(kernel, &weight, bias, inputs))
        };
        let (query, mut bias) = linear(names.query, [hidden, hidden])?;
        let mut weight = query.into_owned();
        for name in [names.key, names.value] {
            let (more, shift) = linear(name, [hidden, hidden])?;
            weight.extend_from_slice(&more);
            bias.extend(shift);
        }
        Ok(Layer {
            projections: Linear::pack(kernel, &weight, bias, hidden),
            out: packed(names.out, [hidden, hidden])?,
            out_norm: self.norm(&format!("{prefix}.{}", names.out_norm), shape)?,
            up: packed(names.up, [between, hidden])?,
            down: packed(names.down, [hidden, between])?,
            down_norm: self.norm(&format!("{prefix}.{}", names.down_norm), shape)?,
        })
    }
}
