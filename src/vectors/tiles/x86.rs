//! Tiles of products in named instructions: 12 x 32 by AVX-512, 6 x 16 by AVX2, of bytes (VNNI) and of single precision.
//!
//! Unsafe because of raw loads and because the instructions must exist. Invariant: every kernel checks the lengths of what it is
//! given before it reads.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::pack::ByteTile;
use super::{PANEL, Tile};

/// 12 rows by 32 columns of bytes. `rows` are signed, `panels` have 128 added, `sums` takes that off again.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(super) fn bytes_512(of: &ByteTile<'_>, tile: &mut Tile) {
    let &ByteTile { rows, stride, sums, panels, steps } = of;
    assert!(rows.len() >= 12 * stride && 4 * steps <= stride && sums.len() >= 12);
    let panel = PANEL * 4 * steps;
    assert!(panels.len() >= 2 * panel);
    let mut totals = [[_mm512_setzero_si512(); 2]; 12];
    for (totals, &sum) in totals.iter_mut().zip(sums) {
        *totals = [_mm512_set1_epi32(-128 * sum); 2];
    }
    let (rows, panels) = (rows.as_ptr(), panels.as_ptr());
    for step in 0..steps {
        // SAFETY: both panels hold `steps` runs of 64 bytes.
        let right = unsafe {
            [_mm512_loadu_si512(panels.add(64 * step).cast()), _mm512_loadu_si512(panels.add(panel + 64 * step).cast())]
        };
        for (row, totals) in totals.iter_mut().enumerate() {
            // SAFETY: every row holds `steps` times four bytes.
            let left = unsafe { rows.add(row * stride + 4 * step).cast::<i32>().read_unaligned() };
            let left = _mm512_set1_epi32(left);
            totals[0] = _mm512_dpbusd_epi32(totals[0], right[0], left);
            totals[1] = _mm512_dpbusd_epi32(totals[1], right[1], left);
        }
    }
    for (totals, out) in totals.iter().zip(tile.as_chunks_mut::<32>().0) {
        // SAFETY: `out` holds 32 values.
        unsafe {
            _mm512_storeu_ps(out.as_mut_ptr(), _mm512_cvtepi32_ps(totals[0]));
            _mm512_storeu_ps(out.as_mut_ptr().add(16), _mm512_cvtepi32_ps(totals[1]));
        }
    }
}

/// 6 rows by 16 columns of bytes.
#[target_feature(enable = "avx2,avxvnni")]
pub(super) fn bytes_256(of: &ByteTile<'_>, tile: &mut Tile) {
    let &ByteTile { rows, stride, sums, panels, steps } = of;
    assert!(rows.len() >= 6 * stride && 4 * steps <= stride && sums.len() >= 6);
    assert!(panels.len() >= PANEL * 4 * steps);
    let mut totals = [[_mm256_setzero_si256(); 2]; 6];
    for (totals, &sum) in totals.iter_mut().zip(sums) {
        *totals = [_mm256_set1_epi32(-128 * sum); 2];
    }
    let (rows, panels) = (rows.as_ptr(), panels.as_ptr());
    for step in 0..steps {
        // SAFETY: the panel holds `steps` runs of 64 bytes.
        let right = unsafe {
            [_mm256_loadu_si256(panels.add(64 * step).cast()), _mm256_loadu_si256(panels.add(64 * step + 32).cast())]
        };
        for (row, totals) in totals.iter_mut().enumerate() {
            // SAFETY: every row holds `steps` times four bytes.
            let left = unsafe { rows.add(row * stride + 4 * step).cast::<i32>().read_unaligned() };
            let left = _mm256_set1_epi32(left);
            totals[0] = _mm256_dpbusd_avx_epi32(totals[0], right[0], left);
            totals[1] = _mm256_dpbusd_avx_epi32(totals[1], right[1], left);
        }
    }
    for (totals, out) in totals.iter().zip(tile.as_chunks_mut::<PANEL>().0) {
        // SAFETY: `out` holds 16 values.
        unsafe {
            _mm256_storeu_ps(out.as_mut_ptr(), _mm256_cvtepi32_ps(totals[0]));
            _mm256_storeu_ps(out.as_mut_ptr().add(8), _mm256_cvtepi32_ps(totals[1]));
        }
    }
}

/// 12 rows by 32 columns of single precision. Brings what is `ahead` into the second cache meanwhile.
#[target_feature(enable = "avx512f")]
pub(super) fn singles_512<const AHEAD: bool>(
    rows: &[f32],
    panels: &[f32],
    dim: usize,
    (tile, ahead): (&mut Tile, &[f32]),
) {
    assert!(rows.len() >= 12 * dim && panels.len() >= 32 * dim);
    let mut totals = [[_mm512_setzero_ps(); 2]; 12];
    let (rows, panels) = (rows.as_ptr(), panels.as_ptr());
    let (mut next, pace) = (ahead.as_ptr(), ahead.len().div_ceil(dim.max(1)));
    for step in 0..dim {
        if AHEAD {
            _mm_prefetch::<_MM_HINT_T1>(next.cast());
            next = next.wrapping_add(pace);
        }
        // SAFETY: both panels hold `dim` runs of 16 values.
        let right =
            unsafe { [_mm512_loadu_ps(panels.add(PANEL * step)), _mm512_loadu_ps(panels.add(PANEL * (dim + step)))] };
        for (row, totals) in totals.iter_mut().enumerate() {
            // SAFETY: every row holds `dim` values.
            let left = _mm512_set1_ps(unsafe { *rows.add(row * dim + step) });
            totals[0] = _mm512_fmadd_ps(left, right[0], totals[0]);
            totals[1] = _mm512_fmadd_ps(left, right[1], totals[1]);
        }
    }
    for (totals, out) in totals.iter().zip(tile.as_chunks_mut::<32>().0) {
        // SAFETY: `out` holds 32 values.
        unsafe {
            _mm512_storeu_ps(out.as_mut_ptr(), totals[0]);
            _mm512_storeu_ps(out.as_mut_ptr().add(16), totals[1]);
        }
    }
}

/// 6 rows by 16 columns of single precision.
#[target_feature(enable = "avx2,fma")]
pub(super) fn singles_256(rows: &[f32], panels: &[f32], dim: usize, tile: &mut Tile) {
    assert!(rows.len() >= 6 * dim && panels.len() >= PANEL * dim);
    let mut totals = [[_mm256_setzero_ps(); 2]; 6];
    let (rows, panels) = (rows.as_ptr(), panels.as_ptr());
    for step in 0..dim {
        // SAFETY: the panel holds `dim` runs of 16 values.
        let right =
            unsafe { [_mm256_loadu_ps(panels.add(PANEL * step)), _mm256_loadu_ps(panels.add(PANEL * step + 8))] };
        for (row, totals) in totals.iter_mut().enumerate() {
            // SAFETY: every row holds `dim` values.
            let left = _mm256_set1_ps(unsafe { *rows.add(row * dim + step) });
            totals[0] = _mm256_fmadd_ps(left, right[0], totals[0]);
            totals[1] = _mm256_fmadd_ps(left, right[1], totals[1]);
        }
    }
    for (totals, out) in totals.iter().zip(tile.as_chunks_mut::<PANEL>().0) {
        // SAFETY: `out` holds 16 values.
        unsafe {
            _mm256_storeu_ps(out.as_mut_ptr(), totals[0]);
            _mm256_storeu_ps(out.as_mut_ptr().add(8), totals[1]);
        }
    }
}
