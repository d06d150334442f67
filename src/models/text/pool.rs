//! From token vectors to one vector: pooling and bringing to length 1.
//!
//! Plain loops over slices, no tensors. Invariant: padding never takes part, since only a text's own tokens are passed in.

use crate::models::Pooling;

/// Pools `tokens` (row-major, `dim` values a token, at least one token) into `out`.
pub(in crate::models) fn pool(how: Pooling, tokens: &[f32], dim: usize, out: &mut [f32]) {
    match how {
        Pooling::Cls => out.copy_from_slice(&tokens[..dim]),
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
        for (how, want) in [(Pooling::Mean, [2.0, 0.0]), (Pooling::Cls, [1.0, 2.0]), (Pooling::Max, [3.0, 2.0])] {
            pool(how, &tokens, 2, &mut out);
            assert_eq!(out, want, "{how:?}");
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
