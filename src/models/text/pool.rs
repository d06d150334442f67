//! From token vectors to one vector: pooling, dense modules, bringing to length 1.
//!
//! Plain loops over slices, no tensors. Invariant: padding never takes part, since only a text's own tokens are passed in.

use crate::models::{Pooling, encoder::Activation};
use crate::vectors;

/// What is done to a pooled vector.
pub(in crate::models) enum After {
    /// It is brought to length 1.
    Normalize,
    /// It goes through one product with weights.
    Dense(Dense),
}

/// A product with weights, and what follows it.
pub(in crate::models) struct Dense {
    /// Outputs x inputs.
    pub(in crate::models) weight: Vec<f32>,
    /// A value an output.
    pub(in crate::models) bias: Vec<f32>,
    /// [`Activation::None`], [`Activation::Tanh`] or [`Activation::Relu`]; others are not met in the wild.
    pub(in crate::models) activation: Activation,
}

impl After {
    /// Name of the step, for fingerprints.
    pub(in crate::models) fn name(&self) -> String {
        match self {
            Self::Normalize => "normalize".to_owned(),
            Self::Dense(dense) => format!("dense {} {:?}", dense.bias.len(), dense.activation),
        }
    }

    /// Does it.
    pub(in crate::models) fn apply(&self, vector: &mut Vec<f32>) {
        match self {
            Self::Normalize => _ = normalize(vector),
            Self::Dense(dense) => {
                let rows = dense.weight.chunks_exact(vector.len()).zip(&dense.bias);
                let activate = |x: f32| match dense.activation {
                    Activation::Tanh => x.tanh(),
                    Activation::Relu => x.max(0.0),
                    _ => x,
                };
                *vector = rows.map(|(row, &bias)| activate(vectors::dot(row, vector) + bias)).collect();
            }
        }
    }
}

/// Pools `tokens` (row-major, `dim` values a token) into `out`: zeros for no tokens.
pub(in crate::models) fn pool(how: Pooling, tokens: &[f32], dim: usize, out: &mut [f32]) {
    if tokens.len() < dim {
        return out.fill(0.0);
    }
    match how {
        Pooling::Cls => out.copy_from_slice(&tokens[..dim]),
        Pooling::Last => out.copy_from_slice(&tokens[tokens.len() - dim..]),
        Pooling::WeightedMean => {
            out.fill(0.0);
            for (at, row) in tokens.chunks_exact(dim).enumerate() {
                out.iter_mut().zip(row).for_each(|(o, &x)| *o += x * (at + 1) as f32);
            }
            let count = tokens.len() / dim;
            let scale = 1.0 / (count * (count + 1) / 2) as f32;
            out.iter_mut().for_each(|o| *o *= scale);
        }
        Pooling::Max => {
            out.fill(f32::NEG_INFINITY);
            for row in tokens.chunks_exact(dim) {
                out.iter_mut().zip(row).for_each(|(o, &x)| *o = o.max(x));
            }
        }
        _ => {
            out.fill(0.0);
            for row in tokens.chunks_exact(dim) {
                out.iter_mut().zip(row).for_each(|(o, &x)| *o += x);
            }
            let scale = 1.0 / (tokens.len() / dim).max(1) as f32;
            out.iter_mut().for_each(|o| *o *= scale);
        }
    }
}

/// Length of a vector, summed in `f64`.
pub(in crate::models) fn norm(v: &[f32]) -> f32 {
    v.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt() as f32
}

/// Brings a vector to length 1; a zero vector stays zero. Returns its length before.
pub(in crate::models) fn normalize(v: &mut [f32]) -> f32 {
    let length = norm(v);
    let scale = 1.0 / length.max(1e-12);
    v.iter_mut().for_each(|x| *x *= scale);
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_by_hand() {
        let tokens = [1.0, 2.0, 3.0, -2.0];
        let mut out = [0.0; 2];
        for (how, want) in [
            (Pooling::Mean, [2.0, 0.0]),
            (Pooling::Cls, [1.0, 2.0]),
            (Pooling::Last, [3.0, -2.0]),
            (Pooling::WeightedMean, [7.0 / 3.0, -2.0 / 3.0]),
            (Pooling::Max, [3.0, 2.0]),
        ] {
            pool(how, &tokens, 2, &mut out);
            let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
            assert!(out.iter().zip(&want).all(near), "{how:?}: {out:?}");
            pool(how, &[], 2, &mut out);
            assert_eq!(out, [0.0; 2], "no tokens");
        }
    }

    #[test]
    fn a_dense_step_multiplies_and_activates() {
        let weight = vec![1.0, 2.0, -1.0, 0.5, 0.0, 0.0];
        let dense = |activation| After::Dense(Dense { weight: weight.clone(), bias: vec![0.5, 0.0, -3.0], activation });
        for (activation, want) in [
            (Activation::None, [5.5, 0.0, -3.0]),
            (Activation::Relu, [5.5, 0.0, 0.0]),
            (Activation::Tanh, [5.5f32.tanh(), 0.0, (-3.0f32).tanh()]),
        ] {
            let mut vector = vec![1.0, 2.0];
            dense(activation).apply(&mut vector);
            assert_eq!(vector, want);
        }
    }

    #[test]
    fn normalizes() {
        let mut v = [3.0, 4.0];
        assert_eq!(normalize(&mut v), 5.0);
        assert!((v[0] - 0.6).abs() < 1e-7 && (v[1] - 0.8).abs() < 1e-7);
        let mut zero = [0.0; 3];
        assert_eq!(normalize(&mut zero), 0.0);
        assert_eq!(zero, [0.0; 3]);
    }
}
