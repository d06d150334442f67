//! Rows seen from their mean, block by block, and their coordinates along directions.
//!
//! Invariant: blocks depend on the number of rows only.

use std::ops::Range;

use rayon::prelude::*;

use crate::progress::{Cancelled, Progress};
use crate::projection::ProjectionError;
use crate::vectors::products::products_into;
use crate::vectors::tiles::Few;
use crate::vectors::{Level, RowBlocks, VectorsError, level};

/// Rows of one block of products.
pub(super) const ROWS: usize = 512;
/// Dimensions up to which rows are multiplied by our own kernels; those of more fit into no cache.
const NEAR: usize = 8192;

/// Rows seen from their mean; values that are not finite count as the mean.
#[derive(Clone, Copy)]
pub(in crate::projection) struct Seen<'a> {
    /// The rows.
    pub rows: &'a dyn RowBlocks,
    /// What is taken off every row.
    pub mean: &'a [f32],
}

impl Seen<'_> {
    /// Number of rows, and values a row.
    pub fn sides(&self) -> (usize, usize) {
        (self.rows.row_count(), self.mean.len())
    }

    /// Writes the rows `rows` over `out`. `room` is for rows that do not lie in memory.
    pub fn copy(&self, rows: Range<usize>, room: &mut Vec<f32>, out: &mut Vec<f32>) -> Result<(), VectorsError> {
        let block = self.rows.block(rows, room)?;
        out.resize(block.len(), 0.0);
        let dim = self.mean.len();
        for (out, row) in out.chunks_exact_mut(dim).zip(block.chunks_exact(dim)) {
            for ((out, &value), &mean) in out.iter_mut().zip(row).zip(self.mean) {
                let seen = value - mean;
                *out = if seen.is_finite() { seen } else { 0.0 };
            }
        }
        Ok(())
    }

    /// Coordinates of all rows along `k` directions (row-major `k` x `dim`).
    pub fn project(&self, directions: &[f32], k: usize, progress: &Progress) -> Result<Vec<f32>, ProjectionError> {
        let (count, dim) = self.sides();
        let few = (level() != Level::Portable && dim <= NEAR).then(|| Few::new(level(), directions, dim));
        let mut out = vec![0.0f32; count * k];
        out.par_chunks_mut(ROWS * k).enumerate().try_for_each_init(
            Default::default,
            |(room, block), (number, out)| {
                progress.check().map_err(|Cancelled| ProjectionError::Cancelled)?;
                let mut first = number * ROWS;
                for out in out.chunks_mut(few.as_ref().map_or(ROWS, Few::rows) * k) {
                    let rows = first..first + out.len() / k;
                    first = rows.end;
                    let ahead = self.rows.lent(first..count.min(first + rows.len())).unwrap_or_default();
                    self.copy(rows, room, block)?;
                    match &few {
                        Some(few) => few.products(block, ahead, out),
                        None => products_into(block, directions, dim, out),
                    }
                }
                progress.advance((out.len() / k) as u64);
                Ok::<(), ProjectionError>(())
            },
        )?;
        Ok(out)
    }

    /// The sum of all squares.
    pub fn total_square(&self) -> Result<f64, VectorsError> {
        let count = self.rows.row_count();
        let blocks: Vec<f64> = (0..count.div_ceil(ROWS))
            .into_par_iter()
            .map_init(Default::default, |(room, block), number| {
                self.copy(number * ROWS..count.min((number + 1) * ROWS), room, block)?;
                Ok(block.iter().map(|&value| f64::from(value) * f64::from(value)).sum())
            })
            .collect::<Result<_, VectorsError>>()?;
        Ok(blocks.iter().sum())
    }
}

/// Transposes a row-major matrix into `out`.
pub(super) fn flip(values: &[f32], rows: usize, columns: usize, out: &mut Vec<f32>) {
    out.clear();
    out.extend((0..rows * columns).map(|at| values[(at % rows) * columns + at / rows]));
}
