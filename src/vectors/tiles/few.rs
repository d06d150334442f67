//! Products of many rows with a few others, which are packed once: coordinates along directions.
//!
//! Keeps neither rows nor products. Invariant: a product's sum runs over the dimensions in their order, whatever rows stand beside it.

use super::pack::{Singles, multiply_singles, tile_sides};
use super::{Aligned, PANEL};
use crate::vectors::cpu::Level;

/// Values of rows that are multiplied with one run of panels after the other: a share of the second cache.
const ROOM: usize = 64 << 10;

/// Rows that others are multiplied with.
pub(crate) struct Few {
    level: Level,
    dim: usize,
    count: usize,
    /// Sixteen rows side by side, filled up with zeros to whole tiles.
    panels: Vec<f32>,
}

impl Few {
    /// Packs rows of `dim` values. The machine must have `level`.
    pub fn new(level: Level, rows: &[f32], dim: usize) -> Self {
        let count = rows.len() / dim;
        let mut filled = rows.to_vec();
        filled.resize(count.next_multiple_of(2 * PANEL) * dim, 0.0);
        Self { level, dim, count, panels: Singles::side_by_side(&filled, dim, &|| false) }
    }

    /// How many rows to ask [`Few::products`] for at a time, at best.
    pub fn rows(&self) -> usize {
        let (tall, _) = tile_sides(self.level);
        (ROOM / self.dim / tall).max(1) * tall
    }

    /// Writes the product of every row of `rows` with each of the few, row after row. Fills `rows` up with zeros to whole tiles
    /// meanwhile, and may bring near what is `ahead`.
    pub fn products(&self, rows: &mut Vec<f32>, ahead: &[f32], out: &mut [f32]) {
        let (tall, wide) = tile_sides(self.level);
        let (dim, count) = (self.dim, rows.len() / self.dim);
        assert!(out.len() == count * self.count);
        rows.resize(count.next_multiple_of(tall) * dim, 0.0);
        let mut room = Aligned([0.0f32; 1024]);
        let calls = count.div_ceil(tall) * self.count.div_ceil(wide);
        let mut ahead = ahead.chunks(ahead.len().div_ceil(calls.max(1)).max(1));
        for column in (0..self.count).step_by(wide) {
            let there = wide.min(self.count - column);
            let panels = &self.panels[column * dim..];
            for (rows, out) in rows.chunks_exact(tall * dim).zip(out.chunks_mut(tall * self.count)) {
                multiply_singles(self.level, (rows, panels), dim, (&mut room.0, ahead.next().unwrap_or_default()));
                for (out, products) in out.chunks_exact_mut(self.count).zip(room.0.chunks_exact(wide)) {
                    out[column..column + there].copy_from_slice(&products[..there]);
                }
            }
        }
        rows.truncate(count * dim);
    }
}
