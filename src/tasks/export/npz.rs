//! Vectors as a NumPy archive: the array `vectors`, and an array a column of what is known of the rows.
//!
//! Invariant: element `n` of each array is of row `n`; only `model` has one element, for all rows.

use std::path::Path;

use crate::tasks::{RowInfo, TaskError};
use crate::vectors::Vectors;
use crate::vectors::arrays::{self, ArrayColumn};

pub(super) fn write(vectors: &Vectors, rows: &[RowInfo], path: &Path) -> Result<(), TaskError> {
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
    if let Some(first) = rows.first().filter(|row| !row.model.is_empty()) {
        columns.push(("model", ArrayColumn::Words(vec![&first.model])));
    }
    Ok(arrays::write(path, vectors, &columns)?)
}
