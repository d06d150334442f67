//! Products by AVX-512: tiles of 12 rows by 32 columns in registers.
//!
//! Unsafe because of raw loads and because the instructions must exist. Invariant: each sum takes its factors in order, whatever the
//! height of the tile.
#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::mem::transmute;

use super::PANEL;
use super::job::{Engine, Factors, Job, Tile, apart, run};
use crate::models::encoder::math::Wide;

/// Bytes of a panel that are fetched ahead.
const AHEAD: usize = 1024;

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
            unsafe fn tile<const ROWS: usize>(factors: &Factors, tile: *mut Tile) {
                // SAFETY: the instructions exist, and so many rows and a panel of so many steps.
                unsafe {
                    let zero: unsafe fn(*const i32) -> $sum = $zero;
                    let start = [zero(factors.start), zero(factors.start.add(16))];
                    let mut sums = [start; ROWS];
                    let mut threes = [factors.rows; 4];
                    for (at, three) in threes.iter_mut().enumerate() {
                        *three = three.wrapping_add(3 * at * factors.stride);
                    }
                    let mut panel = factors.panel;
                    for _ in 0..factors.steps {
                        let right = [_mm512_loadu_si512(panel.cast()), _mm512_loadu_si512(panel.add(64).cast())];
                        _mm_prefetch::<_MM_HINT_T0>(panel.wrapping_add(AHEAD).cast());
                        _mm_prefetch::<_MM_HINT_T0>(panel.wrapping_add(AHEAD + 64).cast());
                        for (at, sums) in sums.iter_mut().enumerate() {
                            let left = threes[at / 3].add(at % 3 * factors.stride).cast::<i32>().read_unaligned();
                            let left = _mm512_set1_epi32(left);
                            sums[0] = $step(sums[0], left, right[0]);
                            sums[1] = $step(sums[1], left, right[1]);
                        }
                        for three in &mut threes[..ROWS.div_ceil(3)] {
                            *three = apart(three.wrapping_add(4));
                        }
                        panel = panel.add(128);
                    }
                    let to = tile.cast::<f32>();
                    for (at, sums) in sums.iter().enumerate() {
                        to.add(at * PANEL).cast::<$sum>().write_unaligned(sums[0]);
                        to.add(at * PANEL + 16).cast::<$sum>().write_unaligned(sums[1]);
                    }
                }
            }
        }

        impl Engine for $engine {
            const ROWS: usize = 12;
            const INTEGERS: bool = $integers;
            const DEPTH: usize = usize::MAX;
            type Lanes = Wide;
            type Guard = ();

            #[inline(always)]
            unsafe fn begin() {}

            #[inline(always)]
            unsafe fn multiply(factors: &Factors, rows: usize, tile: *mut Tile) {
                // SAFETY: the caller's promise.
                unsafe {
                    match rows {
                        0..=2 => Self::tile::<2>(factors, tile),
                        3..=4 => Self::tile::<4>(factors, tile),
                        5..=6 => Self::tile::<6>(factors, tile),
                        7..=8 => Self::tile::<8>(factors, tile),
                        9..=10 => Self::tile::<10>(factors, tile),
                        _ => Self::tile::<12>(factors, tile),
                    }
                }
            }
        }
    };
}

#[inline(always)]
unsafe fn no_singles(_: *const i32) -> __m512 {
    // SAFETY: the instructions exist.
    unsafe { _mm512_setzero_ps() }
}

#[inline(always)]
unsafe fn no_integers(_: *const i32) -> __m512i {
    // SAFETY: the instructions exist.
    unsafe { _mm512_setzero_si512() }
}

#[inline(always)]
unsafe fn begun(start: *const i32) -> __m512i {
    // SAFETY: the instructions exist, and sixteen integers.
    unsafe { _mm512_loadu_si512(start.cast()) }
}

#[inline(always)]
unsafe fn add_singles(sum: __m512, left: __m512i, right: __m512i) -> __m512 {
    // SAFETY: the instructions exist.
    unsafe { _mm512_fmadd_ps(_mm512_castsi512_ps(left), _mm512_castsi512_ps(right), sum) }
}

#[inline(always)]
unsafe fn add_bfloats(sum: __m512, left: __m512i, right: __m512i) -> __m512 {
    // SAFETY: the instructions exist; both types are 512 plain bits.
    unsafe { _mm512_dpbf16_ps(sum, transmute::<__m512i, __m512bh>(left), transmute::<__m512i, __m512bh>(right)) }
}

#[inline(always)]
unsafe fn add_raised(sum: __m512i, left: __m512i, right: __m512i) -> __m512i {
    // SAFETY: the instructions exist.
    unsafe { _mm512_dpbusd_epi32(sum, left, right) }
}

#[inline(always)]
unsafe fn add_words(sum: __m512i, left: __m512i, right: __m512i) -> __m512i {
    // SAFETY: the instructions exist.
    unsafe { _mm512_add_epi32(sum, _mm512_madd_epi16(left, right)) }
}

engine!(singles, Singles, false, "avx512f,avx512bw", __m512, no_singles, add_singles);
engine!(bfloats, Bfloats, false, "avx512f,avx512bw,avx512bf16", __m512, no_singles, add_bfloats);
engine!(raised, Raised, true, "avx512f,avx512bw,avx512vnni", __m512i, begun, add_raised);
engine!(words, Words, true, "avx512f,avx512bw", __m512i, no_integers, add_words);
