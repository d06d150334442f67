//! Products with weights: `rows · weightᵀ + bias`, and what follows them.
//!
//! Unsafe because kernels write through raw pointers. Invariant: a row's result is the same, bit by bit, whatever rows lie beside it,
//! however the columns are split, and whether what follows a product is done with it or after it.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod amx;
mod arena;
mod form;
mod job;
#[cfg(target_arch = "x86_64")]
mod narrow;
mod pack;
mod plain;
mod rows;
#[cfg(target_arch = "x86_64")]
mod thirds;
#[cfg(target_arch = "x86_64")]
mod wide;

use std::ops::Range;

use form::{Form, SIDE};
use job::{Job, Target, by_kernel};
use pack::Packed;
pub(super) use rows::Rows;

use super::kernel::Kernel;
use super::math::{Activation, Lanes, Settle, gate, norm_row};
use super::sheet::Sheet;

/// Columns of a panel of packed weights: what products are split by.
pub(super) const PANEL: usize = 32;

/// Bytes of rows and of their results that a band has: with a panel they fit into the second cache of a core.
const BAND: usize = 512 << 10;
/// Rows of a band are a multiple of all tiles' heights.
const BAND_ROWS: usize = 96;

/// Weights packed for a kernel, and their bias.
pub(super) struct Linear {
    kernel: Kernel,
    inputs: usize,
    outputs: usize,
    weight: Packed,
    /// Filled up to whole panels.
    bias: Vec<f32>,
}

impl Linear {
    /// Packs `weight` (outputs × inputs, row-major, finite).
    pub(super) fn pack(kernel: Kernel, weight: &[f32], mut bias: Vec<f32>, inputs: usize) -> Self {
        let outputs = bias.len();
        assert!(inputs > 0 && weight.len() == outputs * inputs);
        bias.resize(outputs.next_multiple_of(PANEL), 0.0);
        Self { kernel, inputs, outputs, weight: Packed::new(kernel, weight, inputs), bias }
    }

    /// Values a row of the result.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Values a row that is multiplied.
    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many panels of columns there are.
    pub(super) fn panels(&self) -> usize {
        self.outputs.div_ceil(PANEL)
    }

    /// Writes the columns of some panels of the result.
    pub(super) fn apply(&self, rows: &Rows, panels: Range<usize>, activation: Activation, out: Sheet<'_>) {
        assert!(panels.end <= self.panels() && out.rows() >= rows.len() && out.stride() >= self.outputs);
        if panels.is_empty() || rows.len() == 0 {
            return;
        }
        let (stride, columns) = (out.stride(), self.outputs);
        for band in bands(rows, 0) {
            let target = Target::Singles { to: out.at(band.start, 0), stride, columns };
            // SAFETY: the sheet has room for the rows.
            unsafe { self.run(rows, band, (panels.clone(), activation), target) };
        }
    }

    /// The result through an activation, as the rows of the next product.
    pub(super) fn apply_rows(&self, rows: &Rows, activation: Activation, next: &mut Rows) {
        next.shape(rows.len(), self.outputs);
        let (all, stride, form) = (0..self.panels(), next.stride(), next.form());
        if form.scaled() {
            for band in bands(rows, self.bias.len() * 4) {
                self.to_scratch(rows, band.clone(), activation, next);
                put_band(next.kernel(), next, (band, self.bias.len()));
            }
            return;
        }
        for band in bands(rows, 0) {
            let to = next.at_mut(band.start);
            let target = match form {
                Form::Bfloats => Target::Bfloats { to: to.cast(), stride: stride / 2 },
                Form::Thirds => Target::Thirds { to: to.cast(), block: stride / 2 * SIDE },
                _ => Target::Singles { to: to.cast(), stride: stride / 4, columns: self.bias.len() },
            };
            // SAFETY: the next rows have room for whole panels.
            unsafe { self.run(rows, band, (all.clone(), activation), target) };
        }
    }

    /// The result in two halves as the rows of the next product: the first through an activation, times the second.
    pub(super) fn apply_gate(&self, rows: &Rows, activation: Activation, next: &mut Rows) {
        next.shape(rows.len(), self.outputs / 2);
        for band in bands(rows, self.bias.len() * 4) {
            self.to_scratch(rows, band.clone(), Activation::None, next);
            gate_band(next.kernel(), next, activation, (band, self.bias.len()));
        }
    }

    /// Adds the result to `residual`, and makes the rows of the next product as `settle` says.
    pub(super) fn apply_norm(&self, rows: &Rows, residual: &mut [f32], settle: &Settle, next: &mut Rows) {
        assert_eq!(residual.len(), rows.len() * self.outputs);
        next.shape(rows.len(), self.outputs);
        for band in bands(rows, self.bias.len() * 4) {
            self.to_scratch(rows, band.clone(), Activation::None, next);
            norm_band(next.kernel(), next, residual, settle, (band, self.bias.len()));
        }
    }

    /// The result of a band, with columns filled up to whole panels, in the scratch of `next`.
    fn to_scratch(&self, rows: &Rows, band: Range<usize>, activation: Activation, next: &mut Rows) {
        let columns = self.bias.len();
        next.scratch.resize(band.len() * columns);
        let target = Target::Singles { to: next.scratch.as_mut_ptr(), stride: columns, columns };
        // SAFETY: the scratch has room for the band.
        unsafe { self.run(rows, band, (0..self.panels(), activation), target) };
    }

    /// # Safety
    /// The target must have room for the band.
    unsafe fn run(
        &self,
        rows: &Rows,
        band: Range<usize>,
        (panels, activation): (Range<usize>, Activation),
        target: Target,
    ) {
        assert!(rows.width() == self.inputs && rows.kernel() == self.kernel);
        let job = Job { rows, band, weight: &self.weight, bias: &self.bias, panels, activation, target };
        // SAFETY: rows and weights have the kernel's form; the target is the caller's promise.
        unsafe { job.run(self.kernel) };
    }
}

/// The rows in bands, with so many bytes of results each.
fn bands(rows: &Rows, results: usize) -> impl Iterator<Item = Range<usize>> + use<> {
    let (len, each) = (rows.len(), rows.stride() + results);
    let tall = (BAND / each / BAND_ROWS * BAND_ROWS).max(BAND_ROWS);
    (0..len).step_by(tall).map(move |start| start..len.min(start + tall))
}

by_kernel!(put_band, put_band_of, next: &mut Rows, band: (Range<usize>, usize));
by_kernel!(norm_band, norm_band_of, next: &mut Rows, residual: &mut [f32], settle: &Settle, band: (Range<usize>, usize));
by_kernel!(gate_band, gate_band_of, next: &mut Rows, activation: Activation, band: (Range<usize>, usize));

/// Makes rows of a band's results.
///
/// # Safety
/// The machine must have the instructions of `L`.
#[inline(always)]
unsafe fn put_band_of<L: Lanes>(next: &mut Rows, (band, stride): (Range<usize>, usize)) {
    let scratch = std::mem::take(&mut next.scratch);
    let width = next.width();
    for (row, values) in band.zip(scratch.chunks_exact(stride)) {
        // SAFETY: the instructions exist.
        unsafe { next.put::<L>(row, &values[..width]) };
    }
    next.scratch = scratch;
}

/// Makes rows of the two halves of a band's results.
///
/// # Safety
/// The machine must have the instructions of `L`.
#[inline(always)]
unsafe fn gate_band_of<L: Lanes>(next: &mut Rows, activation: Activation, (band, stride): (Range<usize>, usize)) {
    let mut scratch = std::mem::take(&mut next.scratch);
    let width = next.width();
    for (row, values) in band.zip(scratch.chunks_exact_mut(stride)) {
        let (gated, gates) = values[..2 * width].split_at_mut(width);
        // SAFETY: the instructions exist.
        unsafe {
            gate::<L>(activation, gated, gates);
            next.put::<L>(row, gated);
        }
    }
    next.scratch = scratch;
}

/// Adds a band's results to the residual, and makes rows of it as `settle` says.
///
/// # Safety
/// The machine must have the instructions of `L`.
#[inline(always)]
unsafe fn norm_band_of<L: Lanes>(
    next: &mut Rows,
    residual: &mut [f32],
    settle: &Settle,
    (band, stride): (Range<usize>, usize),
) {
    let mut scratch = std::mem::take(&mut next.scratch);
    let width = next.width();
    for (row, values) in band.zip(scratch.chunks_exact_mut(stride)) {
        let residual = &mut residual[row * width..(row + 1) * width];
        let values = &mut values[..width];
        for (sum, &value) in residual.iter_mut().zip(&*values) {
            *sum += value;
        }
        // SAFETY: the instructions exist.
        unsafe {
            match settle {
                Settle::Normed(norm) => norm_row::<L>(norm, residual),
                Settle::Beside(norm) => {
                    values.copy_from_slice(residual);
                    norm_row::<L>(norm, values);
                }
                Settle::Stay => {}
            }
            next.put::<L>(row, if matches!(settle, Settle::Beside(_)) { values } else { residual });
        }
    }
    next.scratch = scratch;
}

#[cfg(test)]
mod tests;
