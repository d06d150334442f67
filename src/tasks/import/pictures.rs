//! Pictures that lie inside a Parquet file, as Hugging Face data sets of images keep them: a structure of `bytes` and `path`, or bytes
//! alone.
//!
//! They are written to files, since a full picture is read again whenever it is looked at or embedded; a few rows are held at a time.
//! Invariant: a file is named by what is in it, so that the same picture is written once, and never half.

use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Schema};
use fs_err::File;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::cells::Reader;
use crate::progress::Progress;
use crate::tasks::TaskError;
use crate::tasks::format::bad;
use crate::tasks::more::Cell;
use crate::vectors::replace_file;

/// Names of a column of pictures, the likeliest first.
const NAMES: [&str; 9] = ["image", "img", "picture", "photo", "jpg", "png", "jpeg", "image_bytes", "thumbnail"];
/// Rows read at once: pictures are large.
const BATCH: usize = 32;

/// A picture that lay in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tasks) struct Inside {
    /// The row of the file.
    pub(in crate::tasks) row: usize,
    /// What the file calls it; empty where it does not.
    pub(in crate::tasks) name: String,
    /// Where it lies now.
    pub(in crate::tasks) path: PathBuf,
}

/// Writes the pictures of a file into `folder`. None for a file without a column of pictures. Stage: "Reading pictures of FILE".
///
/// # Errors
/// Cancelled; the file cannot be read; a picture cannot be written.
pub(in crate::tasks) fn inside(path: &Path, folder: &Path, progress: &Progress) -> Result<Vec<Inside>, TaskError> {
    let file = File::open(path).map_err(TaskError::file("read the Parquet file"))?.into_parts().0;
    let wrong = |error: &dyn std::fmt::Display| bad(path, format!("not a readable Parquet file: {error}"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| wrong(&error))?;
    let Some(column) = column(builder.schema()) else { return Ok(Vec::new()) };
    let count = builder.metadata().file_metadata().num_rows().max(0) as u64;
    let mask = ProjectionMask::roots(builder.parquet_schema(), [column]);
    let reader = builder.with_projection(mask).with_batch_size(BATCH).build().map_err(|error| wrong(&error))?;
    let shown = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    progress.stage(&format!("Reading pictures of {shown}"), "rows", count);
    fs_err::create_dir_all(folder).map_err(TaskError::file("make a folder for pictures"))?;
    let (mut found, mut before) = (Vec::new(), 0);
    for batch in reader {
        progress.check()?;
        let batch = batch.map_err(|error| wrong(&error))?;
        let column = batch.column(0);
        let names = column.as_struct_opt().and_then(|parts| parts.column_by_name("path"));
        let names = names.map(|names| Reader::new(names, None));
        for row in 0..column.len() {
            let Some(bytes) = bytes_of(column, row).filter(|bytes| !bytes.is_empty()) else { continue };
            let name = match names.as_ref().map(|names| names.cell(row)) {
                Some(Cell::Words(name)) => name.into_owned(),
                _ => String::new(),
            };
            let path = write(folder, bytes).map_err(TaskError::file("keep a picture"))?;
            found.push(Inside { row: before + row, name, path });
        }
        before += column.len();
        progress.advance(column.len() as u64);
    }
    Ok(found)
}

/// The column of pictures: by its name, else the only structure with bytes.
fn column(schema: &Schema) -> Option<usize> {
    let fields = schema.fields();
    let named = |name: &&str| fields.iter().position(|field| field.name().eq_ignore_ascii_case(name));
    let is_structure = |kind: &DataType| match kind {
        DataType::Struct(parts) => parts.iter().any(|part| part.name() == "bytes" && is_bytes(part.data_type())),
        _ => false,
    };
    let pictures = |&place: &usize| is_structure(fields[place].data_type()) || is_bytes(fields[place].data_type());
    let structures: Vec<usize> = (0..fields.len()).filter(|&place| is_structure(fields[place].data_type())).collect();
    let only = if let [only] = structures.as_slice() { Some(*only) } else { None };
    NAMES.iter().filter_map(named).find(pictures).or(only)
}

fn is_bytes(kind: &DataType) -> bool {
    matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

/// The bytes of a row; `None` where there are none.
fn bytes_of(column: &ArrayRef, row: usize) -> Option<&[u8]> {
    if column.is_null(row) {
        return None;
    }
    let bytes = match column.as_struct_opt() {
        Some(parts) => parts.column_by_name("bytes")?,
        None => column,
    };
    if bytes.is_null(row) {
        return None;
    }
    match bytes.data_type() {
        DataType::Binary => Some(bytes.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Some(bytes.as_binary::<i64>().value(row)),
        DataType::BinaryView => Some(bytes.as_binary_view().value(row)),
        _ => None,
    }
}

/// Writes bytes under a name made of them, unless they are there.
fn write(folder: &Path, bytes: &[u8]) -> std::io::Result<PathBuf> {
    let ending = infer::get(bytes).map_or("image", |kind| kind.extension());
    let path = folder.join(format!("{}.{ending}", &blake3::hash(bytes).to_hex()[..32]));
    let there = fs_err::metadata(&path).is_ok_and(|data| data.len() == bytes.len() as u64);
    if !there {
        replace_file(&path, |part| fs_err::write(part, bytes))?;
    }
    fs_err::canonicalize(path)
}
