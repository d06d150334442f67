//! Results as sheets of named columns: `.csv`, `.jsonl` or `.parquet`, by the ending of the file's name.
//!
//! Knows no vectors and no maps. Invariant: every column has the same number of rows, and each is written in the order given.

use std::io::{BufWriter, Write};
use std::path::Path;

use fs_err::File;
use serde_json::{Map, Value, json};

use super::TaskError;
use crate::vectors::replace_file;

/// One column of a sheet.
#[derive(Clone, Debug)]
pub enum SheetColumn<'a> {
    /// Whole numbers.
    Numbers(Vec<i64>),
    /// Single-precision numbers.
    Shares(Vec<f32>),
    /// Words.
    Words(Vec<&'a str>),
    /// So many whole numbers a row; one field a number in `.csv`.
    NumberLists(usize, &'a [u32]),
    /// So many single-precision numbers a row; one field a number in `.csv`.
    ShareLists(usize, &'a [f32]),
}

impl SheetColumn<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Numbers(all) => all.len(),
            Self::Shares(all) => all.len(),
            Self::Words(all) => all.len(),
            Self::NumberLists(width, all) => all.len().checked_div(*width).unwrap_or(0),
            Self::ShareLists(width, all) => all.len().checked_div(*width).unwrap_or(0),
        }
    }

    fn value(&self, row: usize) -> Value {
        match self {
            Self::Numbers(all) => all[row].into(),
            Self::Shares(all) => json!(all[row]),
            Self::Words(all) => all[row].into(),
            Self::NumberLists(width, all) => json!(all[row * width..(row + 1) * width]),
            Self::ShareLists(width, all) => json!(all[row * width..(row + 1) * width]),
        }
    }

    fn fields(&self, row: usize) -> Vec<String> {
        match self {
            Self::Numbers(all) => vec![all[row].to_string()],
            Self::Shares(all) => vec![all[row].to_string()],
            Self::Words(all) => vec![quoted(all[row])],
            Self::NumberLists(width, all) => all[row * width..(row + 1) * width].iter().map(u32::to_string).collect(),
            Self::ShareLists(width, all) => all[row * width..(row + 1) * width].iter().map(f32::to_string).collect(),
        }
    }

    fn titles(&self, name: &str) -> Vec<String> {
        match self {
            Self::NumberLists(width, _) | Self::ShareLists(width, _) => {
                (1..=*width).map(|nth| format!("{name}_{nth}")).collect()
            }
            _ => vec![name.to_owned()],
        }
    }
}

/// A CSV field, quoted where it must be (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Writes a sheet; a file that is there is replaced.
///
/// # Errors
/// Another ending than `.csv`, `.jsonl` or `.parquet`; the file cannot be written.
pub fn write_sheet(columns: &[(&str, SheetColumn<'_>)], path: &Path) -> Result<(), TaskError> {
    let rows = columns.iter().map(|(_, column)| column.len()).min().unwrap_or(0);
    let fill = |fill: &dyn Fn(&mut BufWriter<File>) -> std::io::Result<()>| {
        let write = |part: &Path| {
            let mut out = BufWriter::new(File::create(part)?);
            fill(&mut out)?;
            out.flush()
        };
        replace_file(path, write).map_err(TaskError::file("write the table"))
    };
    match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => fill(&|out| {
            let titles: Vec<String> = columns.iter().flat_map(|(name, column)| column.titles(name)).collect();
            writeln!(out, "{}", titles.join(","))?;
            for row in 0..rows {
                let fields: Vec<String> = columns.iter().flat_map(|(_, column)| column.fields(row)).collect();
                writeln!(out, "{}", fields.join(","))?;
            }
            Ok(())
        }),
        Some("jsonl") => fill(&|out| {
            for row in 0..rows {
                let fields = columns.iter().map(|(name, column)| ((*name).to_owned(), column.value(row)));
                writeln!(out, "{}", Value::Object(fields.collect::<Map<_, _>>()))?;
            }
            Ok(())
        }),
        #[cfg(feature = "parquet")]
        Some("parquet") => parquet_file::write(columns, path),
        _ => {
            let message = "the name must end in .csv, .jsonl or (where built in) .parquet".to_owned();
            Err(TaskError::Format { path: path.to_owned(), message })
        }
    }
}

#[cfg(feature = "parquet")]
mod parquet_file {
    use std::path::Path;
    use std::sync::Arc;

    use arrow_array::{
        Array, ArrayRef, FixedSizeListArray, Float32Array, Int64Array, RecordBatch, StringArray, UInt32Array,
    };
    use arrow_schema::{ArrowError, Field, Schema};
    use fs_err::File;
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, ZstdLevel};
    use parquet::file::properties::WriterProperties;

    use super::SheetColumn;
    use crate::tasks::TaskError;
    use crate::vectors::replace_file;

    pub(super) fn write(columns: &[(&str, SheetColumn<'_>)], path: &Path) -> Result<(), TaskError> {
        let batch =
            batch(columns).map_err(|error| TaskError::Format { path: path.to_owned(), message: error.to_string() })?;
        let write = |part: &Path| -> std::io::Result<()> {
            let zstd = Compression::ZSTD(ZstdLevel::try_new(3)?);
            let properties = WriterProperties::builder().set_compression(zstd).build();
            let mut writer = ArrowWriter::try_new(File::create(part)?, batch.schema(), Some(properties))?;
            writer.write(&batch)?;
            writer.close()?;
            Ok(())
        };
        replace_file(path, write).map_err(TaskError::file("write the Parquet file"))
    }

    fn batch(columns: &[(&str, SheetColumn<'_>)]) -> Result<RecordBatch, ArrowError> {
        let arrays: Vec<ArrayRef> = columns.iter().map(|(_, column)| array(column)).collect::<Result<_, _>>()?;
        let named = columns.iter().zip(&arrays);
        let fields: Vec<Field> =
            named.map(|((name, _), array)| Field::new(*name, array.data_type().clone(), false)).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
    }

    fn array(column: &SheetColumn<'_>) -> Result<ArrayRef, ArrowError> {
        Ok(match column {
            SheetColumn::Numbers(all) => Arc::new(Int64Array::from(all.clone())),
            SheetColumn::Shares(all) => Arc::new(Float32Array::from(all.clone())),
            SheetColumn::Words(all) => Arc::new(StringArray::from_iter_values(all)),
            SheetColumn::NumberLists(width, all) => lists(*width, Arc::new(UInt32Array::from(all.to_vec())))?,
            SheetColumn::ShareLists(width, all) => lists(*width, Arc::new(Float32Array::from(all.to_vec())))?,
        })
    }

    fn lists(width: usize, values: ArrayRef) -> Result<ArrayRef, ArrowError> {
        let item = Arc::new(Field::new("item", values.data_type().clone(), false));
        Ok(Arc::new(FixedSizeListArray::try_new(item, width as i32, values, None)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_written_row_by_row_in_every_format() {
        let dir = tempfile::tempdir().unwrap();
        let columns = [
            ("row", SheetColumn::Numbers(vec![0, 1])),
            ("name", SheetColumn::Words(vec!["plain", "with \"quotes\", and\nlines"])),
            ("share", SheetColumn::Shares(vec![0.5, 1.0])),
            ("near", SheetColumn::NumberLists(2, &[7, 8, 9, 10])),
        ];
        let csv = dir.path().join("sheet.csv");
        write_sheet(&columns, &csv).unwrap();
        let text = fs_err::read_to_string(csv).unwrap();
        assert_eq!(
            text,
            "row,name,share,near_1,near_2\n0,plain,0.5,7,8\n1,\"with \"\"quotes\"\", and\nlines\",1,9,10\n"
        );
        let jsonl = dir.path().join("sheet.jsonl");
        write_sheet(&columns, &jsonl).unwrap();
        let text = fs_err::read_to_string(jsonl).unwrap();
        assert_eq!(text.lines().next(), Some(r#"{"row":0,"name":"plain","share":0.5,"near":[7,8]}"#));
        assert!(write_sheet(&columns, &dir.path().join("sheet.doc")).is_err());
        if cfg!(feature = "parquet") {
            write_sheet(&columns, &dir.path().join("sheet.parquet")).unwrap();
        }
    }
}
