//! Columns of a file that mean nothing here, kept as they are: they come back under their names in whatever is written of its rows.
//!
//! The columns lie in one table that all rows of a file share; a row holds its place in it. Knows no formats. Invariants: no value is held
//! twice; a name that is ours, or an axis of a map, is written once.

mod cell;
mod column;
mod moment;

use std::sync::Arc;

pub(super) use cell::Cell;
pub(super) use column::{Column, Kind, Same};
use moment::moment;

use super::RowInfo;
use crate::corpus::TableKind;

/// What a file says of a row beyond what this program knows of rows.
#[derive(Clone, Debug, Default)]
pub struct More {
    columns: Option<Arc<[Column]>>,
    at: u32,
}

impl More {
    /// What a table says of the row at a place of it.
    pub(super) fn of(columns: Arc<[Column]>, at: u32) -> Self {
        Self { columns: Some(columns), at }
    }

    /// The columns of the table that the row is of.
    pub(super) fn columns(&self) -> Option<&Arc<[Column]>> {
        self.columns.as_ref()
    }

    /// The other columns of a row: names and values.
    fn cells(&self) -> Vec<(&str, Cell<'_>)> {
        // What a column repeats of its row is compared there.
        static NONE: std::sync::LazyLock<RowInfo> = std::sync::LazyLock::new(RowInfo::default);
        let columns = self.columns.iter().flat_map(|columns| columns.iter());
        columns.map(|column| (column.name.as_str(), column.cell(self.at as usize, &NONE))).collect()
    }
}

impl PartialEq for More {
    fn eq(&self, other: &Self) -> bool {
        self.cells() == other.cells()
    }
}

/// Gives every row its place in a table of columns.
pub(super) fn attach(rows: &mut [RowInfo], columns: Vec<Column>) {
    if columns.is_empty() {
        return;
    }
    let columns: Arc<[Column]> = columns.into();
    let places = rows.iter_mut().zip(0..);
    places.for_each(|(row, at)| row.more = More { columns: Some(columns.clone()), at });
}

/// What all values of a column are to the eye: words that are all moments, where any is there, are moments. `None` where no row has a value.
pub(super) fn shown_kind<'a>(kind: Kind, cells: impl Iterator<Item = Cell<'a>>) -> Option<TableKind> {
    let mut filled = cells.filter(|cell| !cell.words().trim().is_empty()).peekable();
    filled.peek()?;
    Some(match kind {
        Kind::Number | Kind::Natural => TableKind::Whole,
        Kind::Real | Kind::Single => TableKind::Real,
        Kind::Truth => TableKind::Truth,
        Kind::Words if filled.all(|cell| moment(cell.only_words()).is_some()) => TableKind::Moment,
        Kind::Words => TableKind::Words,
    })
}

/// A value on the scale of its column; NaN where it has no place on one.
pub(super) fn on_scale(kind: TableKind, cell: &Cell<'_>) -> f64 {
    match kind {
        TableKind::Words | TableKind::Truth => None,
        TableKind::Whole | TableKind::Real => cell.real(),
        TableKind::Moment => moment(cell.only_words()),
    }
    .unwrap_or(f64::NAN)
}

/// Adds a column to the table that rows share; one of its name that is there stays.
pub(super) fn add(rows: &mut [RowInfo], column: Column) {
    let there = rows.iter().find_map(|row| row.more.columns.clone()).unwrap_or_default();
    if there.iter().any(|other| other.name.eq_ignore_ascii_case(&column.name)) {
        return;
    }
    let columns = there.iter().cloned().chain([column]).collect();
    attach(rows, columns);
}

/// Makes one table of those of several files, whose rows are given in their order: columns of one name become one. `otherwise` tells what
/// a row says in a column that its file does not keep, by the column's name and the row's place in its file.
pub(super) fn join(parts: &mut [&mut [RowInfo]], otherwise: &dyn for<'a> Fn(&str, usize, &'a RowInfo) -> Cell<'a>) {
    let tables: Vec<Arc<[Column]>> =
        parts.iter().map(|rows| rows.iter().find_map(|row| row.more.columns.clone()).unwrap_or_default()).collect();
    let mut names: Vec<&str> = Vec::new();
    for column in tables.iter().flat_map(|columns| columns.iter()) {
        if !names.contains(&column.name.as_str()) {
            names.push(&column.name);
        }
    }
    let mut whole: Vec<Column> = Vec::with_capacity(names.len());
    for name in names {
        let of_file = |columns: &'_ Arc<[Column]>| columns.iter().position(|column| column.name == name);
        let each: Vec<Option<&Column>> =
            tables.iter().map(|columns| of_file(columns).map(|place| &columns[place])).collect();
        let mut column = Column::like(&each, name);
        for (rows, theirs) in parts.iter().zip(&each) {
            for (at, row) in rows.iter().enumerate() {
                let cell = theirs.map_or_else(|| otherwise(name, at, row), |theirs| theirs.cell(at, row));
                column.push(&cell);
            }
        }
        whole.push(column);
    }
    if whole.is_empty() {
        return;
    }
    let whole: Arc<[Column]> = whole.into();
    let rows = parts.iter_mut().flat_map(|rows| rows.iter_mut());
    rows.zip(0..).for_each(|(row, at)| row.more = More { columns: Some(whole.clone()), at });
}

/// What is written beside our own columns, besides the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    /// Vectors, under either of these names.
    Vectors,
    /// Positions, under the names of axes.
    Map,
}

/// Names of positions that we write.
pub(super) const AXES: [&str; 6] = ["x", "y", "z", "projection_x", "projection_y", "projection_z"];

/// A column as it is written.
pub(super) struct Kept<'a> {
    pub(super) name: String,
    rows: &'a [RowInfo],
    columns: &'a Arc<[Column]>,
    column: &'a Column,
}

impl Kept<'_> {
    pub(super) fn kind(&self) -> Kind {
        self.column.kind()
    }

    /// The value of a row, by its place among those written.
    pub(super) fn cell(&self, row: usize) -> Cell<'_> {
        let row = &self.rows[row];
        let mine = row.more.columns.as_ref().is_some_and(|columns| Arc::ptr_eq(columns, self.columns));
        if mine { self.column.cell(row.more.at as usize, row) } else { Cell::Empty }
    }

    /// Whether it stands in the place of a column of ours.
    pub(super) fn replaces(&self, ours: &str) -> bool {
        self.name.eq_ignore_ascii_case(ours)
    }
}

/// The other columns of the file that rows came from, under the names they are written by: a name that is taken gets `_before`.
pub(super) fn kept(rows: &[RowInfo], beside: Beside) -> Vec<Kept<'_>> {
    let Some(columns) = rows.iter().find_map(|row| row.more.columns.as_ref()) else { return Vec::new() };
    let taken = |name: &str| {
        let among = |names: &[&str]| names.iter().any(|taken| taken.eq_ignore_ascii_case(name));
        among(&["row"])
            || match beside {
                Beside::Vectors => among(&["vector", "vectors"]),
                Beside::Map => among(&AXES),
            }
    };
    let mut found: Vec<Kept<'_>> = Vec::with_capacity(columns.len());
    for column in columns.iter().filter(|column| beside == Beside::Vectors || !column.is_axis) {
        let mut name = column.name.clone();
        let others = |name: &str| columns.iter().any(|other| !std::ptr::eq(other, column) && other.name == name);
        if taken(&name) {
            name += "_before";
            while others(&name) || found.iter().any(|other| other.name == name) {
                name += "_before";
            }
        }
        found.push(Kept { name, rows, columns, column });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken_are_kept_apart() {
        let mut rows = vec![RowInfo::default(); 2];
        let names = ["id", "x", "x_before", "row", "Label", "vector"];
        let columns = names.map(|name| {
            let mut column = Column::new(name.to_owned());
            [5, 6].iter().for_each(|&value| column.push(&Cell::Number(value)));
            column
        });
        attach(&mut rows, columns.into());
        let named = |beside| kept(&rows, beside).into_iter().map(|kept| kept.name).collect::<Vec<_>>();
        assert_eq!(named(Beside::Map), ["id", "x_before_before", "x_before", "row_before", "Label", "vector"]);
        assert_eq!(named(Beside::Vectors), ["id", "x", "x_before", "row_before", "Label", "vector_before"]);
        let found = kept(&rows[1..], Beside::Map);
        assert_eq!(found[0].cell(0), Cell::Number(6));
        assert!(found[4].replaces("label"));
    }
}
