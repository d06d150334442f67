//! Which format a file of vectors or of a map has: the ending of its name says it.
//!
//! Reads nothing but the beginning of a table. Invariant: a path is told to hold vectors
//! only when it is there.

use std::path::{Path, PathBuf};

use super::TaskError;
use super::import::{files_of, holds_vectors as holds_numbers};

/// The formats, by the ending of a file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// One NumPy array.
    Npy,
    /// Several NumPy arrays by name.
    Npz,
    /// Numbers with tabs between them, as the TensorFlow projector reads them.
    Tsv,
    /// A Parquet table with a column of vectors, or of positions.
    Parquet,
    /// Our own, in 32, 16 or 8 bits a value.
    Vectors,
    /// A table of positions, or of nothing but numbers.
    Csv,
}

/// The format of a file, by the ending of its name.
pub(super) fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "npy" => Some(Format::Npy),
        "npz" => Some(Format::Npz),
        "tsv" => Some(Format::Tsv),
        "parquet" => Some(Format::Parquet),
        "vectors" => Some(Format::Vectors),
        "csv" => Some(Format::Csv),
        _ => None,
    }
}

/// The error for a file whose name ends in something else.
pub(super) fn wrong_ending(path: &Path, endings: &str) -> TaskError {
    bad(path, format!("the name must end in {endings}"))
}

/// The error for a file whose content makes no sense.
pub(super) fn bad(path: &Path, message: impl Into<String>) -> TaskError {
    TaskError::Format { path: path.to_owned(), message: message.into() }
}

/// The error for Parquet where this program was built without it.
#[cfg(not(feature = "parquet"))]
pub(super) fn without_parquet(path: &Path) -> TaskError {
    bad(path, "this program was built without Parquet; use .npy, or build it with the feature parquet")
}

/// Whether a path is a file that vectors may be read from, by its ending; a `.csv` by what it holds.
pub fn is_vectors_file(path: &Path) -> bool {
    match format_of(path) {
        Some(Format::Csv) => path.is_file() && holds_numbers(path),
        format => format.is_some() && path.is_file(),
    }
}

/// Whether a path is a `.csv`, which may as well be a text among others.
pub fn is_csv(path: &Path) -> bool {
    format_of(path) == Some(Format::Csv)
}

/// Whether a path is taken for vectors where texts would do as well: a `.tsv` only when it begins with numbers, a folder only when nothing
/// but vectors lies in it (see [`super::VectorSet`]).
pub fn holds_vectors(path: &Path) -> bool {
    if path.is_dir() {
        return files_of(path).is_some();
    }
    is_vectors_file(path) && (format_of(path) != Some(Format::Tsv) || begins_with_numbers(path))
}

/// Whether paths are files or folders of vectors and nothing else.
pub fn hold_vectors(paths: &[PathBuf]) -> bool {
    !paths.is_empty() && paths.iter().all(|path| holds_vectors(path))
}

fn begins_with_numbers(path: &Path) -> bool {
    use std::io::{BufRead, BufReader, Read};
    let Ok(file) = fs_err::File::open(path) else { return false };
    let mut line = String::new();
    // No line of vectors is longer; a text without line ends is not read whole.
    let read = BufReader::new(file.take(4 << 20)).read_line(&mut line);
    read.is_ok() && line.contains('\t') && line.trim_end().split('\t').all(|field| field.trim().parse::<f32>().is_ok())
}
