//! Parquet files of vectors and maps, as Hugging Face data sets and Embedding Atlas read them.
//!
//! Vectors are a column `vector` of fixed-size lists of float32, positions the columns `x` and `y`, and once more under Embedding Atlas'
//! own names. Written in groups of rows, so that no second copy of all vectors is made.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, FixedSizeListArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use fs_err::File;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::tasks::RowInfo;
use crate::tasks::more::{AXES, Beside, Cell, Kept, Kind, kept};
use crate::vectors::{Heard, Vectors};

/// Rows of one group.
const GROUP: usize = 65_536;
/// Rows that are written between two looks at whether they are still wanted.
const SLICE: usize = 2048;

/// Columns of some rows.
type Columns = Vec<(&'static str, ArrayRef)>;

pub(super) fn fill_vectors(vectors: &Vectors, rows: &[RowInfo], part: &Path, heard: Heard<'_>) -> io::Result<()> {
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let dim = vectors.dim();
    let more = |range: Range<usize>| {
        let values: ArrayRef =
            Arc::new(Float32Array::from(vectors.values()[range.start * dim..range.end * dim].to_vec()));
        let list = FixedSizeListArray::try_new(item.clone(), dim as i32, values, None)?;
        Ok(vec![("vector", Arc::new(list) as ArrayRef)])
    };
    write((rows, Beside::Vectors), part, &more, heard)
}

pub(super) fn fill_points<const D: usize>(
    points: &[[f32; D]],
    rows: &[RowInfo],
    part: &Path,
    heard: Heard<'_>,
) -> io::Result<()> {
    let more = |range: Range<usize>| {
        let axis = |axis: usize| -> ArrayRef {
            Arc::new(points[range.clone()].iter().map(|point| point[axis]).collect::<Float32Array>())
        };
        let mut columns: Columns =
            AXES.iter().take(D.min(3)).enumerate().map(|(nth, &name)| (name, axis(nth))).collect();
        // The names that Embedding Atlas looks for.
        columns.extend([("projection_x", axis(0)), ("projection_y", axis(1))]);
        Ok(columns)
    };
    write((rows, Beside::Map), part, &more, heard)
}

/// The columns of rows that every file has.
fn columns(rows: &[RowInfo]) -> Columns {
    let number = |of: &dyn Fn(&RowInfo) -> usize| {
        Arc::new(rows.iter().map(|row| of(row) as i64).collect::<Int64Array>()) as ArrayRef
    };
    let words =
        |of: &dyn Fn(&RowInfo) -> &str| Arc::new(StringArray::from_iter_values(rows.iter().map(of))) as ArrayRef;
    vec![
        ("row", number(&|row| row.row)),
        ("path", words(&|row| &row.path)),
        ("start", number(&|row| row.start)),
        ("end", number(&|row| row.end)),
        ("modality", words(&|row| &row.modality)),
        ("label", words(&|row| &row.label)),
        ("text", words(&|row| &row.text)),
        ("type", words(&|row| &row.kind)),
        ("language", words(&|row| &row.language)),
        ("encoding", words(&|row| &row.encoding)),
        ("size", number(&|row| row.size as usize)),
        ("modified", Arc::new(rows.iter().map(|row| row.modified.map(|at| at as i64)).collect::<Int64Array>())),
        ("tokens", number(&|row| row.tokens as usize)),
        ("truncated", number(&|row| row.truncated as usize)),
        ("model", words(&|row| &row.model)),
    ]
}

/// A column of the file that rows came from, with its gaps.
fn array(kept: &Kept<'_>, range: Range<usize>) -> ArrayRef {
    let cells = range.map(|row| kept.cell(row));
    macro_rules! collect {
        ($array:ty, $kind:ident) => {
            Arc::new(
                cells.map(|cell| if let Cell::$kind(value) = cell { Some(value) } else { None }).collect::<$array>(),
            )
        };
    }
    match kept.kind() {
        Kind::Words => collect!(StringArray, Words),
        Kind::Number => collect!(Int64Array, Number),
        Kind::Natural => collect!(UInt64Array, Natural),
        Kind::Real => collect!(Float64Array, Real),
        Kind::Single => collect!(Float32Array, Single),
        Kind::Truth => collect!(BooleanArray, Truth),
    }
}

fn write(
    (rows, beside): (&[RowInfo], Beside),
    part: &Path,
    more: &dyn Fn(Range<usize>) -> Result<Columns, ArrowError>,
    heard: Heard<'_>,
) -> io::Result<()> {
    let kept = kept(rows, beside);
    let batch = |range: Range<usize>| {
        let mut columns: Vec<(&str, ArrayRef, bool)> = columns(&rows[range.clone()])
            .into_iter()
            .filter(|(name, _)| !kept.iter().any(|kept| kept.replaces(name)))
            .map(|(name, array)| (name, array, name == "modified"))
            .collect();
        columns.extend(more(range.clone())?.into_iter().map(|(name, array)| (name, array, false)));
        columns.extend(kept.iter().map(|kept| (kept.name.as_str(), array(kept, range.clone()), true)));
        let field = |(name, array, gaps): &(&str, ArrayRef, bool)| Field::new(*name, array.data_type().clone(), *gaps);
        let fields: Vec<Field> = columns.iter().map(field).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, array, _)| array).collect())
    };
    let wrong = |error: ArrowError| io::Error::other(error);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(GROUP))
        .build();
    let schema = batch(0..0).map_err(wrong)?.schema();
    let mut writer = ArrowWriter::try_new(File::create(part)?, schema, Some(properties))?;
    for start in (0..rows.len()).step_by(SLICE) {
        let slice = start..(start + SLICE).min(rows.len());
        let length = slice.len() as u64;
        writer.write(&batch(slice).map_err(wrong)?)?;
        heard(length)?;
    }
    writer.close()?;
    Ok(())
}
