//! Vectors from files, with what is known of their rows.
//!
//! The ending of the file's name says the format. Invariants: row `n` of the vectors and row `n` of what is told of them are the same
//! thing; every vector is finite: rows that hold none, NaN or infinities are listed apart with their reason.

mod beside;
#[cfg(feature = "parquet")]
mod cells;
mod columns;
mod csv;
mod gather;
mod npz;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
mod pictures;

use std::path::Path;

pub(super) use csv::holds_vectors;
#[cfg(feature = "parquet")]
pub(super) use pictures::inside;

#[cfg(not(feature = "parquet"))]
use super::format::without_parquet;
use super::format::{Format, bad, format_of, wrong_ending};
use super::{RowInfo, TaskError};
use crate::models::ModelId;
use crate::progress::Progress;
use crate::vectors::{Vectors, npy, storage, tsv};
use crate::workspace::Positions;

/// Vectors that came from a file.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The vectors, all of them finite.
    pub vectors: Vectors,
    /// What the file, or the one beside it, says of each row; only numbered where it says nothing. `row` is its place in the file.
    pub rows: Vec<RowInfo>,
    /// Ready positions, one a row: columns of the file, or the vectors themselves where they have two or three dimensions.
    pub points: Option<Positions>,
    /// Rows of the file without a usable vector, and why, in order.
    pub left_out: Vec<(RowInfo, String)>,
    /// What else the user should know of the file: a sentence each.
    pub notes: Vec<String>,
    /// The model that made them, where the file names one.
    pub model: Option<ModelId>,
}

impl Imported {
    /// One sentence on the rows that were left out; `None` when none was.
    pub fn left_out_words(&self) -> Option<String> {
        let (first, why) = self.left_out.first()?;
        Some(match self.left_out.len() {
            1 => format!("row {} was left out: {why}", first.row),
            more => format!("{more} rows were left out; the first, row {}: {why}", first.row),
        })
    }
}

/// A file as it is, before unusable rows are taken out.
struct Table {
    vectors: Vectors,
    rows: Vec<RowInfo>,
    points: Option<Positions>,
    /// Rows whose vector only holds a place, and why.
    missing: Vec<(usize, String)>,
    /// What the user should know.
    notes: Vec<String>,
}

/// Reads vectors, with what stands beside them. Stage of `progress`: "Reading FILE".
///
/// # Errors
/// Cancelled; another ending; the file makes no sense; the file beside it has another number of rows; no usable row.
pub fn import_vectors(path: &Path, progress: &Progress) -> Result<Imported, TaskError> {
    progress.check()?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    progress.stage(&format!("Reading {name}"), "rows", 0);
    let table = match format_of(path) {
        Some(Format::Npy) => with_beside(path, npy::open(path)?)?,
        Some(Format::Npz) => npz::read(path)?,
        Some(Format::Tsv) => with_beside(path, tsv::read(path)?)?,
        Some(Format::Vectors) => with_beside(path, storage::open(path)?.0)?,
        #[cfg(feature = "parquet")]
        Some(Format::Parquet) => parquet::read(path, progress)?,
        #[cfg(not(feature = "parquet"))]
        Some(Format::Parquet) => return Err(without_parquet(path)),
        Some(Format::Csv) => csv::read(path, progress)?,
        None => return Err(wrong_ending(path, ".npy, .npz, .tsv, .csv, .parquet or .vectors")),
    };
    usable(path, table)
}

fn with_beside(path: &Path, vectors: Vectors) -> Result<Table, TaskError> {
    let beside::Beside { rows, notes } = beside::read(path, vectors.len())?;
    let rows = rows.unwrap_or_else(|| vec![RowInfo::default(); vectors.len()]);
    Ok(Table { vectors, rows, points: None, missing: Vec::new(), notes })
}

/// Takes out the rows that cannot be used.
fn usable(path: &Path, table: Table) -> Result<Imported, TaskError> {
    let Table { vectors, mut rows, points, mut missing, notes } = table;
    rows.iter_mut().enumerate().for_each(|(place, row)| row.row = place);
    let known = missing.len();
    for (row, vector) in vectors.rows().enumerate() {
        if !vector.iter().all(|value| value.is_finite()) {
            missing.push((row, "its vector holds NaN or infinity".to_owned()));
        }
    }
    if known > 0 && missing.len() > known {
        missing.sort_by_key(|&(row, _)| row);
    }
    if missing.len() == rows.len() {
        let why = missing.first().map_or("there are no rows", |(_, why)| why);
        return Err(bad(path, format!("none of its {} rows can be used; the first: {why}", rows.len())));
    }
    let model = rows.iter().find(|row| !row.model.is_empty()).map(|row| ModelId(row.model.clone()));
    let points = points.filter(Positions::are_finite);
    let (vectors, rows, points, left_out) = if missing.is_empty() {
        (vectors, rows, points, Vec::new())
    } else {
        let mut good = vec![true; rows.len()];
        missing.iter().for_each(|&(row, _)| good[row] = false);
        let kept = vectors.select((0..rows.len()).filter(|&row| good[row]));
        let points = points.map(|points| points.select((0..rows.len()).filter(|&row| good[row])));
        let mut left = missing.into_iter().map(|(row, why)| (rows[row].clone(), why)).collect::<Vec<_>>();
        left.shrink_to_fit();
        let rows = rows.into_iter().zip(&good).filter(|(_, good)| **good).map(|(row, _)| row).collect();
        (kept, rows, points, left)
    };
    let points = Positions::of(&vectors).or(points);
    Ok(Imported { vectors, rows, points, left_out, notes, model })
}
