//! Vectors of 16 and of 8 `f32` in named instructions.
//!
//! Unsafe because the instructions must exist. Invariant: as that of [`Lanes`].
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{LEAST, Lanes, POWERS, ROUNDER};

impl Lanes for __m512 {
    const COUNT: usize = 16;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { _mm512_storeu_ps(to, self) };
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm512_add_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm512_mul_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm512_fmadd_ps(self, factor, other) }
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm512_max_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn greatest(self) -> f32 {
        // SAFETY: the caller's promise.
        unsafe { _mm512_reduce_max_ps(self) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: the caller's promise.
        unsafe { _mm512_reduce_add_ps(self) }
    }

    #[inline(always)]
    unsafe fn exp2(self) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            let rounder = _mm512_set1_ps(ROUNDER);
            // The second operand is what a NaN leaves.
            let power = _mm512_max_ps(_mm512_set1_ps(LEAST), self);
            let whole = _mm512_sub_ps(_mm512_add_ps(power, rounder), rounder);
            let rest = _mm512_sub_ps(power, whole);
            let mut sum = _mm512_set1_ps(POWERS[0]);
            for &factor in &POWERS[1..] {
                sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(factor));
            }
            _mm512_scalef_ps(sum, whole)
        }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, step: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            for column in 0..4 {
                let mut rows = [_mm512_setzero_ps(); 4];
                for (row, lines) in rows.iter_mut().enumerate() {
                    let from = from.add(row * stride + 4 * column);
                    let low = _mm512_castps128_ps512(_mm_loadu_ps(from));
                    let low = _mm512_mask_broadcast_f32x4(low, 0x00f0, _mm_loadu_ps(from.add(4 * stride)));
                    let low = _mm512_mask_broadcast_f32x4(low, 0x0f00, _mm_loadu_ps(from.add(8 * stride)));
                    *lines = _mm512_mask_broadcast_f32x4(low, 0xf000, _mm_loadu_ps(from.add(12 * stride)));
                }
                let [a, b, c, d] = rows;
                let low = _mm512_castps_pd(_mm512_unpacklo_ps(a, b));
                let high = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
                let low_next = _mm512_castps_pd(_mm512_unpacklo_ps(c, d));
                let high_next = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
                let to = to.add(4 * column * step);
                _mm512_storeu_ps(to, _mm512_castpd_ps(_mm512_unpacklo_pd(low, low_next)));
                _mm512_storeu_ps(to.add(step), _mm512_castpd_ps(_mm512_unpackhi_pd(low, low_next)));
                _mm512_storeu_ps(to.add(2 * step), _mm512_castpd_ps(_mm512_unpacklo_pd(high, high_next)));
                _mm512_storeu_ps(to.add(3 * step), _mm512_castpd_ps(_mm512_unpackhi_pd(high, high_next)));
            }
        }
    }
}

impl Lanes for __m256 {
    const COUNT: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { _mm256_storeu_ps(to, self) };
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_add_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_mul_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_fmadd_ps(self, factor, other) }
    }

    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { _mm256_max_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn greatest(self) -> f32 {
        // SAFETY: the caller's promise.
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: the caller's promise.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    unsafe fn exp2(self) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            let rounder = _mm256_set1_ps(ROUNDER);
            // The second operand is what a NaN leaves.
            let power = _mm256_max_ps(_mm256_set1_ps(LEAST), self);
            let rounded = _mm256_add_ps(power, rounder);
            let rest = _mm256_sub_ps(power, _mm256_sub_ps(rounded, rounder));
            let mut sum = _mm256_set1_ps(POWERS[0]);
            for &factor in &POWERS[1..] {
                sum = _mm256_fmadd_ps(sum, rest, _mm256_set1_ps(factor));
            }
            let whole = _mm256_add_epi32(_mm256_castps_si256(rounded), _mm256_set1_epi32(127));
            _mm256_mul_ps(sum, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(whole)))
        }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, step: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            for column in 0..2 {
                let mut rows = [_mm256_setzero_ps(); 4];
                for (row, lines) in rows.iter_mut().enumerate() {
                    let from = from.add(row * stride + 4 * column);
                    let low = _mm256_castps128_ps256(_mm_loadu_ps(from));
                    *lines = _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(from.add(4 * stride)));
                }
                let [a, b, c, d] = rows;
                let low = _mm256_castps_pd(_mm256_unpacklo_ps(a, b));
                let high = _mm256_castps_pd(_mm256_unpackhi_ps(a, b));
                let low_next = _mm256_castps_pd(_mm256_unpacklo_ps(c, d));
                let high_next = _mm256_castps_pd(_mm256_unpackhi_ps(c, d));
                let to = to.add(4 * column * step);
                _mm256_storeu_ps(to, _mm256_castpd_ps(_mm256_unpacklo_pd(low, low_next)));
                _mm256_storeu_ps(to.add(step), _mm256_castpd_ps(_mm256_unpackhi_pd(low, low_next)));
                _mm256_storeu_ps(to.add(2 * step), _mm256_castpd_ps(_mm256_unpacklo_pd(high, high_next)));
                _mm256_storeu_ps(to.add(3 * step), _mm256_castpd_ps(_mm256_unpackhi_pd(high, high_next)));
            }
        }
    }
}
