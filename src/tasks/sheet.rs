//! Results as sheets of named columns: `.csv`, `.jsonl` or `.parquet`, by the ending of the file's name.
//!
//! Knows no vectors and no maps. Invariant: every column has the same number of rows, and each is written in the order given.

use std::io::{BufWriter, Write};
use std::path::Path;

use fs_err::File;
use serde_json::{Map, Value, json};

use super::TaskError;
use super::saving::{Fill, Saved, save};
use crate::progress::Progress;
use crate::vectors::Heard;

/// Rows between two looks at whether they are still wanted.
const SLICE: usize = 1024;

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

/// Writes a sheet; a file that is there is replaced. Stage of `progress`: "Writing FILE", in rows.
///
/// # Errors
/// Cancelled, when what was there is as it was; another ending than `.csv`, `.jsonl` or `.parquet`; the file cannot be written.
pub fn write_sheet(columns: &[(&str, SheetColumn<'_>)], path: &Path, progress: &Progress) -> Result<(), TaskError> {
    let rows = columns.iter().map(|(_, column)| column.len()).min().unwrap_or(0);
    let fill: Fill<'_> =
        match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("csv") => &|part, heard| {
                let titles: Vec<String> = columns.iter().flat_map(|(name, column)| column.titles(name)).collect();
                let line = |row: usize| {
                    let fields: Vec<String> = columns.iter().flat_map(|(_, column)| column.fields(row)).collect();
                    fields.join(",") + "\n"
                };
                lines(part, (&(titles.join(",") + "\n"), rows), &line, heard)
            },
            Some("jsonl") => &|part, heard| {
                let line = |row: usize| {
                    let fields = columns.iter().map(|(name, column)| ((*name).to_owned(), column.value(row)));
                    format!("{}\n", Value::Object(fields.collect::<Map<_, _>>()))
                };
                lines(part, ("", rows), &line, heard)
            },
            #[cfg(feature = "parquet")]
            Some("parquet") => &|part, heard| parquet_file::fill(columns, rows, part, heard),
            _ => {
                let message = "the name must end in .csv, .jsonl or (where built in) .parquet".to_owned();
                return Err(TaskError::Format { path: path.to_owned(), message });
            }
        };
    save(&[Saved { path, rows, fill }], progress)
}

/// Writes lines after what stands before them.
fn lines(
    part: &Path,
    (before, rows): (&str, usize),
    line: &dyn Fn(usize) -> String,
    heard: Heard<'_>,
) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(part)?);
    out.write_all(before.as_bytes())?;
    for first in (0..rows).step_by(SLICE) {
        let slice = first..rows.min(first + SLICE);
        let length = slice.len() as u64;
        for row in slice {
            out.write_all(line(row).as_bytes())?;
        }
        heard(length)?;
    }
    out.flush()
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
    use crate::vectors::Heard;

    /// Rows that are written between two looks at whether they are still wanted.
    const SLICE: usize = 16_384;

    pub(super) fn fill(
        columns: &[(&str, SheetColumn<'_>)],
        rows: usize,
        part: &Path,
        heard: Heard<'_>,
    ) -> std::io::Result<()> {
        let batch = batch(columns).map_err(std::io::Error::other)?;
        let zstd = Compression::ZSTD(ZstdLevel::try_new(3)?);
        let properties = WriterProperties::builder().set_compression(zstd).build();
        let mut writer = ArrowWriter::try_new(File::create(part)?, batch.schema(), Some(properties))?;
        for first in (0..rows).step_by(SLICE) {
            let length = SLICE.min(rows - first);
            writer.write(&batch.slice(first, length))?;
            heard(length as u64)?;
        }
        writer.close()?;
        Ok(())
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
        write_sheet(&columns, &csv, &Progress::new()).unwrap();
        let text = fs_err::read_to_string(csv).unwrap();
        assert_eq!(
            text,
            "row,name,share,near_1,near_2\n0,plain,0.5,7,8\n1,\"with \"\"quotes\"\", and\nlines\",1,9,10\n"
        );
        let jsonl = dir.path().join("sheet.jsonl");
        write_sheet(&columns, &jsonl, &Progress::new()).unwrap();
        let text = fs_err::read_to_string(jsonl).unwrap();
        assert_eq!(text.lines().next(), Some(r#"{"row":0,"name":"plain","share":0.5,"near":[7,8]}"#));
        assert!(write_sheet(&columns, &dir.path().join("sheet.doc"), &Progress::new()).is_err());
        if cfg!(feature = "parquet") {
            write_sheet(&columns, &dir.path().join("sheet.parquet"), &Progress::new()).unwrap();
        }
    }
}
