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
mod joined;
mod npz;
mod numbered;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
mod pictures;
mod shards;

use std::path::{Path, PathBuf};

pub(super) use csv::holds_vectors;
#[cfg(feature = "parquet")]
pub(super) use pictures::inside;
use rayon::prelude::*;
pub(super) use shards::files_of;
pub use shards::{VectorSet, vector_sets};

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
/// Why a folder is no set.
const NOT_ONLY_VECTORS: &str =
    "it holds other files than vectors (.parquet, .npy, .npz, .vectors): give the files of vectors by name";
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
    /// The files they were read from, each with the number of its first row.
    pub files: Vec<(PathBuf, usize)>,
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
        let Self { vectors, rows, points, left_out, notes, model, files } = self;
        Ok(Imported { vectors: vectors.decoded()?, rows, points, left_out, notes, model, files })
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

/// Reads vectors, with what stands beside them: of a file, or of a folder of files that are one set. Stage of `progress`: "Reading FILE".
///
/// # Errors
/// Cancelled; another ending; the file makes no sense; the file beside it has another number of rows; no usable row.
pub fn import_vectors(path: &Path, progress: &Progress) -> Result<Imported, TaskError> {
    import_set(&VectorSet::one(&[path.to_owned()]), progress)
}

/// As [`import_vectors`], for a set that may lie in several files: their rows one after the other. Where they are several parts of a data
/// set, each row has its part in a column `split`, which is its label where it has no other.
///
/// # Errors
/// Those of [`import_vectors`], of any of the files; vectors of other dimensions, or of another model, than the first file's.
pub fn import_set(set: &VectorSet, progress: &Progress) -> Result<Imported, TaskError> {
    let (mut table, files) = tables(set, progress)?;
    table.vectors = Rows::Single(table.vectors.decoded()?);
    usable((&set.path, files), table)?.decoded()
}

/// As [`import_set`], but vectors that are not kept in single precision stay in their file, where there is one and all of them can be used.
///
/// # Errors
/// Those of [`import_set`].
pub fn import_set_rows(set: &VectorSet, progress: &Progress) -> Result<Imported<Rows>, TaskError> {
    let (table, files) = tables(set, progress)?;
    usable((&set.path, files), table)
}

/// As [`import_set_rows`], for one file or folder.
///
/// # Errors
/// Those of [`import_set`].
pub fn import_rows(path: &Path, progress: &Progress) -> Result<Imported<Rows>, TaskError> {
    import_set_rows(&VectorSet::one(&[path.to_owned()]), progress)
}

/// A set as it is, and the files of it.
fn tables(set: &VectorSet, progress: &Progress) -> Result<(Table, Vec<(PathBuf, usize)>), TaskError> {
    let (mut files, mut notes) = (Vec::new(), Vec::new());
    for path in &set.paths {
        if path.is_dir() {
            let found = files_of(path).ok_or_else(|| bad(path, NOT_ONLY_VECTORS))?;
            notes.extend(shards::lacking(&found));
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    let (mut table, files) = match files.as_slice() {
        [file] => (table(file, progress)?, vec![(file.clone(), 0)]),
        _ => joined::read(&files, progress)?,
    };
    table.notes.extend(notes);
    Ok((table, files))
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

/// What a look at all values finds.
#[derive(Default)]
struct Looked {
    /// The rows that hold NaN, infinity or what is too large, in order.
    broken: Vec<usize>,
    /// The greatest value of the others, whatever its sign.
    greatest: f32,
}

fn looked(rows: &dyn RowBlocks) -> Result<Looked, TaskError> {
    let (count, dim) = (rows.row_count(), rows.row_length());
    let taken = (LOOKED_AT / dim).max(1);
    let looked = (0..count.div_ceil(taken)).into_par_iter().map_init(Vec::new, |room, number| {
        let first = number * taken;
        let block = rows.block(first..count.min(first + taken), room)?;
        let mut found = Looked::default();
        for (at, row) in block.chunks_exact(dim).enumerate() {
            // Without leaving off early, which is faster where all is well.
            let sound = row.iter().fold(true, |sound, value| sound & (value.abs() < LARGEST));
            match sound {
                true => found.greatest = row.iter().fold(found.greatest, |most, value| most.max(value.abs())),
                false => found.broken.push(first + at),
            }
        }
        Ok(found)
    });
    let parts = looked.collect::<Result<Vec<Looked>, VectorsError>>()?;
    let greatest = parts.iter().map(|part| part.greatest).fold(0.0, f32::max);
    Ok(Looked { broken: parts.into_iter().flat_map(|part| part.broken).collect(), greatest })
}

/// Takes out the rows that cannot be used.
fn usable((path, files): (&Path, Vec<(PathBuf, usize)>), table: Table) -> Result<Imported<Rows>, TaskError> {
    let Table { vectors, mut rows, points, mut missing, notes } = table;
    rows.iter_mut().enumerate().for_each(|(place, row)| row.row = place);
    let known = missing.len();
    let Looked { broken, greatest } = looked(&vectors)?;
    missing
        .extend(broken.into_iter().map(|row| (row, "its vector holds NaN, infinity or values beyond 1e17".to_owned())));
    if known > 0 && missing.len() > known {
        missing.sort_by_key(|&(row, _)| row);
    }
    if missing.len() == rows.len() {
        let why = missing.first().map_or("there are no rows", |(_, why)| why);
        return Err(bad(path, format!("none of its {} rows can be used; the first: {why}", rows.len())));
    }
    if greatest > 0.0 && greatest < LEAST {
        return Err(bad(path, format!("no value is beyond {greatest:e}: multiply the vectors until they are near 1")));
    }
    if files.len() > 1 {
        missing.iter_mut().for_each(|(row, why)| *why += &in_file(&files, *row));
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
    Ok(Imported { vectors, rows, points, left_out, notes, model, files })
}

/// Which row of which file a row is, in brackets.
fn in_file(files: &[(PathBuf, usize)], row: usize) -> String {
    let at = files.partition_point(|&(_, first)| first <= row).saturating_sub(1);
    let told = files.get(at).map(|(file, first)| (file.file_name().unwrap_or_default().to_string_lossy(), row - first));
    told.map_or_else(String::new, |(name, row)| format!(" (row {row} of {name})"))
}
