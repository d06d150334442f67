//! SigLIP's pooling: one learned query that attends to all states, and a small network behind it.
//!
//! Invariant: sums run over values and over states in order, so that a picture's vector depends on that picture alone.

use super::Kernel;
use super::linear::{Linear, Rows};
use super::math::{Activation, Norm, add};
use super::sheet::Sheet;
use crate::models::{ModelError, Precision, weights::Weights};
use crate::vectors;

/// The sizes of a probe.
#[derive(Clone, Copy, Debug)]
pub(in crate::models) struct ProbeShape {
    /// Values a state.
    pub(in crate::models) hidden: usize,
    pub(in crate::models) heads: usize,
    /// Values between the two products of the network behind it.
    pub(in crate::models) between: usize,
    pub(in crate::models) activation: Activation,
    pub(in crate::models) epsilon: f32,
}

/// The pooling's weights.
pub(in crate::models) struct Probe {
    kernel: Kernel,
    shape: ProbeShape,
    /// The query, already projected.
    query: Vec<f32>,
    keys_and_values: Linear,
    out: Linear,
    norm: Norm,
    up: Linear,
    down: Linear,
}

impl Probe {
    /// Reads the tensors whose names begin with `prefix`.
    ///
    /// # Errors
    /// A tensor that is missing, has another shape, or is not finite.
    pub(in crate::models) fn new(
        kernel: Kernel,
        shape: ProbeShape,
        weights: &Weights<'_>,
        prefix: &str,
    ) -> Result<Self, ModelError> {
        // A few products of many: not worth rounding for.
        let kernel = Kernel { precision: Precision::F32, ..kernel };
        let ProbeShape { hidden, between, epsilon, .. } = shape;
        let read = |name: &str, sizes: &[usize]| weights.f32(&format!("{prefix}{name}"), sizes);
        let linear = |name: &str, [outputs, inputs]: [usize; 2]| -> Result<Linear, ModelError> {
            let weight = read(&format!("{name}.weight"), &[outputs, inputs])?;
            Ok(Linear::pack(kernel, &weight, read(&format!("{name}.bias"), &[outputs])?, inputs))
        };
        let weight = read("attention.in_proj_weight", &[3 * hidden, hidden])?;
        let bias = read("attention.in_proj_bias", &[3 * hidden])?;
        let probe = read("probe", &[1, 1, hidden])?;
        let projected = weight.chunks_exact(hidden).zip(&bias).take(hidden);
        let query = projected.map(|(row, bias)| vectors::dot(row, &probe) + bias).collect();
        let keys_and_values = Linear::pack(kernel, &weight[hidden * hidden..], bias[hidden..].to_vec(), hidden);
        let norm =
            Norm { scale: read("layernorm.weight", &[hidden])?, shift: read("layernorm.bias", &[hidden])?, epsilon };
        let out = linear("attention.out_proj", [hidden, hidden])?;
        let (up, down) = (linear("mlp.fc1", [between, hidden])?, linear("mlp.fc2", [hidden, between])?);
        Ok(Self { kernel, shape, query, keys_and_values, out, norm, up, down })
    }

    /// One vector of a picture's states.
    pub(in crate::models) fn pool(&self, states: &[f32]) -> Vec<f32> {
        let hidden = self.shape.hidden;
        let projected = self.product(&self.keys_and_values, states, Activation::None);
        let width = hidden / self.shape.heads;
        let mut seen = vec![0.0; hidden];
        for (head, out) in seen.chunks_exact_mut(width).enumerate() {
            let columns = head * width..(head + 1) * width;
            let query = &self.query[columns.clone()];
            let scale = 1.0 / (width as f32).sqrt();
            let score = |row: &[f32]| vectors::dot(&row[columns.clone()], query) * scale;
            let mut shares: Vec<f32> = projected.chunks_exact(2 * hidden).map(score).collect();
            let greatest = shares.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            shares.iter_mut().for_each(|share| *share = (*share - greatest).exp());
            let sum: f32 = shares.iter().sum();
            for (row, share) in projected.chunks_exact(2 * hidden).zip(shares) {
                let values = &row[hidden + columns.start..hidden + columns.end];
                out.iter_mut().zip(values).for_each(|(out, value)| *out += share / sum * value);
            }
        }
        let mut out = self.product(&self.out, &seen, Activation::None);
        let mut normed = out.clone();
        self.norm.apply(self.kernel.level, &mut normed);
        let between = self.product(&self.up, &normed, self.shape.activation);
        add(&mut out, &self.product(&self.down, &between, Activation::None));
        out
    }

    fn product(&self, linear: &Linear, values: &[f32], activation: Activation) -> Vec<f32> {
        let mut rows = Rows::new(self.kernel);
        rows.fill(values, linear.inputs());
        let mut out = vec![0.0; rows.len() * linear.outputs()];
        linear.apply(&rows, 0..linear.panels(), activation, Sheet::new(&mut out, linear.outputs()));
        out
    }
}
