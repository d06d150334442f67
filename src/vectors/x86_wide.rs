//! AVX-512 kernels of dot product and squared distance: 64 values a step, four running sums, the rest by a masked load.
//!
//! Unsafe because of unaligned vector loads and because the instructions must exist. Invariant: nothing in here runs on a level
//! without AVX-512, and no load passes the end of the shorter row.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m512, _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_maskz_loadu_ps, _mm512_reduce_add_ps,
    _mm512_setzero_ps, _mm512_sub_ps,
};

/// Sum of products, or of squared differences, over the common beginning of both rows.
#[target_feature(enable = "avx512f")]
pub(super) fn sum<const DIFFERENCE: bool>(a: &[f32], b: &[f32]) -> f32 {
    let common = a.len().min(b.len());
    let (a, b) = (a.as_ptr(), b.as_ptr());
    let mut sums = [_mm512_setzero_ps(); 4];
    let mut at = 0;
    while at + 64 <= common {
        for (lane, total) in sums.iter_mut().enumerate() {
            // SAFETY: at + 64 values are there in both rows.
            let (x, y) = unsafe { (_mm512_loadu_ps(a.add(at + 16 * lane)), _mm512_loadu_ps(b.add(at + 16 * lane))) };
            *total = term::<DIFFERENCE>(x, y, *total);
        }
        at += 64;
    }
    for total in &mut sums {
        if at < common {
            let left = (common - at).min(16);
            let mask = (0xffff_u32 >> (16 - left)) as u16;
            // SAFETY: the mask admits only values before `common`.
            let (x, y) = unsafe { (_mm512_maskz_loadu_ps(mask, a.add(at)), _mm512_maskz_loadu_ps(mask, b.add(at))) };
            *total = term::<DIFFERENCE>(x, y, *total);
            at += left;
        }
    }
    let pairs = [_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3])];
    _mm512_reduce_add_ps(_mm512_add_ps(pairs[0], pairs[1]))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn term<const DIFFERENCE: bool>(x: __m512, y: __m512, total: __m512) -> __m512 {
    if DIFFERENCE {
        let difference = _mm512_sub_ps(x, y);
        _mm512_fmadd_ps(difference, difference, total)
    } else {
        _mm512_fmadd_ps(x, y, total)
    }
}
