//! Vectors as numbers: flat row-major `f32`, rows by [`RowId`], a [`Metric`] in which greater is closer.
//!
//! Knows nothing of texts or models. Invariant of [`Vectors`]: `values.len() == len * dim`, `dim > 0`.

pub(crate) mod scatter;
