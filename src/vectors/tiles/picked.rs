//! Rows picked from anywhere, compared with runs of neighbouring rows.
//!
//! Copies the rows it is given, so it is worth it only for many columns. Invariant: what is found is what comparing whole blocks would
//! have found of these pairs.

#![allow(unsafe_code)] // the processor's matrix tiles are set up for each comparison

use super::pack::{Bytes, Singles, multiply_singles, tile_sides};
use super::sift::{Found, Side, sift};
use super::{Aligned, Bounds, byte_sides};
use crate::vectors::cpu::Level;

/// A few rows of bytes, with their bounds and floors.
pub(crate) struct Picked {
    level: Level,
    rows: Vec<i8>,
    sums: Vec<i32>,
    bounds: Bounds,
    floors: Vec<f32>,
    /// In single precision, where there are no products of bytes.
    singles: Vec<f32>,
}

impl Picked {
    /// Rows picked at a time, at best: a multiple of every tile's sides.
    pub const MOST: usize = 96;

    /// None yet. The machine must have `level`.
    pub fn new(level: Level) -> Self {
        Self {
            level,
            rows: Vec::new(),
            sums: Vec::new(),
            bounds: Bounds::default(),
            floors: Vec::new(),
            singles: Vec::new(),
        }
    }

    /// Takes these rows instead of those before, each with its floor.
    pub fn pick(&mut self, bytes: &Bytes, bounds: &Bounds, rows: impl ExactSizeIterator<Item = (usize, f32)>) {
        let (stride, sums) = (bytes.stride, bytes.sums_a_row());
        self.rows.clear();
        self.sums.clear();
        self.floors.clear();
        let Bounds { scale, offset, spread, reach } = &mut self.bounds;
        let mut lists =
            [(scale, &bounds.scale), (offset, &bounds.offset), (spread, &bounds.spread), (reach, &bounds.reach)];
        for (list, _) in &mut lists {
            list.clear();
        }
        for (row, floor) in rows {
            self.rows.extend_from_slice(bytes.row(row));
            self.sums.extend_from_slice(&bytes.sums_of_tile()[row * sums..(row + 1) * sums]);
            self.floors.push(floor);
            for (list, from) in &mut lists {
                list.push(from[row]);
            }
        }
        let whole = self.floors.len().next_multiple_of(byte_sides(self.level).0);
        self.rows.resize(whole * stride, 0);
        self.sums.resize(whole * sums, 0);
        self.floors.resize(whole, f32::INFINITY);
        for ((list, _), filler) in lists.into_iter().zip([0.0, f32::NEG_INFINITY, 0.0, 0.0]) {
            list.resize(whole, filler);
        }
    }

    /// Compares them with the first rows of `columns`, as many as it has floors, a multiple of 32. `others` may be other rows than
    /// those they were picked from, packed alike. Adds what reaches a floor to `found`.
    pub fn compare(&mut self, others: &Bytes, columns: Side<'_>, found: &mut Found) {
        let rows = Side { bounds: &self.bounds, first: 0, floors: &self.floors };
        let mut room = Aligned([0.0f32; 1024]);
        let tile = &mut room.0;
        let (count, wide_count) = (self.floors.len(), columns.floors.len());
        if !others.serves(self.level) {
            let (dim, (tall, wide)) = (others.width(), tile_sides(self.level));
            let widen = |rows: &mut Vec<f32>, bytes: &[i8]| {
                rows.clear();
                for row in bytes.chunks_exact(others.stride) {
                    rows.extend(row[..dim].iter().map(|&byte| f32::from(byte)));
                }
            };
            let from = columns.first * others.stride;
            let mut panels = Vec::new();
            widen(&mut panels, &others.rows[from..from + wide_count * others.stride]);
            let panels = Singles::side_by_side(&panels, dim, &|| false);
            widen(&mut self.singles, &self.rows);
            for column in (0..wide_count).step_by(wide) {
                for row in (0..count).step_by(tall) {
                    let of = (&self.singles[row * dim..], &panels[column * dim..]);
                    multiply_singles(self.level, of, dim, (tile, &[]));
                    sift(self.level, &tile[..tall * wide], (rows, columns), (row, column), found);
                }
            }
            return;
        }
        let (stride, sums, (tall, wide)) = (others.stride, others.sums_a_row(), byte_sides(self.level));
        #[cfg(target_arch = "x86_64")]
        // SAFETY: levels in use were found on this machine; nothing below sets tiles up.
        let _tiles = (self.level == Level::Amx).then(|| unsafe { crate::vectors::amx::Tiles::new() });
        for row in (0..count).step_by(tall) {
            for column in (0..wide_count).step_by(wide) {
                let of = (&self.rows[row * stride..], &self.sums[row * sums..]);
                others.multiply_rows(self.level, of, columns.first + column, tile);
                sift(self.level, &tile[..tall * wide], (rows, columns), (row, column), found);
            }
        }
    }
}
