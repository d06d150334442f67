//! From token vectors to one vector: pooling, dense modules, layer norms, bringing to length 1.
//!
//! Plain loops over slices, no tensors. Invariant: padding never takes part, since only a text's own tokens are passed in.

use crate::models::Pooling;
use crate::vectors;

/// How token vectors become one: one way, or several whose vectors are put side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::models) struct Pools {
    modes: Vec<Pooling>,
    /// Whether the tokens of a prompt take part.
    pub(in crate::models) with_prompt: bool,
}

impl Pools {
    /// One way, in which prompts take part.
    pub(in crate::models) fn of(mode: Pooling) -> Self {
        Self { modes: vec![mode], with_prompt: true }
    }

    /// Several ways in this order; at least one.
    pub(in crate::models) fn new(modes: Vec<Pooling>, with_prompt: bool) -> Self {
        Self { modes, with_prompt }
    }

    /// The same, with one way in place of those there are.
    pub(in crate::models) fn with(&self, mode: Pooling) -> Self {
        Self { modes: vec![mode], ..*self }
    }

    /// The way, for cards.
    pub(in crate::models) fn shown(&self) -> Pooling {
        match self.modes.as_slice() {
            [single] => *single,
            _ => Pooling::Several,
        }
    }

    /// Values of a pooled vector, of tokens with `dim` values.
    pub(in crate::models) fn width(&self, dim: usize) -> usize {
        self.modes.len() * dim
    }

    /// The ways, for fingerprints.
    pub(in crate::models) fn name(&self) -> String {
        let modes: Vec<String> = self.modes.iter().map(|mode| format!("{mode:?}")).collect();
        modes.join("+")
    }

    /// The ways in words, over `count` tokens.
    pub(in crate::models) fn words(&self, count: usize) -> String {
        let one = |mode: &Pooling| match mode {
            Pooling::Cls => "vector of the first token".to_owned(),
            Pooling::Last => "vector of the last token".to_owned(),
            Pooling::Max => format!("largest value of each dimension over {count} tokens"),
            Pooling::WeightedMean => format!("mean over {count} tokens, later ones weighing more"),
            Pooling::MeanSqrtLen => format!("sum over {count} tokens, divided by the root of their number"),
            _ => format!("mean over {count} tokens"),
        };
        self.modes.iter().map(one).collect::<Vec<_>>().join("; then ")
    }

    /// Pools `tokens` (row-major, `dim` values a token) into `out`; the first `skip` tokens are left out. Zeros where none is left.
    pub(in crate::models) fn pool(&self, tokens: &[f32], dim: usize, skip: usize, out: &mut [f32]) {
        for (mode, out) in self.modes.iter().zip(out.chunks_exact_mut(dim)) {
            pool(*mode, tokens, dim, skip, out);
        }
    }
}

/// What is done to a pooled vector.
pub(in crate::models) enum After {
    /// It is brought to length 1.
    Normalize,
    /// It goes through one product with weights.
    Dense(Dense),
    /// It is brought to mean 0 and variance 1, then scaled and shifted.
    Norm {
        /// A value a dimension.
        scale: Vec<f32>,
        /// A value a dimension.
        shift: Vec<f32>,
    },
}

/// A product with weights, and what follows it.
pub(in crate::models) struct Dense {
    /// Outputs x inputs.
    pub(in crate::models) weight: Vec<f32>,
    /// A value an output.
    pub(in crate::models) bias: Vec<f32>,
    pub(in crate::models) curve: Curve,
}

/// What a dense module's values go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::models) enum Curve {
    /// Nothing.
    Line,
    Tanh,
    Relu,
    /// x Φ(x), by the error function.
    Gelu,
    Sigmoid,
}

impl Curve {
    fn of(self, x: f32) -> f32 {
        match self {
            Self::Line => x,
            Self::Tanh => x.tanh(),
            Self::Relu => x.max(0.0),
            Self::Gelu => (f64::from(x) * normal_share(f64::from(x))) as f32,
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        }
    }
}

/// Share of the normal distribution below `x`, by the series of its integral (all terms positive, so nothing cancels).
fn normal_share(x: f64) -> f64 {
    if x.abs() > 8.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut term, mut sum) = (x, x);
    for at in 1..200 {
        term *= x * x / f64::from(2 * at + 1);
        sum += term;
        if term.abs() < 1e-17 * sum.abs() {
            break;
        }
    }
    0.5 + sum * (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt()
}

/// What layer norms add to the variance.
const EPSILON: f64 = 1e-5;

impl After {
    /// Name of the step, for fingerprints.
    pub(in crate::models) fn name(&self) -> String {
        match self {
            Self::Normalize => "normalize".to_owned(),
            Self::Dense(dense) => format!("dense {} {:?}", dense.bias.len(), dense.curve),
            Self::Norm { scale, .. } => format!("norm {}", scale.len()),
        }
    }

    /// Does it.
    pub(in crate::models) fn apply(&self, vector: &mut Vec<f32>) {
        match self {
            Self::Normalize => _ = normalize(vector),
            Self::Dense(dense) => {
                let rows = dense.weight.chunks_exact(vector.len()).zip(&dense.bias);
                *vector = rows.map(|(row, &bias)| dense.curve.of(vectors::dot(row, vector) + bias)).collect();
            }
            Self::Norm { scale, shift } => {
                let count = vector.len() as f64;
                let mean = vector.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
                let variance = vector.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
                let by = 1.0 / (variance + EPSILON).sqrt();
                for ((x, &scale), &shift) in vector.iter_mut().zip(scale).zip(shift) {
                    *x = ((f64::from(*x) - mean) * by * f64::from(scale) + f64::from(shift)) as f32;
                }
            }
        }
    }
}

/// Pools in one way.
fn pool(how: Pooling, tokens: &[f32], dim: usize, skip: usize, out: &mut [f32]) {
    let count = tokens.len() / dim;
    let kept = &tokens[skip.min(count) * dim..];
    if how == Pooling::Cls {
        // sentence-transformers takes the very first where all are left out.
        return match [kept, tokens].into_iter().find_map(|tokens| tokens.get(..dim)) {
            Some(first) => out.copy_from_slice(first),
            None => out.fill(0.0),
        };
    }
    out.fill(0.0);
    if kept.len() < dim {
        return;
    }
    match how {
        Pooling::Last => out.copy_from_slice(&kept[kept.len() - dim..]),
        Pooling::WeightedMean => {
            let mut weights = 0.0;
            for (at, row) in kept.chunks_exact(dim).enumerate() {
                let weight = (skip + at + 1) as f32;
                out.iter_mut().zip(row).for_each(|(o, &x)| *o += x * weight);
                weights += weight;
            }
            let scale = 1.0 / weights;
            out.iter_mut().for_each(|o| *o *= scale);
        }
        Pooling::Max => {
            out.fill(f32::NEG_INFINITY);
            for row in kept.chunks_exact(dim) {
                out.iter_mut().zip(row).for_each(|(o, &x)| *o = o.max(x));
            }
        }
        _ => {
            for row in kept.chunks_exact(dim) {
                out.iter_mut().zip(row).for_each(|(o, &x)| *o += x);
            }
            let count = (kept.len() / dim) as f32;
            let scale = 1.0 / if how == Pooling::MeanSqrtLen { count.sqrt() } else { count };
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

    fn near(got: &[f32], want: &[f32]) -> bool {
        got.len() == want.len() && got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6)
    }

    #[test]
    fn pools_by_hand() {
        let tokens = [1.0, 2.0, 3.0, -2.0];
        let mut out = [0.0; 2];
        for (how, want, without_first) in [
            (Pooling::Mean, [2.0, 0.0], [3.0, -2.0]),
            (Pooling::Cls, [1.0, 2.0], [3.0, -2.0]),
            (Pooling::Last, [3.0, -2.0], [3.0, -2.0]),
            (Pooling::WeightedMean, [7.0 / 3.0, -2.0 / 3.0], [3.0, -2.0]),
            (Pooling::MeanSqrtLen, [4.0 / 2f32.sqrt(), 0.0], [3.0, -2.0]),
            (Pooling::Max, [3.0, 2.0], [3.0, -2.0]),
        ] {
            for (skip, want) in [(0, want), (1, without_first)] {
                Pools::of(how).pool(&tokens, 2, skip, &mut out);
                assert!(near(&out, &want), "{how:?} without {skip}: {out:?}");
            }
            Pools::of(how).pool(&tokens, 2, 9, &mut out);
            assert_eq!(out, if how == Pooling::Cls { [1.0, 2.0] } else { [0.0; 2] }, "{how:?}: all left out");
            Pools::of(how).pool(&[], 2, 0, &mut out);
            assert_eq!(out, [0.0; 2], "no tokens");
        }
        let several = Pools::new(vec![Pooling::Max, Pooling::Cls], true);
        let mut out = [0.0; 4];
        several.pool(&tokens, 2, 0, &mut out);
        assert_eq!((out, several.width(2), several.shown()), ([3.0, 2.0, 1.0, 2.0], 4, Pooling::Several));
    }

    #[test]
    fn a_dense_step_multiplies_and_activates() {
        let weight = vec![1.0, 2.0, -1.0, 0.5, 0.0, 0.0];
        let dense = |curve| After::Dense(Dense { weight: weight.clone(), bias: vec![0.5, 0.0, -3.0], curve });
        // torch's values of 5.5, 0 and -3.
        for (curve, want) in [
            (Curve::Line, [5.5, 0.0, -3.0]),
            (Curve::Relu, [5.5, 0.0, 0.0]),
            (Curve::Tanh, [5.5f32.tanh(), 0.0, (-3.0f32).tanh()]),
            (Curve::Gelu, [5.5, 0.0, -0.004_049_694]),
            (Curve::Sigmoid, [0.995_929_86, 0.5, 0.047_425_873]),
        ] {
            let mut vector = vec![1.0, 2.0];
            dense(curve).apply(&mut vector);
            assert!(near(&vector, &want), "{curve:?}: {vector:?}");
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
