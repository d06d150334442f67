//! Vectors as a NumPy archive: the array `vectors`, and an array a column of what is known of the rows.
//!
//! Invariant: element `n` of each array is of row `n`; only `model` has one element, for all rows.

use std::io;
use std::path::Path;

use crate::tasks::RowInfo;
use crate::tasks::more::{Beside, Cell, Kept, Kind, kept};
use crate::vectors::arrays::{self, ArrayColumn};
use crate::vectors::{Heard, Vectors};

pub(super) fn fill(vectors: &Vectors, rows: &[RowInfo], part: &Path, heard: Heard<'_>) -> io::Result<()> {
    let number = |of: fn(&RowInfo) -> u64| ArrayColumn::Numbers(rows.iter().map(|row| of(row) as i64).collect());
    let words = |of: fn(&RowInfo) -> &str| ArrayColumn::Words(rows.iter().map(of).collect());
    let mut columns = vec![
        ("row", number(|row| row.row as u64)),
        ("path", words(|row| &row.path)),
        ("start", number(|row| row.start as u64)),
        ("end", number(|row| row.end as u64)),
        ("modality", words(|row| &row.modality)),
        ("label", words(|row| &row.label)),
        ("text", words(|row| &row.text)),
        ("type", words(|row| &row.kind)),
        ("language", words(|row| &row.language)),
        ("encoding", words(|row| &row.encoding)),
        ("size", number(|row| row.size)),
        // An array of numbers has no gaps: a time that is not known is -1.
        ("modified", ArrayColumn::Numbers(rows.iter().map(|row| row.modified.map_or(-1, |at| at as i64)).collect())),
        ("tokens", number(|row| row.tokens.into())),
        ("truncated", number(|row| row.truncated.into())),
    ];
    let kept = kept(rows, Beside::Vectors);
    columns.retain(|(name, _)| !kept.iter().any(|kept| kept.replaces(name)));
    columns.extend(kept.iter().map(|kept| (kept.name.as_str(), array(kept, rows.len()))));
    if let Some(first) = rows.first().filter(|row| !row.model.is_empty()) {
        columns.push(("model", ArrayColumn::Words(vec![&first.model])));
    }
    arrays::fill(part, ("vectors", vectors), &columns, heard)
}

/// A column of the file that rows came from. Arrays have no gaps: among numbers a gap is NaN, where numbers stay what they are beside
/// it, elsewhere an empty text.
fn array(kept: &Kept<'_>, count: usize) -> ArrayColumn<'static> {
    let cells = || (0..count).map(|row| kept.cell(row));
    let whole = cells().all(|cell| cell != Cell::Empty);
    let exact = || cells().all(|cell| cell.real().is_none_or(|value| value.abs() <= (1u64 << 53) as f64));
    match kept.kind() {
        Kind::Number if whole => {
            let number = |cell| if let Cell::Number(number) = cell { number } else { 0 };
            ArrayColumn::Numbers(cells().map(number).collect())
        }
        Kind::Natural if whole => {
            let number = |cell| if let Cell::Natural(number) = cell { number } else { 0 };
            ArrayColumn::Naturals(cells().map(number).collect())
        }
        Kind::Truth if whole => ArrayColumn::Truths(cells().map(|cell| cell == Cell::Truth(true)).collect()),
        Kind::Single => {
            let number = |cell| if let Cell::Single(number) = cell { number } else { f32::NAN };
            ArrayColumn::Singles(cells().map(number).collect())
        }
        Kind::Number | Kind::Natural | Kind::Real if exact() || kept.kind() == Kind::Real => {
            ArrayColumn::Reals(cells().map(|cell| cell.real().unwrap_or(f64::NAN)).collect())
        }
        _ => ArrayColumn::Made(cells().map(|cell| cell.words().into_owned()).collect()),
    }
}
