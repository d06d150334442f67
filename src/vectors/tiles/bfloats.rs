//! Rows of bfloat16 for the matrix tiles: less is lost than in bytes where a row's values differ much in size, as those of principal
//! components do.
//!
//! Multiplied by AMX alone; other levels get them in single precision. Invariant: rows are filled up with zeros to whole tiles and
//! whole blocks.
#![allow(unsafe_code)] // calls into instruction kernels, which must exist

use half::bf16;
use rayon::prelude::*;

use super::pack::Stop;
use super::{BLOCK, PANEL, Singles, Tile};

/// Values of a row that a tile holds.
const WIDE: usize = 32;

/// Rows of bfloat16.
pub(crate) struct Bfloats {
    /// Values a row.
    stride: usize,
    rows: Vec<u16>,
    /// Sixteen rows side by side, two values of each in turn.
    panels: Vec<u16>,
}

impl Bfloats {
    /// Values that a row of `dim` takes.
    pub fn stride(dim: usize) -> usize {
        dim.next_multiple_of(WIDE)
    }

    /// Packs whole blocks of rows of `stride` bit patterns, a multiple of 32; what is not used must be 0. Wrong once
    /// `stop` says yes.
    pub fn new(rows: Vec<u16>, stride: usize, stop: Stop<'_>) -> Self {
        let mut panels = vec![0u16; rows.len()];
        panels.par_chunks_mut(PANEL * stride).zip(rows.par_chunks(PANEL * stride)).for_each(|(panel, rows)| {
            if stop() {
                return;
            }
            for (lane, row) in rows.chunks_exact(stride).enumerate() {
                for (step, &two) in row.as_chunks::<2>().0.iter().enumerate() {
                    let at = (step * PANEL + lane) * 2;
                    panel[at..at + 2].copy_from_slice(&two);
                }
            }
        });
        Self { stride, rows, panels }
    }

    /// Number of blocks.
    pub(super) fn blocks(&self) -> usize {
        self.rows.len() / self.stride / BLOCK
    }

    /// Two blocks of rows, one after the other, in single precision.
    pub(super) fn widened(&self, first: usize, second: usize) -> Singles {
        let size = BLOCK * self.stride;
        let block = |number: usize| self.rows[number * size..(number + 1) * size].iter();
        Singles::new(
            block(first).chain(block(second)).map(|&bits| bf16::from_bits(bits).to_f32()).collect(),
            self.stride,
            &|| false,
        )
    }

    /// Products of 32 rows from `row` with 32 from `column`, by AMX.
    pub(super) fn multiply(&self, row: usize, column: usize, tile: &mut Tile) {
        let (rows, panels) = (&self.rows[row * self.stride..], &self.panels[column * self.stride..]);
        #[cfg(target_arch = "x86_64")]
        // SAFETY: [`super::compare`] comes here only where the level is AMX, with the tiles set up.
        unsafe {
            super::amx::bfloats(rows, panels, self.stride, tile);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (rows, panels, tile);
    }
}
