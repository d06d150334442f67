//! Columns of a table that mean nothing here, as the window sees them: by name, with a value for each row.
//!
//! Says what such columns are, not where they lie: whoever read the table keeps them. Invariant: a column answers for every row of its
//! corpus, with nothing where the table says nothing.

use std::any::Any;
use std::borrow::Cow;
use std::fmt::Debug;

use crate::vectors::RowId;

/// What all values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// Words, or a mixture.
    Words,
    /// True or false.
    Truth,
    /// Whole numbers.
    Whole,
    /// Numbers with a fraction.
    Real,
    /// Days, or moments of days.
    Moment,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableHead {
    /// Its name in the file.
    pub name: String,
    /// What its values are.
    pub kind: TableKind,
}

/// The columns of a table.
pub trait TableColumns: Any + Debug + Send + Sync {
    /// The columns, in the order of the file.
    fn heads(&self) -> &[TableHead];

    /// A row's value as it is shown; empty where it has none.
    fn words(&self, column: usize, row: RowId) -> Cow<'_, str>;

    /// A row's value on a scale: the number, or the seconds since 1970 of a moment; NaN where it has none.
    fn number(&self, column: usize, row: RowId) -> f64;
}
