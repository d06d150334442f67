//! Rows laid out for the tile kernels: as they are for the one side, sixteen side by side for the other.
//!
//! Invariant: both forms hold the same rows, filled up with zeros to whole blocks.
#![allow(unsafe_code)] // calls into instruction kernels, which must exist, and prefetches

use rayon::prelude::*;

use super::{BLOCK, Bfloats, PANEL, Tile, short};
use crate::vectors::cpu::Level;

/// Bytes that the matrix tiles may read past the end of the panels.
const PAST: usize = 1024;

/// Tells whoever packs rows to leave off.
pub(crate) type Stop<'a> = &'a (dyn Fn() -> bool + Sync);

/// Rows ready to be multiplied.
pub(crate) enum Panels {
    /// As bytes.
    Bytes(Bytes),
    /// As bfloat16.
    Bfloats(Bfloats),
    /// As they are.
    Singles(Singles),
}

/// Rows of bytes.
pub(crate) struct Bytes {
    /// Bytes a row, a multiple of 64.
    pub stride: usize,
    /// The rows.
    pub rows: Vec<i8>,
    /// Sum of each row's values.
    pub sums: Vec<i32>,
    /// Of short bytes, what the sums of each run of each row begin with; otherwise none.
    starts: Vec<i32>,
    /// Sixteen rows side by side, four bytes of each in turn, 128 added (of short bytes less); [`PAST`] bytes more at the end.
    panels: Vec<u8>,
    steps: usize,
}

/// Rows of single precision.
pub(crate) struct Singles {
    dim: usize,
    rows: Vec<f32>,
    panels: Vec<f32>,
}

impl Bytes {
    /// Packs rows of `stride` bytes of which `dim` are used, for a level; `rows` and `sums` hold whole blocks. Wrong once `stop` says
    /// yes.
    pub fn new(level: Level, rows: Vec<i8>, sums: Vec<i32>, (stride, dim): (usize, usize), stop: Stop<'_>) -> Self {
        let is_short = level.adds_bytes_in_pairs() && short::fits(&rows);
        Self::packed(is_short, rows, sums, (stride, dim), stop)
    }

    /// Packs other rows, whole panels of them, so that both can be multiplied with each other. Where these rows are short bytes, the
    /// others must be, too: see [`short::scale`].
    pub fn alike(&self, rows: Vec<i8>, sums: Vec<i32>, stop: Stop<'_>) -> Self {
        Self::packed(self.is_short(), rows, sums, (self.stride, 4 * self.steps), stop)
    }

    /// Whether they are short bytes, see [`short`].
    pub fn is_short(&self) -> bool {
        !self.starts.is_empty()
    }

    fn packed(is_short: bool, rows: Vec<i8>, sums: Vec<i32>, (stride, dim): (usize, usize), stop: Stop<'_>) -> Self {
        let starts = if is_short { short::starts(&rows) } else { Vec::new() };
        let (steps, raise) = if is_short { (stride / 4, short::RAISE) } else { (dim.div_ceil(4), 128) };
        let mut panels = vec![0u8; rows.len() / stride * steps * 4 + PAST];
        panels.par_chunks_mut(PANEL * steps * 4).zip(rows.par_chunks(PANEL * stride)).for_each(|(panel, rows)| {
            if stop() {
                return;
            }
            for (lane, row) in rows.chunks_exact(stride).enumerate() {
                for (step, four) in row[..steps * 4].as_chunks::<4>().0.iter().enumerate() {
                    let at = (step * PANEL + lane) * 4;
                    panel[at..at + 4].copy_from_slice(&four.map(|value| value.cast_unsigned().wrapping_add(raise)));
                }
            }
        });
        Self { stride, rows, sums, starts, panels, steps }
    }

    /// Whether this level multiplies them as they are.
    pub(super) fn serves(&self, level: Level) -> bool {
        level.has_byte_products() || self.is_short()
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[i8] {
        &self.rows[row * self.stride..(row + 1) * self.stride]
    }
}

impl Bytes {
    /// Asks for the panels of rows that others are multiplied with soon: from a multiple of 16 on, as many.
    pub fn prefetch(&self, rows: std::ops::Range<usize>) {
        let size = 4 * self.steps;
        let panels = self.panels.get(rows.start * size..rows.end * size).unwrap_or_default();
        #[cfg(target_arch = "x86_64")]
        for line in panels.chunks(64) {
            // SAFETY: a prefetch never faults, and the address is that of a value.
            unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(line.as_ptr().cast()) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = panels;
    }

    /// Two blocks of rows, one after the other, in single precision.
    pub(super) fn widened(&self, first: usize, second: usize) -> Singles {
        let dim = 4 * self.steps;
        let mut rows = Vec::with_capacity(2 * BLOCK * dim);
        for block in [first, second] {
            for row in block * BLOCK..(block + 1) * BLOCK {
                rows.extend(self.row(row)[..dim].iter().map(|&byte| f32::from(byte)));
            }
        }
        Singles::new(rows, dim, &|| false)
    }
}

impl Singles {
    /// Packs whole blocks of rows of `dim` values. Wrong once `stop` says yes.
    pub fn new(rows: Vec<f32>, dim: usize, stop: Stop<'_>) -> Self {
        let panels = Self::side_by_side(&rows, dim, stop);
        Self { dim, rows, panels }
    }

    /// Whole panels of rows of `dim` values, sixteen side by side.
    pub(super) fn side_by_side(rows: &[f32], dim: usize, stop: Stop<'_>) -> Vec<f32> {
        let mut panels = vec![0.0f32; rows.len()];
        panels.par_chunks_mut(PANEL * dim).zip(rows.par_chunks(PANEL * dim)).for_each(|(panel, rows)| {
            if stop() {
                return;
            }
            for (lane, row) in rows.chunks_exact(dim).enumerate() {
                for (step, &value) in row.iter().enumerate() {
                    panel[step * PANEL + lane] = value;
                }
            }
        });
        panels
    }
}

impl Panels {
    /// Number of blocks.
    pub fn blocks(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.sums.len() / BLOCK,
            Self::Bfloats(rows) => rows.blocks(),
            Self::Singles(singles) => singles.rows.len() / singles.dim / BLOCK,
        }
    }

    /// Products of the rows from `row` with the rows from `column`, as many as the level's tile has.
    pub(super) fn multiply(&self, level: Level, row: usize, column: usize, tile: &mut Tile) {
        match self {
            Self::Bytes(bytes) => bytes.multiply(level, row, column, tile),
            Self::Bfloats(rows) => rows.multiply(row, column, tile),
            Self::Singles(singles) => singles.multiply(level, row, column, tile),
        }
    }
}

/// Where a tile of byte products begins.
pub(super) struct ByteTile<'a> {
    /// Rows of signed bytes from the tile's first on.
    pub rows: &'a [i8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Sums of those rows; of short bytes, what each of their runs begins with.
    pub sums: &'a [i32],
    /// Panels from the tile's first column on.
    pub panels: &'a [u8],
    /// Runs of four bytes a row.
    pub steps: usize,
}

impl Bytes {
    fn multiply(&self, level: Level, row: usize, column: usize, tile: &mut Tile) {
        let rows = (&self.rows[row * self.stride..], &self.sums_of_tile()[row * self.sums_a_row()..]);
        self.multiply_rows(level, rows, column, tile);
    }

    /// What [`ByteTile::sums`] wants of all rows.
    pub(super) fn sums_of_tile(&self) -> &[i32] {
        if self.is_short() { &self.starts } else { &self.sums }
    }

    /// How many of them a row has.
    pub(super) fn sums_a_row(&self) -> usize {
        if self.is_short() { self.stride / short::RUN } else { 1 }
    }

    /// Products of rows packed alike, with their share of [`Bytes::sums_of_tile`], with the rows from `column` on.
    pub(super) fn multiply_rows(&self, level: Level, (rows, sums): (&[i8], &[i32]), column: usize, tile: &mut Tile) {
        let panels = &self.panels[column * self.steps * 4..];
        let of = ByteTile { rows, stride: self.stride, sums, panels, steps: self.steps };
        #[cfg(target_arch = "x86_64")]
        match level {
            // SAFETY: levels in use were found on this machine.
            Level::Amx => return unsafe { super::amx::bytes(&of, tile) },
            // SAFETY: as above.
            Level::Avx512Vnni => return unsafe { super::x86::bytes_512(&of, tile) },
            // SAFETY: as above.
            Level::Avx2Vnni => return unsafe { super::x86::bytes_256(&of, tile) },
            // SAFETY: as above.
            Level::Avx512 if self.is_short() => return unsafe { super::x86_short::shorts_512(&of, tile) },
            // SAFETY: as above.
            Level::Avx2 if self.is_short() => return unsafe { super::x86_short::shorts_256(&of, tile) },
            Level::Avx512 | Level::Avx2 | Level::Portable => {}
        }
        let (tall, wide) = tile_sides(level);
        of.plain(tall, wide, tile);
    }

    /// Values of a row in the panels: those that are used, and up to three zeros.
    pub(super) fn width(&self) -> usize {
        4 * self.steps
    }
}

impl ByteTile<'_> {
    fn plain(&self, tall: usize, wide: usize, tile: &mut Tile) {
        for (i, row) in self.rows.chunks_exact(self.stride).take(tall).enumerate() {
            for (p, panel) in self.panels.chunks_exact(PANEL * self.steps * 4).take(wide / PANEL).enumerate() {
                let mut totals = [0i32; PANEL];
                for (four, packed) in row.as_chunks::<4>().0.iter().zip(panel.chunks_exact(4 * PANEL)) {
                    for (total, other) in totals.iter_mut().zip(packed.as_chunks::<4>().0) {
                        let terms = four.iter().zip(other).map(|(&a, &b)| i32::from(a) * (i32::from(b) - 128));
                        *total += terms.sum::<i32>();
                    }
                }
                for (out, total) in tile[i * wide + p * PANEL..].iter_mut().zip(totals) {
                    *out = total as f32;
                }
            }
        }
    }
}

impl Singles {
    fn multiply(&self, level: Level, row: usize, column: usize, tile: &mut Tile) {
        multiply_singles(
            level,
            (&self.rows[row * self.dim..], &self.panels[column * self.dim..]),
            self.dim,
            (tile, &[]),
        );
    }
}

/// Rows and columns of a tile of single precision.
pub(super) fn tile_sides(level: Level) -> (usize, usize) {
    if level.is_wide() { (12, 32) } else { (6, 16) }
}

/// Products of the first rows with the first columns of `panels`, as many as [`tile_sides`] says. May bring near what is `ahead`.
pub(super) fn multiply_singles(
    level: Level,
    (rows, panels): (&[f32], &[f32]),
    dim: usize,
    (tile, ahead): (&mut Tile, &[f32]),
) {
    #[cfg(target_arch = "x86_64")]
    match level {
        Level::Amx | Level::Avx512Vnni | Level::Avx512 => {
            // SAFETY: levels in use were found on this machine.
            return unsafe {
                if ahead.is_empty() {
                    super::x86::singles_512::<false>(rows, panels, dim, (tile, ahead));
                } else {
                    super::x86::singles_512::<true>(rows, panels, dim, (tile, ahead));
                }
            };
        }
        // SAFETY: as above.
        Level::Avx2Vnni | Level::Avx2 => return unsafe { super::x86::singles_256(rows, panels, dim, tile) },
        Level::Portable => {}
    }
    let _ = (level, ahead);
    for (row, tile) in rows.chunks_exact(dim).take(6).zip(tile.chunks_exact_mut(PANEL)) {
        let mut totals = [0.0f32; PANEL];
        for (&value, others) in row.iter().zip(panels.as_chunks::<PANEL>().0) {
            for (total, &other) in totals.iter_mut().zip(others) {
                *total += value * other;
            }
        }
        tile.copy_from_slice(&totals);
    }
}
