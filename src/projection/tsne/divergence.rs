//! The parts of the Kullback-Leibler divergence that need no pushes.
//!
//! KL = Σ p ln p + Σ p ln(1 + distance²) + ln Z · Σ p. Invariant: sums are taken by blocks that depend on the points' number only.

use rayon::prelude::*;

use super::Affinities;
use crate::progress::{Cancelled, Progress};

/// Weights, or points, of one task.
const WEIGHTS: usize = 1 << 14;
const POINTS: usize = 256;
/// Logarithms taken together.
const LANES: usize = 16;

/// Σ p ln p.
pub(super) fn entropy(affinities: &Affinities, progress: &Progress) -> Result<f64, Cancelled> {
    let partial: Vec<f64> = affinities
        .weights
        .par_chunks(WEIGHTS)
        .map(|weights| {
            progress.check()?;
            Ok(weights.iter().map(|&weight| f64::from(weight) * f64::from(weight.ln())).sum())
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(partial.iter().sum())
}

/// Σ p and Σ p ln(1 + distance²).
pub(super) fn apart(
    affinities: &Affinities,
    points: &[[f32; 2]],
    progress: &Progress,
) -> Result<(f64, f64), Cancelled> {
    let partial: Vec<(f64, f64)> = (0..points.len().div_ceil(POINTS))
        .into_par_iter()
        .map(|task| {
            progress.check()?;
            let (mut mass, mut sum) = (0.0, 0.0);
            for point in task * POINTS..points.len().min((task + 1) * POINTS) {
                let (columns, weights) = affinities.row(point);
                for (columns, weights) in columns.chunks(LANES).zip(weights.chunks(LANES)) {
                    let mut squares = [0.0f32; LANES];
                    for (square, &column) in squares.iter_mut().zip(columns) {
                        let other = points[column as usize];
                        let (dx, dy) = (points[point][0] - other[0], points[point][1] - other[1]);
                        *square = dx * dx + dy * dy;
                    }
                    let logarithms = squares.map(logarithm);
                    mass += f64::from(weights.iter().sum::<f32>());
                    sum += f64::from(weights.iter().zip(logarithms).map(|(weight, value)| weight * value).sum::<f32>());
                }
            }
            Ok((mass, sum))
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(partial.iter().fold((0.0, 0.0), |total, part| (total.0 + part.0, total.1 + part.1)))
}

/// ln(1 + x) for x from 0, to about 2e-6; plain arithmetic, so that several are taken at once.
#[inline(always)]
fn logarithm(x: f32) -> f32 {
    let bits = (1.0 + x).to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let fraction = f32::from_bits(bits & 0x007f_ffff | 0x3f80_0000);
    let t = (fraction - 1.0) / (fraction + 1.0);
    let square = t * t;
    let series = 1.0 + square * (1.0 / 3.0 + square * (0.2 + square * (1.0 / 7.0 + square * (1.0 / 9.0))));
    exponent as f32 * std::f32::consts::LN_2 + 2.0 * t * series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_near() {
        for step in 0..4000 {
            let x = 1e-4 * 1.01f32.powi(step % 2500);
            let exact = f64::from(x).ln_1p();
            assert!((f64::from(logarithm(x)) - exact).abs() < 3e-6 * exact.max(1.0), "{x}");
        }
        assert_eq!(logarithm(0.0), 0.0);
    }
}
