//! Products by AVX2: tiles of 6 rows by 16 columns in registers, two to a panel.
//!
//! Unsafe because of raw loads and because the instructions must exist. Invariant: each sum takes its factors in order, whatever the
//! height of the tile.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::PANEL;
use super::job::{Engine, Factors, Job, Tile, apart, run};
use crate::models::encoder::math::Narrow;

/// Bytes of a panel that are fetched ahead.
const AHEAD: usize = 512;

/// An engine and the function that runs it: its step takes a sum, four bytes of a row in each lane, and a vector of the panel.
macro_rules! engine {
    ($run:ident, $engine:ident, $integers:literal, $features:literal, $sum:ty, $zero:expr, $step:expr) => {
        /// # Safety
        /// As for [`run`].
        #[target_feature(enable = $features)]
        pub(super) unsafe fn $run(job: &Job<'_>) {
            // SAFETY: the caller's promise.
            unsafe { run::<$engine>(job) };
        }

        struct $engine;

        impl $engine {
            #[inline(always)]
            unsafe fn tile<const ROWS: usize>(factors: &Factors, half: usize, tile: *mut Tile) {
                // SAFETY: the instructions exist, and so many rows and a panel of so many steps.
                unsafe {
                    let zero: unsafe fn(*const i32) -> $sum = $zero;
                    let begin = factors.start.add(16 * half);
                    let mut sums = [[zero(begin), zero(begin.add(8))]; ROWS];
                    let mut threes = [factors.rows, factors.rows.wrapping_add(3 * factors.stride)];
                    let mut panel = factors.panel.add(half * factors.steps * 64);
                    for _ in 0..factors.steps {
                        let right = [_mm256_loadu_si256(panel.cast()), _mm256_loadu_si256(panel.add(32).cast())];
                        _mm_prefetch::<_MM_HINT_T0>(panel.wrapping_add(AHEAD).cast());
                        for (at, sums) in sums.iter_mut().enumerate() {
                            let left = threes[at / 3].add(at % 3 * factors.stride).cast::<i32>().read_unaligned();
                            let left = _mm256_set1_epi32(left);
                            sums[0] = $step(sums[0], left, right[0]);
                            sums[1] = $step(sums[1], left, right[1]);
                        }
                        for three in &mut threes[..ROWS.div_ceil(3)] {
                            *three = apart(three.wrapping_add(4));
                        }
                        panel = panel.add(64);
                    }
                    let to = tile.cast::<f32>().add(16 * half);
                    for (at, sums) in sums.iter().enumerate() {
                        to.add(at * PANEL).cast::<$sum>().write_unaligned(sums[0]);
                        to.add(at * PANEL + 8).cast::<$sum>().write_unaligned(sums[1]);
                    }
                }
            }
        }

        impl Engine for $engine {
            const ROWS: usize = 6;
            const INTEGERS: bool = $integers;
            const DEPTH: usize = usize::MAX;
            type Lanes = Narrow;
            type Guard = ();

            #[inline(always)]
            unsafe fn begin() {}

            #[inline(always)]
            unsafe fn multiply(factors: &Factors, rows: usize, tile: *mut Tile) {
                for half in 0..2 {
                    // SAFETY: the caller's promise.
                    unsafe {
                        match rows {
                            0..=2 => Self::tile::<2>(factors, half, tile),
                            3..=4 => Self::tile::<4>(factors, half, tile),
                            _ => Self::tile::<6>(factors, half, tile),
                        }
                    }
                }
            }
        }
    };
}

#[inline(always)]
unsafe fn no_singles(_: *const i32) -> __m256 {
    // SAFETY: the instructions exist.
    unsafe { _mm256_setzero_ps() }
}

#[inline(always)]
unsafe fn no_integers(_: *const i32) -> __m256i {
    // SAFETY: the instructions exist.
    unsafe { _mm256_setzero_si256() }
}

#[inline(always)]
unsafe fn begun(start: *const i32) -> __m256i {
    // SAFETY: the instructions exist, and eight integers.
    unsafe { _mm256_loadu_si256(start.cast()) }
}

#[inline(always)]
unsafe fn add_singles(sum: __m256, left: __m256i, right: __m256i) -> __m256 {
    // SAFETY: the instructions exist.
    unsafe { _mm256_fmadd_ps(_mm256_castsi256_ps(left), _mm256_castsi256_ps(right), sum) }
}

#[inline(always)]
unsafe fn add_raised(sum: __m256i, left: __m256i, right: __m256i) -> __m256i {
    // SAFETY: the instructions exist.
    unsafe { _mm256_dpbusd_avx_epi32(sum, left, right) }
}

#[inline(always)]
unsafe fn add_words(sum: __m256i, left: __m256i, right: __m256i) -> __m256i {
    // SAFETY: the instructions exist.
    unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(left, right)) }
}

engine!(singles, Singles, false, "avx2,fma", __m256, no_singles, add_singles);
engine!(raised, Raised, true, "avx2,fma,avxvnni", __m256i, begun, add_raised);
engine!(words, Words, true, "avx2,fma", __m256i, no_integers, add_words);
