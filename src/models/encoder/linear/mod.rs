//! Products with weights: `rows · weightᵀ + bias`, and what follows them.

use std::ops::Range;

use super::kernel::Kernel;
use super::math::{Activation, Norm};
use super::sheet::Sheet;

/// Columns of a panel of packed weights: what products are split by.
pub(super) const PANEL: usize = 32;

/// Weights packed for a kernel, and their bias.
pub(super) struct Linear {
    kernel: Kernel,
    inputs: usize,
    outputs: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// Rows in the form that a kernel multiplies.
pub(super) struct Rows {
    kernel: Kernel,
    width: usize,
    values: Vec<f32>,
}

impl Rows {
    /// No rows yet; memory is kept from one filling to the next.
    pub(super) fn new(kernel: Kernel) -> Self {
        Self { kernel, width: 1, values: Vec::new() }
    }

    /// Takes rows of `width` values.
    pub(super) fn fill(&mut self, values: &[f32], width: usize) {
        self.width = width;
        self.values.clear();
        self.values.extend_from_slice(values);
    }

    /// How many rows.
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.width
    }
}

impl Linear {
    /// Packs `weight` (outputs × inputs, row-major, finite).
    pub(super) fn pack(kernel: Kernel, weight: &[f32], bias: Vec<f32>, inputs: usize) -> Self {
        let outputs = weight.len() / inputs;
        assert!(inputs > 0 && outputs == bias.len() && weight.len() == outputs * inputs);
        Self { kernel, inputs, outputs, weight: weight.to_vec(), bias }
    }

    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// How many panels of columns there are.
    pub(super) fn panels(&self) -> usize {
        self.outputs.div_ceil(PANEL)
    }

    /// Writes the columns of some panels of the result.
    pub(super) fn apply(&self, rows: &Rows, panels: Range<usize>, activation: Activation, out: Sheet<'_>) {
        todo!("{:?} {:?}", (rows.kernel, panels, activation, out), (self.kernel, &self.weight, self.inputs))
    }

    /// The result through an activation, as the rows of the next product.
    pub(super) fn apply_rows(&self, rows: &Rows, activation: Activation, next: &mut Rows) {
        todo!("{:?}", (rows.len(), activation, next.len()))
    }

    /// Adds the result to `residual`, norms its rows, and makes them the rows of the next product too.
    pub(super) fn apply_norm(&self, rows: &Rows, residual: &mut [f32], norm: &Norm, next: &mut Rows) {
        todo!("{:?}", (rows.len(), residual, norm, next.len()))
    }
}
