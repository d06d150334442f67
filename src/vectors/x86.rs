//! AVX2 + FMA kernels of dot product and squared distance: 32 values a step, four running sums.
//!
//! Unsafe because of unaligned vector loads and because the instructions must exist. Invariant: nothing in here runs on a
//! level without AVX2 and FMA, and no load passes the end of the shorter row.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m256, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehl_ps, _mm_shuffle_ps, _mm256_add_ps,
    _mm256_castps256_ps128, _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_setzero_ps, _mm256_sub_ps,
};

/// Sum of products, or of squared differences, over the common beginning of both rows.
#[target_feature(enable = "avx2,fma")]
pub(super) fn sum<const DIFFERENCE: bool>(a: &[f32], b: &[f32]) -> f32 {
    let common = a.len().min(b.len());
    let (a, b) = (&a[..common], &b[..common]);
    let mut sums = [_mm256_setzero_ps(); 4];
    let mut at = 0;
    while at + 32 <= common {
        for (lane, total) in sums.iter_mut().enumerate() {
            *total = step::<DIFFERENCE>(&a[at + 8 * lane..], &b[at + 8 * lane..], *total);
        }
        at += 32;
    }
    while at + 8 <= common {
        sums[0] = step::<DIFFERENCE>(&a[at..], &b[at..], sums[0]);
        at += 8;
    }
    let rest: f32 =
        a[at..].iter().zip(&b[at..]).map(|(&x, &y)| if DIFFERENCE { (x - y) * (x - y) } else { x * y }).sum();
    let pairs = [_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3])];
    horizontal(_mm256_add_ps(pairs[0], pairs[1])) + rest
}

/// Adds eight terms to a running sum.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn step<const DIFFERENCE: bool>(a: &[f32], b: &[f32], total: __m256) -> __m256 {
    let (a, b) = (&a[..8], &b[..8]);
    // SAFETY: both slices hold eight values.
    let (x, y) = unsafe { (_mm256_loadu_ps(a.as_ptr()), _mm256_loadu_ps(b.as_ptr())) };
    if DIFFERENCE {
        let difference = _mm256_sub_ps(x, y);
        _mm256_fmadd_ps(difference, difference, total)
    } else {
        _mm256_fmadd_ps(x, y, total)
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn horizontal(lanes: __m256) -> f32 {
    let four = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
}
