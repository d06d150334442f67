//! Sifting by AVX-512: what reaches a floor is known as a mask, and only its bits are looked at.
//!
//! Unsafe because of unaligned vector loads and because the instructions must exist. Invariant: the bounds are those of the plain
//! loops with products and sums rounded once.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::sift::{Blocks, Found, Near, lanes};
use super::{BLOCK, PANEL};

/// Columns of a tile.
const WIDE: usize = 32;

/// Sifts a tile of 32 columns whose first pair is `at` within the blocks.
#[target_feature(enable = "avx512f,avx512bw,fma")]
pub(super) fn sift(tile: &[f32], (bounds, pair): Blocks<'_>, at: (usize, usize), found: &mut Found) {
    for start in [0, PANEL] {
        let first = at.1 + start;
        let column = pair.columns * BLOCK + first;
        let scale = load(lanes(&bounds.scale, column));
        let offset = load(lanes(&bounds.offset, column));
        let spread = load(lanes(&bounds.spread, column));
        let reach = load(lanes(&bounds.reach, column));
        let floors = load(lanes(pair.column_floors, first));
        for (i, products) in tile.as_chunks::<WIDE>().0.iter().enumerate() {
            let row = pair.rows * BLOCK + at.0 + i;
            let product = _mm512_mul_ps(scale, load(lanes(products, start)));
            let value = _mm512_fmadd_ps(
                _mm512_set1_ps(bounds.scale[row]),
                product,
                _mm512_add_ps(_mm512_set1_ps(bounds.offset[row]), offset),
            );
            let most = _mm512_fmadd_ps(_mm512_set1_ps(bounds.spread[row]), reach, value);
            let upper = _mm512_fmadd_ps(_mm512_set1_ps(bounds.reach[row]), spread, most);
            let for_row = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(upper, _mm512_set1_ps(pair.row_floors[at.0 + i]));
            let for_columns = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(upper, floors);
            if for_row | for_columns != 0 {
                let mut values = [0.0f32; PANEL];
                // SAFETY: the array holds 16 values.
                unsafe { _mm512_storeu_ps(values.as_mut_ptr(), upper) };
                let place = (at.0 + i, first);
                record(&values, for_row, place, &mut found.for_rows);
                record(&values, for_columns, place, &mut found.for_columns);
            }
        }
    }
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
