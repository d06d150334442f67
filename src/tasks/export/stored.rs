//! Vectors in a file of our own (`.vectors`), in 32, 16 or 8 bits a value, with what that loses on these very vectors.
//!
//! Invariant: what is told of the loss was measured on the file as it was written.

use std::path::Path;

use super::{TaskError, metadata};
use crate::progress::Progress;
use crate::search::Index;
use crate::tasks::RowInfo;
use crate::tasks::more::Beside;
use crate::tasks::saving::Fill;
use crate::vectors::storage::{self, Precision, PrecisionCost};
use crate::vectors::{Heard, Metric, Vectors};

/// Rows whose neighbours are looked for again in what was written, and how many of each.
const SAMPLE: usize = 500;
const NEIGHBOURS: usize = 10;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoredFile {
    /// In how many bits.
    pub precision: Precision,
    /// Bytes of the file of vectors.
    pub bytes: u64,
    /// How far rows were turned: 1 − cosine.
    pub turned: PrecisionCost,
    /// Share of the 10 nearest rows, by the cosine, that are still among the 10 nearest, on 500 rows.
    pub neighbours_kept: f32,
}

/// Writes vectors as `.vectors`, with what is known of their rows in `.metadata.jsonl` beside it.
///
/// # Errors
/// Cancelled, when what was there is as it was; the file cannot be written.
pub fn export_stored(
    vectors: &Vectors,
    rows: &[RowInfo],
    path: &Path,
    precision: Precision,
    progress: &Progress,
) -> Result<StoredFile, TaskError> {
    let lines = |part: &Path, heard: Heard<'_>| metadata::fill_jsonl(rows, Beside::Vectors, part, heard);
    let fill: Fill<'_> = &|part, heard| storage::fill(part, vectors, precision, heard);
    super::beside(path, rows, [fill, &lines], "metadata.jsonl", progress)?;
    let bytes = fs_err::metadata(path).map_err(TaskError::file("look at the stored vectors"))?.len();
    let (stored, _) = storage::open(path)?;
    Ok(StoredFile {
        precision,
        bytes,
        turned: storage::cost(vectors, precision),
        neighbours_kept: neighbours_kept(vectors, &stored),
    })
}

fn neighbours_kept(vectors: &Vectors, stored: &Vectors) -> f32 {
    let rows: Vec<usize> = (0..vectors.len()).step_by(vectors.len().div_ceil(SAMPLE).max(1)).collect();
    let k = NEIGHBOURS.min(vectors.len().saturating_sub(1));
    if k == 0 {
        return 1.0;
    }
    // One more is asked for: a row is its own nearest.
    let near = |of: &Vectors| Index::new(of, Metric::Cosine).top_k_batch(&of.select(rows.iter().copied()), k + 1, None);
    let (before, after) = (near(vectors), near(stored));
    let mut kept = 0;
    for ((before, after), &row) in before.iter().zip(&after).zip(&rows) {
        let others = |hits: &[crate::search::Hit]| -> Vec<u32> {
            hits.iter().map(|hit| hit.position).filter(|&other| other as usize != row).take(k).collect()
        };
        let after = others(after);
        kept += others(before).iter().filter(|other| after.contains(other)).count();
    }
    kept as f32 / (rows.len() * k) as f32
}
