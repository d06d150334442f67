//! What can be wrong with vectors given from outside.

/// What could be wrong with vectors given from outside. Messages name the file and the numbers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VectorsError {
    /// A dimension of zero makes no rows.
    #[error("vectors need at least one dimension")]
    NoDimensions,
    /// The values do not fill whole rows.
    #[error("{values} values are not a whole number of rows of {dim}")]
    Ragged {
        /// How many values were given.
        values: usize,
        /// The row length asked for.
        dim: usize,
    },
    /// The file cannot be opened, read or written.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the system or the format's reader says.
        reason: String,
    },
    /// The array is not two-dimensional, or one of its sides is zero.
    #[error("{path}: vectors are a table of rows x dimensions, but this array has the shape {shape}")]
    Shape {
        /// The file.
        path: String,
        /// The shape found, as NumPy writes it.
        shape: String,
    },
    /// The array does not hold floating-point numbers.
    #[error("{path}: vectors are float16, float32 or float64, but this array holds {found}")]
    Kind {
        /// The file.
        path: String,
        /// The type found, as NumPy writes it.
        found: String,
    },
    /// The file ends before the values its header promises.
    #[error("{path}: the header promises {promised} bytes of values, the file holds {held}")]
    Short {
        /// The file.
        path: String,
        /// Bytes the header promises.
        promised: u64,
        /// Bytes there are.
        held: u64,
    },
    /// A field of a text table is no number.
    #[error("{path}, line {line}, column {column}: '{text}' is not a number")]
    Number {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What stands there, shortened.
        text: String,
    },
    /// A line of a text table has another number of columns than the first.
    #[error("{path}, line {line}: {found} columns, where the first line has {expected}")]
    Columns {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Columns found.
        found: usize,
        /// Columns of the first line.
        expected: usize,
    },
}
