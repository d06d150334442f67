//! From a tile of products to the few pairs that matter.
//!
//! Plain loops, compiled for AVX2 and for any processor; AVX-512 has its own. The calls are unsafe because the instructions must
//! exist.
//! Invariant: a pair whose bound reaches a floor is found, whatever the level's rounding (the slack in the offsets covers it).
#![allow(unsafe_code)]

use super::{Bounds, PANEL};
use crate::vectors::cpu::Level;

/// A pair within two blocks or sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Near {
    /// Row within its block or side.
    pub row: u16,
    /// Column within its block or side.
    pub column: u16,
    /// Upper bound of the score.
    pub bound: f32,
}

/// What was found in two blocks or sides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// Pairs that reach the row's floor.
    pub for_rows: Vec<Near>,
    /// Pairs that reach the column's floor.
    pub for_columns: Vec<Near>,
}

/// Rows on one side of tiles.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    /// Bounds of them and of others.
    pub bounds: &'a Bounds,
    /// Where theirs begin.
    pub first: usize,
    /// The floor of each of them.
    pub floors: &'a [f32],
}

/// Rows and columns of tiles.
pub(super) type Sides<'a> = (Side<'a>, Side<'a>);

/// Sifts one tile whose first pair is `at` within its sides.
#[inline]
pub(super) fn sift(level: Level, tile: &[f32], sides: Sides<'_>, at: (usize, usize), found: &mut Found) {
    #[cfg(target_arch = "x86_64")]
    match level {
        Level::Amx | Level::Avx512Vnni | Level::Avx512 => {
            // SAFETY: levels in use were found on this machine.
            return unsafe { super::sift_wide::sift(tile, sides, at, found) };
        }
        // SAFETY: as above.
        Level::Avx2Vnni | Level::Avx2 => return unsafe { narrow(tile, sides, at, found) },
        Level::Portable => {}
    }
    let _ = level;
    plain::<false>(tile, sides, at, found);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn narrow(tile: &[f32], sides: Sides<'_>, at: (usize, usize), found: &mut Found) {
    plain::<true>(tile, sides, at, found);
}

/// A panel's share of a list of numbers.
#[inline(always)]
pub(super) fn lanes(values: &[f32], at: usize) -> &[f32; PANEL] {
    values[at..].first_chunk().unwrap_or(&[0.0; PANEL])
}

/// Tiles of sixteen columns.
#[inline(always)]
fn plain<const FUSED: bool>(tile: &[f32], (rows, columns): Sides<'_>, at: (usize, usize), found: &mut Found) {
    let column = columns.first + at.1;
    let scale = lanes(&columns.bounds.scale, column);
    let offset = lanes(&columns.bounds.offset, column);
    let spread = lanes(&columns.bounds.spread, column);
    let reach = lanes(&columns.bounds.reach, column);
    let floors = lanes(columns.floors, at.1);
    let bounds = rows.bounds;
    for (i, products) in tile.as_chunks::<PANEL>().0.iter().enumerate() {
        let row = rows.first + at.0 + i;
        let own = (bounds.scale[row], bounds.offset[row], bounds.spread[row], bounds.reach[row]);
        let floor = rows.floors[at.0 + i];
        let mut upper = [0.0f32; PANEL];
        let mut any = false;
        for lane in 0..PANEL {
            let value = fused::<FUSED>(own.0, scale[lane] * products[lane], own.1 + offset[lane]);
            let most = fused::<FUSED>(own.2, reach[lane], value);
            upper[lane] = fused::<FUSED>(own.3, spread[lane], most);
            any |= (upper[lane] >= floor) | (upper[lane] >= floors[lane]);
        }
        if any {
            record(&upper, floor, floors, (at.0 + i, at.1), found);
        }
    }
}

/// `a * b + c`, rounded once where the processor has an instruction for that.
#[inline(always)]
fn fused<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

#[inline(never)]
fn record(upper: &[f32; PANEL], floor: f32, floors: &[f32; PANEL], at: (usize, usize), found: &mut Found) {
    for (lane, (&bound, &column_floor)) in upper.iter().zip(floors).enumerate() {
        let near = Near { row: at.0 as u16, column: (at.1 + lane) as u16, bound };
        if bound >= floor {
            found.for_rows.push(near);
        }
        if bound >= column_floor {
            found.for_columns.push(near);
        }
    }
}
