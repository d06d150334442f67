//! A few values worked on at once, by AVX-512, by AVX2 or by plain arithmetic.
//!
//! Unsafe because of raw loads and because the instructions must exist: only functions that enable them may use a kind of lanes, and
//! everything here is inlined into those. Invariant: at one kind of lanes, each value is what the same operations on it alone give.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Values worked on at once.
pub(super) trait Lanes: Copy {
    /// How many; it divides [`super::BLOCK`].
    const COUNT: usize;

    /// Reads [`Self::COUNT`] values.
    ///
    /// # Safety
    /// They are there, and so are the instructions.
    unsafe fn load(from: *const f32) -> Self;

    /// Writes them.
    ///
    /// # Safety
    /// There is room, and the instructions are there.
    unsafe fn store(self, to: *mut f32);

    /// One value in all places.
    ///
    /// # Safety
    /// The instructions are there.
    unsafe fn splat(x: f32) -> Self;

    /// `self * by + plus`.
    ///
    /// # Safety
    /// The instructions are there.
    unsafe fn mul_add(self, by: Self, plus: Self) -> Self;

    /// `self + other`.
    ///
    /// # Safety
    /// The instructions are there.
    unsafe fn plus(self, other: Self) -> Self;

    /// Held between 0 and 6.
    ///
    /// # Safety
    /// The instructions are there.
    unsafe fn relu6(self) -> Self;
}

#[cfg(target_arch = "x86_64")]
impl Lanes for __m512 {
    const COUNT: usize = 16;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for the values and the instructions.
        unsafe { _mm512_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for the room and the instructions.
        unsafe { _mm512_storeu_ps(to, self) }
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller vouches for the instructions.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
        // SAFETY: the caller vouches for the instructions.
        unsafe { _mm512_fmadd_ps(self, by, plus) }
    }

    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        // SAFETY: the caller vouches for the instructions.
        unsafe { _mm512_add_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn relu6(self) -> Self {
        // SAFETY: the caller vouches for the instructions.
        unsafe { _mm512_min_ps(_mm512_max_ps(self, _mm512_setzero_ps()), _mm512_set1_ps(6.0)) }
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for __m256 {
    const COUNT: usize = 8;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for the values and the instructions.
        unsafe { _mm256_loadu_ps(from) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for the room and the instructions.
        unsafe { _mm256_storeu_ps(to, self) }
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: the caller vouches for the instructions.
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
        // SAFETY: the caller vouches for the instructions.
        unsafe { _mm256_fmadd_ps(self, by, plus) }
    }

    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        // SAFETY: the caller vouches for the instructions.
        unsafe { _mm256_add_ps(self, other) }
    }

    #[inline(always)]
    unsafe fn relu6(self) -> Self {
        // SAFETY: the caller vouches for the instructions.
        unsafe { _mm256_min_ps(_mm256_max_ps(self, _mm256_setzero_ps()), _mm256_set1_ps(6.0)) }
    }
}

/// Four values in plain arithmetic: a product and a sum rounded each, which every processor does quickly.
impl Lanes for [f32; 4] {
    const COUNT: usize = 4;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller vouches for the values.
        unsafe { from.cast::<Self>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller vouches for the room.
        unsafe { to.cast::<Self>().write_unaligned(self) }
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        [x; 4]
    }

    #[inline(always)]
    unsafe fn mul_add(self, by: Self, plus: Self) -> Self {
        let mut out = plus;
        for i in 0..4 {
            out[i] += self[i] * by[i];
        }
        out
    }

    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        let mut out = self;
        for i in 0..4 {
            out[i] += other[i];
        }
        out
    }

    #[inline(always)]
    unsafe fn relu6(self) -> Self {
        self.map(|x| x.clamp(0.0, 6.0))
    }
}
