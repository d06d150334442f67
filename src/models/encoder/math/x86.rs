//! Numbers side by side in the registers of AVX-512 and of AVX2.
//!
//! Unsafe because the instructions must exist. Invariant: a value exists only where they do, so operations on values are safe.
#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::mem::transmute;

use super::lanes::Lanes;
use super::table::{EXACT, STEP, TANH, Table};

/// Sixteen numbers (AVX-512 F and BW; bfloat16 is stored by AVX-512 BF16).
#[derive(Clone, Copy)]
pub(in super::super) struct Wide(__m512);

/// The entries of a table at the lowest five bits of each step.
#[inline(always)]
fn entry(row: &[f32; 32], step: __m512i) -> __m512 {
    // SAFETY: a vector shows that the instructions exist; the row holds two.
    unsafe { _mm512_permutex2var_ps(_mm512_loadu_ps(row.as_ptr()), step, _mm512_loadu_ps(row.as_ptr().add(16))) }
}

/// max(x, 0) less what the table says of |x|.
#[inline(always)]
fn by_table(value: __m512, table: &Table) -> __m512 {
    const MAGIC: f32 = 12_582_912.0;
    // SAFETY: the value shows that the instructions exist; each row of the table holds two vectors.
    unsafe {
        let size = _mm512_min_ps(_mm512_set1_ps(31.0 * STEP), _mm512_abs_ps(value));
        let steps = _mm512_set1_ps(1.0 / STEP);
        let magic = _mm512_set1_ps(MAGIC);
        let nearest = _mm512_fmadd_ps(size, steps, magic);
        let distance = _mm512_fmsub_ps(size, steps, _mm512_sub_ps(nearest, magic));
        let step = _mm512_castps_si512(nearest);
        let sum = _mm512_fmadd_ps(entry(&table[3], step), distance, entry(&table[2], step));
        let sum = _mm512_fmadd_ps(sum, distance, entry(&table[1], step));
        let sum = _mm512_fmadd_ps(sum, distance, entry(&table[0], step));
        _mm512_sub_ps(_mm512_max_ps(_mm512_setzero_ps(), value), sum)
    }
}

impl Lanes for Wide {
    const COUNT: usize = 16;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the instructions exist.
        Self(unsafe { _mm512_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the instructions and sixteen values exist.
        Self(unsafe { _mm512_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_integers(from: *const i32) -> Self {
        // SAFETY: the instructions and sixteen values exist.
        Self(unsafe { _mm512_cvtepi32_ps(_mm512_loadu_si512(from.cast())) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: there is room for sixteen values.
        unsafe { _mm512_storeu_ps(to, self.0) };
    }

    #[inline(always)]
    unsafe fn store_bfloats(self, to: *mut u16) {
        // SAFETY: there is room for sixteen values; both types are 256 plain bits.
        unsafe { to.cast::<__m256bh>().write_unaligned(_mm512_cvtneps_pbh(self.0)) };
    }

    #[inline(always)]
    unsafe fn store_thirds(self, to: *mut u16, third: usize) {
        let mut left = self.0;
        // SAFETY: there is room for sixteen values in each third; both types are 256 plain bits.
        unsafe {
            for part in 0..3 {
                let bits = transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(left));
                _mm256_storeu_si256(to.add(part * third).cast(), bits);
                let wide = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(bits));
                left = _mm512_sub_ps(left, _mm512_castsi512_ps(wide));
            }
        }
    }

    #[inline(always)]
    unsafe fn store_words(self, to: *mut i16) {
        // SAFETY: there is room for sixteen values.
        unsafe { _mm256_storeu_si256(to.cast(), _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(self.0))) };
    }

    #[inline(always)]
    unsafe fn store_bytes(four: [Self; 4], to: *mut u8, flip: u8) {
        // SAFETY: there is room for 64 values.
        unsafe {
            let low = _mm512_packs_epi32(_mm512_cvtps_epi32(four[0].0), _mm512_cvtps_epi32(four[1].0));
            let high = _mm512_packs_epi32(_mm512_cvtps_epi32(four[2].0), _mm512_cvtps_epi32(four[3].0));
            let bytes = _mm512_packs_epi16(low, high);
            let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
            let bytes = _mm512_permutexvar_epi32(order, bytes);
            _mm512_storeu_si512(to.cast(), _mm512_xor_si512(bytes, _mm512_set1_epi8(flip.cast_signed())));
        }
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        // SAFETY: the values show that the instructions exist.
        Self(unsafe { _mm512_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_mul_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn over(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_div_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn fused(self, factor: Self, term: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, term.0) })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm512_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn total(self) -> f32 {
        // SAFETY: as above.
        unsafe { _mm512_reduce_add_ps(self.0) }
    }

    #[inline(always)]
    fn peak(self) -> f32 {
        // SAFETY: as above.
        unsafe { _mm512_reduce_max_ps(self.0) }
    }

    #[inline(always)]
    fn gelu(self) -> Self {
        Self(by_table(self.0, &EXACT))
    }

    #[inline(always)]
    fn gelu_tanh(self) -> Self {
        Self(by_table(self.0, &TANH))
    }
}

/// Eight numbers (AVX2 and FMA).
#[derive(Clone, Copy)]
pub(in super::super) struct Narrow(__m256);

impl Lanes for Narrow {
    const COUNT: usize = 8;

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        // SAFETY: the instructions exist.
        Self(unsafe { _mm256_set1_ps(value) })
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the instructions and eight values exist.
        Self(unsafe { _mm256_loadu_ps(from) })
    }

    #[inline(always)]
    unsafe fn load_integers(from: *const i32) -> Self {
        // SAFETY: the instructions and eight values exist.
        Self(unsafe { _mm256_cvtepi32_ps(_mm256_loadu_si256(from.cast())) })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: there is room for eight values.
        unsafe { _mm256_storeu_ps(to, self.0) };
    }

    #[inline(always)]
    unsafe fn store_bfloats(self, to: *mut u16) {
        let mut values = [0.0f32; 8];
        // SAFETY: there is room for eight values.
        unsafe {
            _mm256_storeu_ps(values.as_mut_ptr(), self.0);
            to.cast::<[u16; 8]>().write_unaligned(values.map(super::lanes::bfloat));
        }
    }

    #[inline(always)]
    unsafe fn store_words(self, to: *mut i16) {
        // SAFETY: there is room for eight values.
        unsafe {
            let words = _mm256_cvtps_epi32(self.0);
            let words = _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words));
            _mm_storeu_si128(to.cast(), words);
        }
    }

    #[inline(always)]
    unsafe fn store_bytes(four: [Self; 4], to: *mut u8, flip: u8) {
        // SAFETY: there is room for 32 values.
        unsafe {
            let low = _mm256_packs_epi32(_mm256_cvtps_epi32(four[0].0), _mm256_cvtps_epi32(four[1].0));
            let high = _mm256_packs_epi32(_mm256_cvtps_epi32(four[2].0), _mm256_cvtps_epi32(four[3].0));
            let bytes = _mm256_packs_epi16(low, high);
            let bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
            _mm256_storeu_si256(to.cast(), _mm256_xor_si256(bytes, _mm256_set1_epi8(flip.cast_signed())));
        }
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        // SAFETY: the values show that the instructions exist.
        Self(unsafe { _mm256_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_mul_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn over(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_div_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn fused(self, factor: Self, term: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_fmadd_ps(self.0, factor.0, term.0) })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_min_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn total(self) -> f32 {
        // SAFETY: as above.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }

    #[inline(always)]
    fn peak(self) -> f32 {
        // SAFETY: as above.
        unsafe {
            let four = _mm_max_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
        }
    }
}
