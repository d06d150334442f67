//! The few operations on one or two rows that everything else is made of.
//!
//! Each runs in the widest instructions the machine has, else in portable code; the calls into those are unsafe because they
//! must exist. Many rows against many rows belong in `products`.
//! Invariant: the same input gives the same bits on the same machine, whatever the thread.
#![allow(unsafe_code)]

use rayon::prelude::*;

use super::Metric;
use super::cpu::{Level, level};

/// Partial sums kept apart, so that the compiler can keep them in vector registers.
const LANES: usize = 16;

/// Dot product. Of rows of unequal length the common beginning counts.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum::<false>(level(), a, b)
}

/// Squared Euclidean distance. Of rows of unequal length the common beginning counts.
pub fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    sum::<true>(level(), a, b)
}

/// Sum of products, or of squared differences, by the kernels of `level`, which this machine must have.
#[cfg(target_arch = "x86_64")]
#[inline]
fn sum<const DIFFERENCE: bool>(level: Level, a: &[f32], b: &[f32]) -> f32 {
    match level {
        // SAFETY: levels in use were found on this machine.
        Level::Amx | Level::Avx512Vnni | Level::Avx512 => unsafe { super::x86_wide::sum::<DIFFERENCE>(a, b) },
        // SAFETY: as above.
        Level::Avx2Vnni | Level::Avx2 => unsafe { super::x86::sum::<DIFFERENCE>(a, b) },
        Level::Portable => portable::<DIFFERENCE>(a, b),
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn sum<const DIFFERENCE: bool>(_: Level, a: &[f32], b: &[f32]) -> f32 {
    portable::<DIFFERENCE>(a, b)
}

fn portable<const DIFFERENCE: bool>(a: &[f32], b: &[f32]) -> f32 {
    portable_sum(a, b, |x, y| if DIFFERENCE { (x - y) * (x - y) } else { x * y })
}

/// Asks for a row that will be read soon.
#[inline]
pub(crate) fn prefetch(row: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in row.chunks(16) {
        // SAFETY: a prefetch never faults, and the address is that of a value.
        unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

/// Euclidean length. Rows of very large or very small values (beyond about 1e±18) are measured in double precision.
pub fn norm(a: &[f32]) -> f32 {
    let square = dot(a, a);
    if (1e-30..1e30).contains(&square) {
        return square.sqrt();
    }
    a.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt() as f32
}

/// How alike two rows are; greater is closer. The cosine with a zero row is 0.
pub fn score(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    match metric {
        Metric::Cosine => cosine(dot(a, b), norm(a), norm(b)),
        Metric::Dot => dot(a, b),
        Metric::Euclidean => -squared_distance(a, b).sqrt(),
    }
}

/// Cosine from a dot product and two lengths; 0 where a length is 0.
pub(crate) fn cosine(dot: f32, a: f32, b: f32) -> f32 {
    if a == 0.0 || b == 0.0 { 0.0 } else { (dot / a / b).clamp(-1.0, 1.0) }
}

/// Scales every row to length 1, in parallel. Zero rows stay zero; rows that hold NaN or infinities become NaN.
pub fn normalize_rows(values: &mut [f32], dim: usize) {
    if dim == 0 {
        return;
    }
    values.par_chunks_mut(dim).with_min_len(64).for_each(normalize);
}

fn normalize(row: &mut [f32]) {
    let length = norm(row);
    if !length.is_finite() {
        row.fill(f32::NAN);
    } else if length > 0.0 {
        for value in row {
            *value /= length;
        }
    }
}

#[inline(always)]
fn portable_sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let common = a.len().min(b.len());
    let (a, a_rest) = a[..common].as_chunks::<LANES>();
    let (b, b_rest) = b[..common].as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(&x, &y)| term(x, y)).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    fn rows(len: usize, seed: u64) -> (Vec<f32>, Vec<f32>) {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
        let mut row = || (0..len).map(|_| random.random_range(-2.0f32..2.0)).collect();
        (row(), row())
    }

    /// Every length around the block borders, each kernel against double precision.
    #[test]
    fn kernels_agree_with_double_precision() {
        for len in (0..70).chain([127, 128, 384, 1000, 1280]) {
            let (a, b) = rows(len, len as u64);
            let wide = |f: fn(f64, f64) -> f64| -> f64 {
                a.iter().zip(&b).map(|(&x, &y)| f(f64::from(x), f64::from(y))).sum()
            };
            let (exact_dot, exact_square) = (wide(|x, y| x * y), wide(|x, y| (x - y) * (x - y)));
            let bound = 1e-6 * (len as f64 + 1.0);
            for level in Level::available() {
                let (dot, square) = (sum::<false>(level, &a, &b), sum::<true>(level, &a, &b));
                assert!((f64::from(dot) - exact_dot).abs() < bound, "{level:?}: dot of {len}: {dot} for {exact_dot}");
                assert!((f64::from(square) - exact_square).abs() < 3.0 * bound, "{level:?}: distance of {len}");
            }
        }
    }

    #[test]
    fn lengths_of_huge_and_tiny_rows_do_not_overflow() {
        assert!((norm(&[3e30, 4e30]) - 5e30).abs() < 1e24);
        assert!((norm(&[3e-30, 4e-30]) - 5e-30).abs() < 1e-36);
        assert_eq!(norm(&[]), 0.0);
    }

    #[test]
    fn normalizing_keeps_zero_rows_and_marks_broken_ones() {
        let mut values = [3.0, 4.0, 0.0, 0.0, f32::NAN, 1.0, f32::INFINITY, 1.0, 1e30, 0.0];
        normalize_rows(&mut values, 2);
        assert_eq!(values[..4], [0.6, 0.8, 0.0, 0.0]);
        assert!(values[4..8].iter().all(|value| value.is_nan()));
        assert_eq!(values[8..], [1.0, 0.0]);
        normalize_rows(&mut [], 0);
    }

    #[test]
    fn greater_scores_are_closer_in_every_metric() {
        let (query, near, far) = ([1.0, 0.0], [0.9, 0.1], [-1.0, 0.3]);
        for metric in [Metric::Cosine, Metric::Dot, Metric::Euclidean] {
            assert!(score(metric, &query, &near) > score(metric, &query, &far), "{metric:?}");
        }
        assert_eq!(score(Metric::Cosine, &[0.0, 0.0], &near), 0.0);
        assert_eq!(score(Metric::Euclidean, &[0.0, 3.0], &[4.0, 0.0]), -5.0);
    }
}
