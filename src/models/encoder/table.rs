//! The table of the vocabulary's vectors, kept in the precision of its file.
//!
//! Exists because it is the largest tensor of small models and only a few rows are read at a time. Invariant: all values are finite.

use half::{bf16, f16, slice::HalfFloatSliceExt};

use crate::models::{ModelError, weights::Weights};

/// Rows of equal width.
pub(super) enum Table {
    F32(Vec<f32>, usize),
    F16(Vec<f16>, usize),
    Bf16(Vec<bf16>, usize),
}

impl Table {
    /// Reads tensor `name`, rows x width.
    pub(super) fn new(weights: &Weights<'_>, name: &str, [rows, width]: [usize; 2]) -> Result<Self, ModelError> {
        let shape = [rows, width];
        Ok(match weights.halves(name, &shape)? {
            Some(Halves::F16(values)) => Self::F16(values, width),
            Some(Halves::Bf16(values)) => Self::Bf16(values, width),
            None => Self::F32(weights.f32(name, &shape)?, width),
        })
    }

    /// Writes row `at` to `out`.
    pub(super) fn copy(&self, at: usize, out: &mut [f32]) {
        match self {
            Self::F32(values, width) => out.copy_from_slice(&values[at * width..][..*width]),
            Self::F16(values, width) => values[at * width..][..*width].convert_to_f32_slice(out),
            Self::Bf16(values, width) => values[at * width..][..*width].convert_to_f32_slice(out),
        }
    }
}

pub(super) use crate::models::weights::Halves;
