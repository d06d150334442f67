//! Vectors as numbers: flat row-major `f32`, rows by [`RowId`], a [`Metric`] in which greater is closer.
//!
//! Knows nothing of texts or models. Invariant of [`Vectors`]: `values.len() == len * dim`, `dim > 0`.

pub(crate) mod amx;
pub mod arrays;
mod blocks;
pub(crate) mod bytes;
mod cpu;
pub(crate) mod dense;
mod error;
mod kernels;
mod krylov;
mod mapped;
pub mod npy;
mod panels;
pub mod peak;
mod peak_bfloat;
pub(crate) mod products;
mod replace;
pub(crate) mod scatter;
mod scatter_tiles;
pub mod storage;
mod stored;
pub(crate) mod tiles;
pub mod tsv;
#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
mod x86_wide;

use std::sync::Arc;

pub use blocks::{RowBlocks, Rows};
pub(crate) use cpu::has_fma;
pub use cpu::{Level, has_bf16_products, kernel_name, level, level_words, unknown_wish};
pub use error::VectorsError;
pub(crate) use kernels::{cosine, prefetch};
pub use kernels::{dot, norm, normalize_rows, score, squared_distance};
pub use replace::{Heard, Part, replace_file, unheard};
pub use stored::Stored;

/// A row of a corpus revision: the position of one chunk in it. The same in every embedding set of that revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct RowId(pub u32);

impl RowId {
    /// The row as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// `len` rows of `dim` values each, shared and immutable.
#[derive(Clone, Debug)]
pub struct Vectors {
    values: Values,
    dim: usize,
}

/// Where values lie.
#[derive(Clone, Debug)]
enum Values {
    Owned(Arc<Vec<f32>>),
    Mapped(Arc<mapped::Mapped>),
}

impl Vectors {
    /// Wraps row-major values, which are not copied.
    pub fn new(values: impl Into<Vec<f32>>, dim: usize) -> Result<Self, VectorsError> {
        let mut values = values.into();
        if dim == 0 {
            return Err(VectorsError::NoDimensions);
        }
        if values.len() % dim != 0 {
            return Err(VectorsError::Ragged { values: values.len(), dim });
        }
        values.shrink_to_fit();
        Ok(Self { values: Values::Owned(Arc::new(values)), dim })
    }

    /// Rows that stay in a file; `None` where the file is too short or its values cannot be read as they lie.
    fn mapped(file: &fs_err::File, start: usize, rows: usize, dim: usize) -> std::io::Result<Option<Self>> {
        let (Some(len), true) = (rows.checked_mul(dim), rows > 0 && dim > 0) else { return Ok(None) };
        let Some(bytes) = len.checked_mul(4) else { return Ok(None) };
        let mapped = mapped::Mapped::new(file, start, bytes)?.filter(|mapped| mapped.numbers::<f32>().is_some());
        Ok(mapped.map(|mapped| Self { values: Values::Mapped(Arc::new(mapped)), dim }))
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.values().len() / self.dim
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values().is_empty()
    }

    /// Values a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// One row.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values()[index * self.dim..(index + 1) * self.dim]
    }

    /// Whether there are several sound rows and all of them are the same; rows with values that are not finite are left aside.
    pub fn are_all_equal(&self) -> bool {
        let mut sound = self.rows().filter(|row| row.iter().all(|value| value.is_finite()));
        let Some(first) = sound.next() else { return false };
        let mut others = sound.peekable();
        others.peek().is_some() && others.all(|row| row == first)
    }

    /// All rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values().chunks_exact(self.dim)
    }

    /// All values, row after row.
    pub fn values(&self) -> &[f32] {
        match &self.values {
            Values::Owned(values) => values,
            Values::Mapped(mapped) => mapped.numbers().unwrap_or_default(), // tested when it was mapped
        }
    }

    /// The rows at `indices`, in that order.
    pub fn select(&self, indices: impl IntoIterator<Item = usize>) -> Self {
        let indices = indices.into_iter();
        let mut values = Vec::with_capacity(indices.size_hint().0 * self.dim);
        for index in indices {
            values.extend_from_slice(self.row(index));
        }
        Self { values: Values::Owned(Arc::new(values)), dim: self.dim }
    }
}

/// How alike two vectors are. Scores are always "greater is closer".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// Cosine of the angle, −1 to 1.
    #[default]
    Cosine,
    /// Dot product.
    Dot,
    /// Negative Euclidean distance, at most 0.
    Euclidean,
}
