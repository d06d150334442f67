//! Rows that come in blocks: from memory, from a memory map, decoded from a file that is larger than memory.
//!
//! Only says how blocks are asked for; what is made of them is elsewhere. Invariant: the same rows asked for twice are the same.

use std::ops::Range;
use std::sync::Arc;

use super::stored::Stored;
use super::{Vectors, VectorsError};

/// A set of vectors that can be read block by block, in any order and by several threads at a time.
pub trait RowBlocks: Sync {
    /// Number of rows.
    fn row_count(&self) -> usize;

    /// Values a row, at least 1.
    fn row_length(&self) -> usize;

    /// The rows `rows`, row after row. `room` is free to be filled by those that have nothing to lend.
    ///
    /// Errors: the rows cannot be read.
    fn block<'a>(&'a self, rows: Range<usize>, room: &'a mut Vec<f32>) -> Result<&'a [f32], VectorsError>;

    /// The same rows where they lie, if they lie in memory or are mapped into it.
    fn lent(&self, rows: Range<usize>) -> Option<&[f32]> {
        let _ = rows;
        None
    }
}

impl RowBlocks for Vectors {
    fn row_count(&self) -> usize {
        self.len()
    }

    fn row_length(&self) -> usize {
        self.dim()
    }

    fn block<'a>(&'a self, rows: Range<usize>, _room: &'a mut Vec<f32>) -> Result<&'a [f32], VectorsError> {
        let dim = self.dim();
        Ok(&self.values()[rows.start * dim..rows.end * dim])
    }

    fn lent(&self, rows: Range<usize>) -> Option<&[f32]> {
        let dim = self.dim();
        self.values().get(rows.start * dim..rows.end * dim)
    }
}

/// The rows of a file.
#[derive(Clone, Debug)]
pub enum Rows {
    /// In single precision, in memory or mapped into it.
    Single(Vectors),
    /// In other numbers: they stay in the file and are decoded when asked for.
    Stored(Arc<Stored>),
}

impl Rows {
    /// All rows in single precision, which takes memory where they were kept in other numbers.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn decoded(&self) -> Result<Vectors, VectorsError> {
        match self {
            Self::Single(vectors) => Ok(vectors.clone()),
            Self::Stored(stored) => stored.decoded(),
        }
    }

    fn blocks(&self) -> &dyn RowBlocks {
        match self {
            Self::Single(vectors) => vectors,
            Self::Stored(stored) => &**stored,
        }
    }
}

impl RowBlocks for Rows {
    fn row_count(&self) -> usize {
        self.blocks().row_count()
    }

    fn row_length(&self) -> usize {
        self.blocks().row_length()
    }

    fn block<'a>(&'a self, rows: Range<usize>, room: &'a mut Vec<f32>) -> Result<&'a [f32], VectorsError> {
        self.blocks().block(rows, room)
    }

    fn lent(&self, rows: Range<usize>) -> Option<&[f32]> {
        self.blocks().lent(rows)
    }
}
