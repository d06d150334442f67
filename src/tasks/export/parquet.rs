//! Parquet files of vectors and maps, as Hugging Face data sets and Embedding Atlas read them.
//!
//! Vectors are a column `vector` of fixed-size lists of float32; any list column of floats is read.

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use fs_err::File;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::tasks::{RowInfo, TaskError};
use crate::vectors::{Vectors, replace_file};

/// Names a column of vectors may have, the likeliest first.
const VECTOR_NAMES: [&str; 4] = ["vector", "embedding", "embeddings", "vectors"];

pub(super) fn write_vectors(vectors: &Vectors, rows: &[RowInfo], path: &Path) -> Result<(), TaskError> {
    let bad = |error: ArrowError| bad(path, &error);
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let values: ArrayRef = Arc::new(Float32Array::from(vectors.values().to_vec()));
    let list = FixedSizeListArray::try_new(item, vectors.dim() as i32, values, None).map_err(bad)?;
    write(rows, vec![("vector", Arc::new(list) as ArrayRef)], path)
}

pub(super) fn write_points(points: &[[f32; 2]], rows: &[RowInfo], path: &Path) -> Result<(), TaskError> {
    let axis = |axis: usize| Arc::new(points.iter().map(|point| point[axis]).collect::<Float32Array>()) as ArrayRef;
    write(rows, vec![("x", axis(0)), ("y", axis(1))], path)
}

fn bad(path: &Path, error: &dyn std::fmt::Display) -> TaskError {
    TaskError::Format { path: path.to_owned(), message: error.to_string() }
}

fn write(rows: &[RowInfo], more: Vec<(&str, ArrayRef)>, path: &Path) -> Result<(), TaskError> {
    let number = |of: &dyn Fn(&RowInfo) -> usize| {
        Arc::new(rows.iter().map(|row| of(row) as i64).collect::<Int64Array>()) as ArrayRef
    };
    let words =
        |of: &dyn Fn(&RowInfo) -> &str| Arc::new(StringArray::from_iter_values(rows.iter().map(of))) as ArrayRef;
    let mut columns = vec![
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
    ];
    columns.extend(more);
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), *name == "modified");
    let fields: Vec<Field> = columns.iter().map(field).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| bad(path, &error))?;
    let write = |part: &Path| -> std::io::Result<()> {
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?)).build();
        let mut writer = ArrowWriter::try_new(File::create(part)?, batch.schema(), Some(properties))?;
        writer.write(&batch)?;
        writer.close()?;
        Ok(())
    };
    replace_file(path, write).map_err(TaskError::file("write the Parquet file"))
}

pub(super) fn read(path: &Path) -> Result<(Vectors, Vec<RowInfo>), TaskError> {
    let file = File::open(path).map_err(TaskError::file("read the Parquet file"))?.into_parts().0;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
    let (mut values, mut dim, mut rows) = (Vec::new(), 0, Vec::new());
    for batch in reader.map_err(|error| bad(path, &error))? {
        let batch = batch.map_err(|error| bad(path, &error))?;
        let column = vector_column(&batch)
            .ok_or_else(|| bad(path, &"no column of vectors (a list of floats called `vector` or `embedding`)"))?;
        for row in 0..batch.num_rows() {
            let before = values.len();
            push_row(column, row, &mut values);
            let found = values.len() - before;
            if dim == 0 {
                dim = found;
            }
            if found != dim || found == 0 {
                let message = format!("row {} has {found} values, the first has {dim}", rows.len() + row);
                return Err(bad(path, &message));
            }
        }
        rows.extend(infos(&batch));
    }
    if rows.is_empty() {
        return Err(bad(path, &"there are no rows"));
    }
    Ok((Vectors::new(values, dim)?, rows))
}

fn vector_column(batch: &RecordBatch) -> Option<&ArrayRef> {
    let named = VECTOR_NAMES.iter().find_map(|name| batch.column_by_name(name).filter(|array| is_list(array)));
    named.or_else(|| batch.columns().iter().find(|array| is_list(array)))
}

fn is_list(array: &ArrayRef) -> bool {
    let floats = |field: &Field| matches!(field.data_type(), DataType::Float32 | DataType::Float64);
    match array.data_type() {
        DataType::FixedSizeList(field, _) | DataType::List(field) | DataType::LargeList(field) => floats(field),
        _ => false,
    }
}

fn push_row(column: &ArrayRef, row: usize, out: &mut Vec<f32>) {
    if column.is_null(row) {
        return;
    }
    let values = match column.data_type() {
        DataType::FixedSizeList(..) => column.as_fixed_size_list().value(row),
        DataType::List(_) => column.as_list::<i32>().value(row),
        _ => column.as_list::<i64>().value(row),
    };
    match values.data_type() {
        DataType::Float32 => out.extend_from_slice(values.as_primitive::<Float32Type>().values()),
        _ => out.extend(values.as_primitive::<Float64Type>().values().iter().map(|&value| value as f32)),
    }
}

/// What the other columns say of each row.
fn infos(batch: &RecordBatch) -> Vec<RowInfo> {
    let words = |name: &str, row: usize| {
        let array = batch.column_by_name(name)?.as_string_opt::<i32>()?;
        array.is_valid(row).then(|| array.value(row).to_owned())
    };
    let number = |name: &str, row: usize| {
        let array = batch.column_by_name(name)?.as_primitive_opt::<arrow_array::types::Int64Type>()?;
        array.is_valid(row).then(|| array.value(row).max(0) as usize)
    };
    let info = |row: usize| RowInfo {
        path: words("path", row).unwrap_or_default(),
        start: number("start", row).unwrap_or_default(),
        end: number("end", row).unwrap_or_default(),
        modality: words("modality", row).unwrap_or_default(),
        label: words("label", row).unwrap_or_default(),
        text: words("text", row).unwrap_or_default(),
        kind: words("type", row).unwrap_or_default(),
        language: words("language", row).unwrap_or_default(),
        encoding: words("encoding", row).unwrap_or_default(),
        size: number("size", row).unwrap_or_default() as u64,
        modified: number("modified", row).map(|at| at as u64),
        tokens: number("tokens", row).unwrap_or_default() as u32,
        truncated: number("truncated", row).unwrap_or_default() as u32,
        ..RowInfo::default()
    };
    (0..batch.num_rows()).map(info).collect()
}
