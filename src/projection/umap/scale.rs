//! How fast surety falls with distance: the scale of one row, and the weights that follow from it.
//!
//! The exponential is our own, eight at a time: most of the time of a fuzzy set goes into it. Plain arithmetic without fused
//! multiplications, compiled for AVX-512, AVX2 and any processor. Unsafe only to call what was compiled for instructions that were
//! found. Invariant: all processors give the same bytes.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use super::lanes::{Level, level};

/// Steps of the search for a scale, and how near it must come.
const STEPS: usize = 64;
const TOLERANCE: f64 = 1e-5;
/// Values at a time.
const WIDE: usize = 8;
/// Beyond so many scales a neighbour is none.
const FAR: f64 = 700.0;

/// The scale at which `exp(-d / scale)` sums to `target`: Newton's steps, held between the bounds of a bisection.
pub(super) fn scale(beyond: &[f32], target: f64) -> f64 {
    let (mut low, mut high, mut scale) = (0.0f64, f64::INFINITY, 1.0f64);
    for _ in 0..STEPS {
        let (sum, slope) = sums(beyond, 1.0 / scale);
        if (sum - target).abs() < TOLERANCE {
            break;
        }
        if sum > target {
            high = scale;
        } else {
            low = scale;
        }
        let newton = scale - (sum - target) / (slope / scale);
        scale = if newton > low && newton < high && newton.is_finite() {
            newton
        } else if high.is_finite() {
            0.5 * (low + high)
        } else {
            2.0 * scale
        };
    }
    scale
}

/// Turns distances into `exp(-d / scale)`: 1 where they are not above 0 or the scale is 0, 0 where they are not finite.
pub(super) fn weights(distances: &mut [f32], scale: f64) {
    let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
    for part in distances.chunks_mut(WIDE) {
        let mut values = [0.0f32; WIDE];
        values[..part.len()].copy_from_slice(part);
        let weights = weights_of(&values, inverse);
        for (out, weight) in part.iter_mut().zip(weights) {
            *out = if out.is_finite() { weight as f32 } else { 0.0 };
        }
    }
}

/// The sum of `exp(-d * inverse)`, and of each times `d * inverse`.
fn sums(beyond: &[f32], inverse: f64) -> (f64, f64) {
    #[cfg(target_arch = "x86_64")]
    match level() {
        // SAFETY: the instructions were found on this machine.
        Level::Avx512 => return unsafe { sums_avx512(beyond, inverse) },
        // SAFETY: as above.
        Level::Avx2 => return unsafe { sums_avx2(beyond, inverse) },
        Level::Portable => {}
    }
    plain(beyond, inverse)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2")]
fn sums_avx512(beyond: &[f32], inverse: f64) -> (f64, f64) {
    plain(beyond, inverse)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn sums_avx2(beyond: &[f32], inverse: f64) -> (f64, f64) {
    plain(beyond, inverse)
}

#[inline(always)]
fn plain(beyond: &[f32], inverse: f64) -> (f64, f64) {
    let (mut sums, mut slopes) = ([0.0f64; WIDE], [0.0f64; WIDE]);
    let (whole, rest) = beyond.as_chunks::<WIDE>();
    let mut last = [f32::INFINITY; WIDE];
    last[..rest.len()].copy_from_slice(rest);
    for values in whole.iter().chain((!rest.is_empty()).then_some(&last)) {
        let scales = scales_of(values, inverse);
        let weights = falling(&scales);
        for lane in 0..WIDE {
            sums[lane] += weights[lane];
            slopes[lane] += weights[lane] * scales[lane];
        }
    }
    (sums.iter().sum(), slopes.iter().sum())
}

#[inline(always)]
fn weights_of(values: &[f32; WIDE], inverse: f64) -> [f64; WIDE] {
    falling(&scales_of(values, inverse))
}

/// Distances in scales, held between 0 and [`FAR`].
#[inline(always)]
fn scales_of(values: &[f32; WIDE], inverse: f64) -> [f64; WIDE] {
    let mut scales = [0.0f64; WIDE];
    for lane in 0..WIDE {
        let scale = f64::from(values[lane]) * inverse;
        let scale = if scale < FAR { scale } else { FAR };
        scales[lane] = if scale > 0.0 { scale } else { 0.0 };
    }
    scales
}

/// `exp(-x)` of values from 0 to [`FAR`], off by less than 1 in 10¹¹: two to a whole power, and a polynomial of what is left of the
/// exponent.
#[inline(always)]
fn falling(values: &[f64; WIDE]) -> [f64; WIDE] {
    /// Adding it leaves a whole number in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    /// The logarithm of two: bits that multiply without rounding, and the rest.
    const HIGH: f64 = 0.693_147_180_369_123_8;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    let mut out = [0.0f64; WIDE];
    for lane in 0..WIDE {
        let x = -values[lane];
        let shifted = x * std::f64::consts::LOG2_E + ROUND;
        let whole = shifted - ROUND;
        let left = (x - whole * HIGH) - whole * LOW;
        let mut sum = 1.0 / 3_628_800.0;
        for factorial in [362_880.0, 40_320.0, 5_040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0, 1.0] {
            sum = sum * left + 1.0 / factorial;
        }
        let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(1023) << 52;
        out[lane] = sum * f64::from_bits(power);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_those_of_the_library() {
        assert_eq!(falling(&[0.0; WIDE]), [1.0; WIDE]);
        for step in 0..8000 {
            let x = f64::from(step) * 0.087;
            let found = falling(&[x.min(FAR); WIDE])[3];
            assert!((found / (-x.min(FAR)).exp() - 1.0).abs() < 1e-11, "{x}");
        }
    }

    #[test]
    fn every_processor_gives_the_same_sums_and_a_scale_meets_its_target() {
        let distances: Vec<f32> = (0..29).map(|at| (at * at) as f32 * 0.01).chain([f32::INFINITY]).collect();
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the instructions were found, as just asked.
            let by_avx2 = unsafe { sums_avx2(&distances, 0.7) };
            assert_eq!(plain(&distances, 0.7), by_avx2);
            assert_eq!(plain(&distances, 0.7), sums(&distances, 0.7));
        }
        let scale = scale(&distances, 5.0);
        let mut weights_of_all = distances.clone();
        weights(&mut weights_of_all, scale);
        assert!((weights_of_all.iter().sum::<f32>() - 5.0).abs() < 1e-4);
        assert_eq!((weights_of_all[0], weights_of_all[29]), (1.0, 0.0));
    }
}
