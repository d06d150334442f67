//! Sifting by AVX-512: what reaches a floor is known as a mask, and only its bits are looked at.
//!
//! Unsafe because of unaligned vector loads and because the instructions must exist. Invariant: the bounds are those of the plain
//! loops with products and sums rounded once.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::PANEL;
use super::sift::{Found, Near, Sides, lanes};

/// Columns of a tile.
const WIDE: usize = 32;

/// The bounds of sixteen columns.
struct Columns {
    scale: __m512,
    offset: __m512,
    spread: __m512,
    reach: __m512,
    floors: __m512,
}

/// Sifts a tile of 32 columns whose first pair is `at` within its sides.
#[target_feature(enable = "avx512f,avx512bw,fma")]
pub(super) fn sift(tile: &[f32], (rows, columns): Sides<'_>, at: (usize, usize), found: &mut Found) {
    let columns: [Columns; WIDE / PANEL] = std::array::from_fn(|panel| {
        let first = at.1 + panel * PANEL;
        let (bounds, column) = (columns.bounds, columns.first + first);
        Columns {
            scale: load(lanes(&bounds.scale, column)),
            offset: load(lanes(&bounds.offset, column)),
            spread: load(lanes(&bounds.spread, column)),
            reach: load(lanes(&bounds.reach, column)),
            floors: load(lanes(columns.floors, first)),
        }
    });
    let (tile, first, bounds) = (tile.as_chunks::<WIDE>().0, rows.first + at.0, rows.bounds);
    let own = first..first + tile.len();
    let offsets = bounds.scale[own.clone()].iter().zip(&bounds.offset[own.clone()]);
    let spreads = bounds.spread[own.clone()].iter().zip(&bounds.reach[own]);
    let floors = &rows.floors[at.0..at.0 + tile.len()];
    for (i, (((products, floor), (scale, offset)), (spread, reach))) in
        tile.iter().zip(floors).zip(offsets).zip(spreads).enumerate()
    {
        let [scale, offset, spread, reach, floor] = [scale, offset, spread, reach, floor].map(|&v| _mm512_set1_ps(v));
        for (panel, others) in columns.iter().enumerate() {
            let product = _mm512_mul_ps(others.scale, load(lanes(products, panel * PANEL)));
            let value = _mm512_fmadd_ps(scale, product, _mm512_add_ps(offset, others.offset));
            let most = _mm512_fmadd_ps(spread, others.reach, value);
            let upper = _mm512_fmadd_ps(reach, others.spread, most);
            let for_row = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(upper, floor);
            let for_columns = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(upper, others.floors);
            if for_row | for_columns != 0 {
                write_down(upper, (for_row, for_columns), (at.0 + i, at.1 + panel * PANEL), found);
            }
        }
    }
}

/// Writes down the pairs that reach a floor.
#[inline(never)]
#[target_feature(enable = "avx512f")]
fn write_down(upper: __m512, (for_row, for_columns): (u16, u16), place: (usize, usize), found: &mut Found) {
    let mut values = [0.0f32; PANEL];
    // SAFETY: the array holds 16 values.
    unsafe { _mm512_storeu_ps(values.as_mut_ptr(), upper) };
    record(&values, for_row, place, &mut found.for_rows);
    record(&values, for_columns, place, &mut found.for_columns);
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(values: &[f32; PANEL]) -> __m512 {
    // SAFETY: the array holds 16 values.
    unsafe { _mm512_loadu_ps(values.as_ptr()) }
}

/// Writes down the pairs of a mask.
#[inline]
fn record(upper: &[f32; PANEL], mut mask: u16, (row, column): (usize, usize), found: &mut Vec<Near>) {
    while mask != 0 {
        let lane = mask.trailing_zeros() as usize;
        found.push(Near { row: row as u16, column: (column + lane) as u16, bound: upper[lane % PANEL] });
        mask &= mask - 1;
    }
}
