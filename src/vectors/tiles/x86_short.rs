//! Tiles of products of short bytes (see [`super::short`]) for processors without byte products: 12 x 32 by AVX-512, 6 x 16 by AVX2.
//!
//! Unsafe because of raw loads and because the instructions must exist. Invariant: every kernel checks the lengths of what it is
//! given before it reads, and its sums are exact.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::pack::ByteTile;
use super::short::RUN;
use super::{PANEL, Tile};

/// Steps of four bytes a run.
const STEPS: usize = RUN / 4;

/// 12 rows by 32 columns. `rows` are signed, `panels` have [`super::short::RAISE`] added, `sums` holds what each run of each row
/// begins with.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn shorts_512(of: &ByteTile<'_>, tile: &mut Tile) {
    let &ByteTile { rows, stride, sums, panels, steps } = of;
    let (runs, panel) = (steps / STEPS, PANEL * 4 * steps);
    assert!(runs > 0 && rows.len() >= 12 * stride && 4 * STEPS * runs <= stride);
    assert!(sums.len() >= 12 * runs && panels.len() >= 2 * panel);
    let (rows, sums, panels, out) = (rows.as_ptr(), sums.as_ptr(), panels.as_ptr(), tile.as_mut_ptr());
    let ones = _mm512_set1_epi16(1);
    for run in 0..runs {
        let mut totals = [[_mm512_setzero_si512(); 2]; 12];
        for (row, totals) in totals.iter_mut().enumerate() {
            // SAFETY: every row has `runs` sums.
            *totals = [_mm512_set1_epi32(unsafe { *sums.add(row * runs + run) }); 2];
        }
        for step in run * STEPS..(run + 1) * STEPS {
            // SAFETY: both panels hold `steps` runs of 64 bytes.
            let right = unsafe {
                [
                    _mm512_loadu_si512(panels.add(64 * step).cast()),
                    _mm512_loadu_si512(panels.add(panel + 64 * step).cast()),
                ]
            };
            for (row, totals) in totals.iter_mut().enumerate() {
                // SAFETY: every row holds `steps` times four bytes.
                let left =
                    _mm512_set1_epi32(unsafe { rows.add(row * stride + 4 * step).cast::<i32>().read_unaligned() });
                totals[0] = _mm512_add_epi16(totals[0], _mm512_maddubs_epi16(right[0], left));
                totals[1] = _mm512_add_epi16(totals[1], _mm512_maddubs_epi16(right[1], left));
            }
        }
        for (at, &total) in totals.as_flattened().iter().enumerate() {
            // SAFETY: the tile holds 24 times 16 values, whole numbers until the last run.
            unsafe {
                let out = out.add(16 * at);
                let mut whole = _mm512_madd_epi16(total, ones);
                if run > 0 {
                    whole = _mm512_add_epi32(whole, _mm512_loadu_si512(out.cast()));
                }
                if run + 1 < runs {
                    _mm512_storeu_si512(out.cast(), whole);
                } else {
                    _mm512_storeu_ps(out, _mm512_cvtepi32_ps(whole));
                }
            }
        }
    }
}

/// 6 rows by 16 columns.
#[target_feature(enable = "avx2")]
pub(super) fn shorts_256(of: &ByteTile<'_>, tile: &mut Tile) {
    let &ByteTile { rows, stride, sums, panels, steps } = of;
    let runs = steps / STEPS;
    assert!(runs > 0 && rows.len() >= 6 * stride && 4 * STEPS * runs <= stride);
    assert!(sums.len() >= 6 * runs && panels.len() >= PANEL * 4 * steps);
    let (rows, sums, panels, out) = (rows.as_ptr(), sums.as_ptr(), panels.as_ptr(), tile.as_mut_ptr());
    let ones = _mm256_set1_epi16(1);
    for run in 0..runs {
        let mut totals = [[_mm256_setzero_si256(); 2]; 6];
        for (row, totals) in totals.iter_mut().enumerate() {
            // SAFETY: every row has `runs` sums.
            *totals = [_mm256_set1_epi32(unsafe { *sums.add(row * runs + run) }); 2];
        }
        for step in run * STEPS..(run + 1) * STEPS {
            // SAFETY: the panel holds `steps` runs of 64 bytes.
            let right = unsafe {
                [
                    _mm256_loadu_si256(panels.add(64 * step).cast()),
                    _mm256_loadu_si256(panels.add(64 * step + 32).cast()),
                ]
            };
            for (row, totals) in totals.iter_mut().enumerate() {
                // SAFETY: every row holds `steps` times four bytes.
                let left =
                    _mm256_set1_epi32(unsafe { rows.add(row * stride + 4 * step).cast::<i32>().read_unaligned() });
                totals[0] = _mm256_add_epi16(totals[0], _mm256_maddubs_epi16(right[0], left));
                totals[1] = _mm256_add_epi16(totals[1], _mm256_maddubs_epi16(right[1], left));
            }
        }
        for (at, &total) in totals.as_flattened().iter().enumerate() {
            // SAFETY: the tile holds 12 times 8 values, whole numbers until the last run.
            unsafe {
                let out = out.add(8 * at);
                let mut whole = _mm256_madd_epi16(total, ones);
                if run > 0 {
                    whole = _mm256_add_epi32(whole, _mm256_loadu_si256(out.cast()));
                }
                if run + 1 < runs {
                    _mm256_storeu_si256(out.cast(), whole);
                } else {
                    _mm256_storeu_ps(out, _mm256_cvtepi32_ps(whole));
                }
            }
        }
    }
}
