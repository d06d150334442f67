//! Weights laid out as the kernels read them.
//!
//! Unsafe because bytes are written where other numbers lie. Invariant: columns that fill up the last panel, and factors that fill up
//! a row, are zeros.
#![allow(unsafe_code)]

use super::arena::Part;
use super::form::Form;
use super::{Kernel, PANEL};
use crate::models::encoder::math::bfloat;

/// Panels of 32 columns: step after step, four bytes of each column; a panel's halves lie one after the other for levels whose tiles
/// are 16 columns wide.
pub(super) struct Packed {
    memory: Part,
    /// Steps of four bytes.
    pub(super) steps: usize,
    /// What the sums of each column begin with, as integers.
    pub(super) start: Vec<i32>,
    /// What a column's integers are multiplied by.
    pub(super) scales: Vec<f32>,
    /// The sum of each column's weights, where factors are integers.
    pub(super) sums: Vec<f32>,
}

/// Greatest size of a byte.
pub(super) const MOST: f32 = 127.0;
/// A float whose last digit is the unit.
pub(super) const ROUND: f32 = 12_582_912.0;
/// Rows whose greatest value is smaller count as zeros: the quotient below would be infinite.
const LEAST: f32 = 1e-30;

/// What multiplies values between -`peak` and `peak` to make integers of them, and those integers to make values again.
#[inline(always)]
pub(super) fn scales(peak: f32) -> (f32, f32) {
    if peak < LEAST { (0.0, 0.0) } else { (MOST / peak, peak / MOST) }
}

impl Packed {
    pub(super) fn new(kernel: Kernel, weight: &[f32], inputs: usize) -> Self {
        let form = Form::of(kernel);
        let width = if kernel.level.is_wide() { PANEL } else { PANEL / 2 };
        let outputs = weight.len() / inputs;
        let (filled, depth) = (outputs.next_multiple_of(PANEL), 4 / form.weight());
        let steps = form.filled(inputs) / depth;
        // The sums of 255 · 127 must not leave 32 bits.
        assert!(!form.scaled() || inputs <= 66_000);
        let mut packed = Self {
            memory: Part::new(filled * steps * 4),
            steps,
            start: vec![0; filled],
            scales: vec![0.0; filled],
            sums: vec![0.0; filled],
        };
        let to = packed.memory.bytes_mut();
        for (column, row) in weight.chunks_exact(inputs).enumerate() {
            let peak = row.iter().fold(0.0f32, |most, value| most.max(value.abs()));
            let (factor, scale) = scales(peak);
            packed.scales[column] = scale;
            let mut sum = 0;
            for (input, &value) in row.iter().enumerate() {
                let step = column / width * steps + input / depth;
                let at = (step * width + column % width) * 4 + input % depth * form.weight();
                // Adding and taking away so much rounds to a whole number, to the even one of two as near.
                let whole = if form.scaled() { ((value * factor + ROUND) - ROUND) as i32 } else { 0 };
                sum += whole;
                // SAFETY: `at` lies below `filled · steps · 4`: the column below `filled`, the input below `steps · depth`.
                unsafe {
                    match form {
                        Form::Singles | Form::Thirds => to.add(at).cast::<f32>().write(value),
                        Form::Bfloats => to.add(at).cast::<u16>().write(bfloat(value)),
                        Form::Wholes => to.add(at).cast::<f32>().write(whole as f32),
                        Form::Words => to.add(at).cast::<i16>().write(whole as i16),
                        Form::Bytes | Form::Raised => to.add(at).cast::<i8>().write(whole as i8),
                    }
                }
            }
            // Of the weights as rounded, not as they were: most values lie near zero, far from the middle, and it is the roundings of
            // their large distances that must cancel.
            packed.sums[column] = sum as f32 * scale;
            if form == Form::Raised {
                packed.start[column] = -128 * sum;
            }
        }
        packed
    }

    /// The first byte of a panel.
    pub(super) fn panel(&self, panel: usize) -> *const u8 {
        self.memory.at(panel * self.steps * PANEL * 4)
    }
}
