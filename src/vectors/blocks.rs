//! Rows that come in blocks: from memory, from a memory map, from a file that is larger than memory.
//!
//! Only says how blocks are asked for; what is made of them is elsewhere. Invariant: the same rows asked for twice are the same.

use std::ops::Range;

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
