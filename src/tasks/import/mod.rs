//! Vectors from files, with what is known of their rows.
//!
//! The ending of the file's name says the format. Invariants: row `n` of the vectors and row `n` of what is told of them are the same
//! thing; every vector is finite: rows that hold none, NaN or infinities are listed apart with their reason.

mod beside;
#[cfg(feature = "parquet")]
mod cells;
pub(super) mod columns;
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
use rayon::prelude::*;

#[cfg(not(feature = "parquet"))]
use super::format::without_parquet;
use super::format::{Format, bad, format_of, wrong_ending};
use super::{RowInfo, TaskError};
use crate::models::ModelId;
use crate::progress::Progress;
use crate::vectors::{RowBlocks, Rows, Vectors, VectorsError, npy, storage, tsv};
use crate::workspace::Positions;

/// Values from here on are no vector's: their squares leave single precision. Where none reaches the least, squares vanish in it.
const LARGEST: f32 = 1e17;
const LEAST: f32 = 1e-15;
/// Values looked at together for NaN and infinity.
const LOOKED_AT: usize = 1 << 16;

/// Vectors that came from a file: in memory, or as [`Rows`] that may have stayed in it.
#[derive(Clone, Debug)]
pub struct Imported<R = Vectors> {
    /// The vectors, all of them finite.
    pub vectors: R,
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

impl<R> Imported<R> {
    /// One sentence on the rows that were left out; `None` when none was.
    pub fn left_out_words(&self) -> Option<String> {
        let (first, why) = self.left_out.first()?;
        Some(match self.left_out.len() {
            1 => format!("row {} was left out: {why}", first.row),
            more => format!("{more} rows were left out; the first, row {}: {why}", first.row),
        })
    }
}

impl Imported<Rows> {
    /// With all vectors in single precision.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn decoded(self) -> Result<Imported, TaskError> {
        let Self { vectors, rows, points, left_out, notes, model } = self;
        Ok(Imported { vectors: vectors.decoded()?, rows, points, left_out, notes, model })
    }
}

/// A file as it is, before unusable rows are taken out.
struct Table {
    vectors: Rows,
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
    let mut table = table(path, progress)?;
    table.vectors = Rows::Single(table.vectors.decoded()?);
    let imported = usable(path, table)?.decoded()?;
    let values = imported.vectors.values();
    let greatest = values.par_iter().with_min_len(LOOKED_AT).map(|value| value.abs()).reduce(|| 0.0, f32::max);
    if greatest > 0.0 && greatest < LEAST {
        return Err(bad(path, format!("no value is beyond {greatest:e}: multiply the vectors until they are near 1")));
    }
    Ok(imported)
}

/// As [`import_vectors`], but vectors that are not kept in single precision stay in their file, where all of them can be used.
///
/// # Errors
/// Those of [`import_vectors`].
pub fn import_rows(path: &Path, progress: &Progress) -> Result<Imported<Rows>, TaskError> {
    let table = table(path, progress)?;
    usable(path, table)
}

/// A file as it is.
fn table(path: &Path, progress: &Progress) -> Result<Table, TaskError> {
    progress.check()?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    progress.stage(&format!("Reading {name}"), "rows", 0);
    match format_of(path) {
        Some(Format::Npy) => with_beside(path, npy::open_rows(path)?),
        Some(Format::Npz) => npz::read(path),
        Some(Format::Tsv) => with_beside(path, Rows::Single(tsv::read(path)?)),
        Some(Format::Vectors) => with_beside(path, storage::open_rows(path)?.0),
        #[cfg(feature = "parquet")]
        Some(Format::Parquet) => parquet::read(path, progress),
        #[cfg(not(feature = "parquet"))]
        Some(Format::Parquet) => Err(without_parquet(path)),
        Some(Format::Csv) => csv::read(path, progress),
        None => Err(wrong_ending(path, ".npy, .npz, .tsv, .csv, .parquet or .vectors")),
    }
}

fn with_beside(path: &Path, vectors: Rows) -> Result<Table, TaskError> {
    let count = vectors.row_count();
    let beside::Beside { rows, notes } = beside::read(path, count)?;
    let rows = rows.unwrap_or_else(|| vec![RowInfo::default(); count]);
    Ok(Table { vectors, rows, points: None, missing: Vec::new(), notes })
}

/// The rows that hold NaN, infinity or what is too large, in order.
fn broken(rows: &dyn RowBlocks) -> Result<Vec<usize>, TaskError> {
    let (count, dim) = (rows.row_count(), rows.row_length());
    let taken = (LOOKED_AT / dim).max(1);
    let looked = (0..count.div_ceil(taken)).into_par_iter().map_init(Vec::new, |room, number| {
        let first = number * taken;
        let block = rows.block(first..count.min(first + taken), room)?;
        // Without leaving off early, which is faster where all is well.
        let sound = |row: &[f32]| row.iter().fold(true, |sound, value| sound & (value.abs() < LARGEST));
        Ok(block.chunks_exact(dim).enumerate().filter(|(_, row)| !sound(row)).map(|(at, _)| first + at).collect())
    });
    Ok(looked.collect::<Result<Vec<Vec<usize>>, VectorsError>>()?.concat())
}

/// Takes out the rows that cannot be used.
fn usable(path: &Path, table: Table) -> Result<Imported<Rows>, TaskError> {
    let Table { vectors, mut rows, points, mut missing, notes } = table;
    rows.iter_mut().enumerate().for_each(|(place, row)| row.row = place);
    let known = missing.len();
    missing.extend(
        broken(&vectors)?
            .into_iter()
            .map(|row| (row, "its vector holds NaN, infinity or values beyond 1e17".to_owned())),
    );
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
        let kept = Rows::Single(vectors.decoded()?.select((0..rows.len()).filter(|&row| good[row])));
        let points = points.map(|points| points.select((0..rows.len()).filter(|&row| good[row])));
        let mut left = missing.into_iter().map(|(row, why)| (rows[row].clone(), why)).collect::<Vec<_>>();
        left.shrink_to_fit();
        let rows = rows.into_iter().zip(&good).filter(|(_, good)| **good).map(|(row, _)| row).collect();
        (kept, rows, points, left)
    };
    let own = match vectors.row_length() {
        2 | 3 => Positions::of(&vectors.decoded()?),
        _ => None,
    };
    let points = own.or(points);
    Ok(Imported { vectors, rows, points, left_out, notes, model })
}
