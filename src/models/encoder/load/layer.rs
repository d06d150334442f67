//! Reads the products and norms of one layer.
//!
//! Families put queries, keys and values, or two products that gate one another, into one tensor or into several. Invariant: what
//! comes out is in one order: queries, keys, values; what goes through the activation before what it is multiplied by.

use std::borrow::Cow;

use rayon::prelude::*;

use super::{Norm, Source};
use crate::models::ModelError;
use crate::models::encoder::{Family, Kernel, Shape, linear::Linear};

/// One layer, its norms not placed yet.
pub(super) struct Read {
    pub(super) projections: Linear,
    /// Norms of each head's queries and keys.
    pub(super) head_norms: Option<[Norm; 2]>,
    pub(super) out: Linear,
    pub(super) up: Linear,
    pub(super) down: Linear,
    pub(super) norms: [Option<Norm>; 2],
}

/// Weight (`outputs` x inputs) and bias of a product.
type Product<'a> = (Cow<'a, [f32]>, Vec<f32>);

/// Reads and packs all layers.
pub(super) fn read_all(source: &Source<'_>, kernel: Kernel, shape: &Shape) -> Result<Vec<Read>, ModelError> {
    (0..shape.layers).into_par_iter().map(|at| read(source, kernel, shape, at)).collect()
}

fn read(source: &Source<'_>, kernel: Kernel, shape: &Shape, at: usize) -> Result<Read, ModelError> {
    let names = source.names;
    let own = Own { source, prefix: format!("{}.{at}", names.layer), hidden: shape.hidden };
    let (hidden, between, inner) = (shape.hidden, shape.between, shape.inner());
    let pack = |(weight, bias): Product<'_>, inputs: usize| Linear::pack(kernel, &weight, bias, inputs);
    // ModernBERT's first layer has no norm of its own: the embeddings' comes right before it.
    let norm = |which: usize| {
        let name = format!("{}.{}", own.prefix, names.norms[which]);
        let absent = names.before && names.bare && at == 0 && which == 0 && !source.has(&format!("{name}.weight"));
        if absent { Ok(None) } else { source.norm(&name, shape).map(Some) }
    };
    Ok(Read {
        projections: pack(own.projections(shape)?, hidden),
        head_norms: own.head_norms(shape)?,
        out: pack(own.scaled(names.out, [hidden, inner], names.scales[0])?, inner),
        up: pack(own.up(between, shape.options.gated)?, hidden),
        down: pack(own.scaled(names.down, [hidden, between], names.scales[1])?, between),
        norms: [norm(0)?, norm(1)?],
    })
}

/// Tensors of one layer.
struct Own<'a> {
    source: &'a Source<'a>,
    prefix: String,
    hidden: usize,
}

impl<'a> Own<'a> {
    fn product(&self, name: &str, [outputs, inputs]: [usize; 2]) -> Result<Product<'a>, ModelError> {
        let (source, own) = (self.source, format!("{}.{name}", self.prefix));
        let weight = source.weights.singles(&source.name(&format!("{own}.weight")), &[outputs, inputs])?;
        let bias = format!("{own}.bias");
        let bare = source.names.bare && !source.has(&bias);
        let bias = if bare { vec![0.0; outputs] } else { source.weights.f32(&source.name(&bias), &[outputs])? };
        Ok((weight, bias))
    }

    /// Products one below the other.
    fn products(&self, names: &[&str], sizes: [usize; 2]) -> Result<Product<'a>, ModelError> {
        let (mut weight, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            let (more, shift) = self.product(name, sizes)?;
            weight.extend_from_slice(&more);
            bias.extend(shift);
        }
        Ok((Cow::Owned(weight), bias))
    }

    fn projections(&self, shape: &Shape) -> Result<Product<'a>, ModelError> {
        let (names, hidden) = (self.source.names, self.hidden);
        if let Some(heads) = shape.options.key_heads {
            let width = shape.width();
            let (weight, mut bias) = self.product(names.query, [shape.inner(), hidden])?;
            let mut weight = weight.into_owned();
            for name in [names.key, names.value] {
                let (own, shift) = self.product(name, [heads * width, hidden])?;
                // Each serves as many queries' heads as are side by side.
                for head in (0..shape.heads).map(|head| head / (shape.heads / heads)) {
                    weight.extend_from_slice(&own[head * width * hidden..(head + 1) * width * hidden]);
                    bias.extend_from_slice(&shift[head * width..(head + 1) * width]);
                }
            }
            return Ok((Cow::Owned(weight), bias));
        }
        if names.key.is_empty() {
            return self.product(names.query, [3 * hidden, hidden]);
        }
        self.products(&[names.query, names.key, names.value], [hidden, hidden])
    }

    fn head_norms(&self, shape: &Shape) -> Result<Option<[Norm; 2]>, ModelError> {
        if shape.family != Family::Qwen3 {
            return Ok(None);
        }
        let norm = |name: &str| -> Result<Norm, ModelError> {
            let name = self.source.name(&format!("{}.self_attn.{name}.weight", self.prefix));
            let scale = self.source.weights.f32(&name, &[shape.width()])?;
            Ok(Norm { scale, shift: Vec::new(), epsilon: shape.epsilon })
        };
        Ok(Some([norm("q_norm")?, norm("k_norm")?]))
    }

    fn up(&self, between: usize, gated: bool) -> Result<Product<'a>, ModelError> {
        let (names, hidden) = (self.source.names, self.hidden);
        if !gated {
            return self.product(names.up, [between, hidden]);
        }
        if !names.gate.is_empty() {
            return self.products(&[names.gate, names.up], [between, hidden]);
        }
        let (weight, bias) = self.product(names.up, [2 * between, hidden])?;
        if !names.swapped {
            return Ok((weight, bias));
        }
        let (low, high) = weight.split_at(between * hidden);
        Ok((Cow::Owned([high, low].concat()), [&bias[between..], &bias[..between]].concat()))
    }

    /// A product whose results are multiplied by a value each.
    fn scaled(&self, name: &str, sizes: [usize; 2], scale: &str) -> Result<Product<'a>, ModelError> {
        let (weight, mut bias) = self.product(name, sizes)?;
        if scale.is_empty() {
            return Ok((weight, bias));
        }
        let source = self.source;
        let scales = source.weights.f32(&source.name(&format!("{}.{scale}", self.prefix)), &[sizes[0]])?;
        let mut weight = weight.into_owned();
        for ((row, bias), scale) in weight.chunks_exact_mut(sizes[1]).zip(&mut bias).zip(scales) {
            row.iter_mut().for_each(|value| *value *= scale);
            *bias *= scale;
        }
        Ok((Cow::Owned(weight), bias))
    }
}
