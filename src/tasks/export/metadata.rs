//! What stands beside vectors, as lines of JSON or a table, and maps as CSV.

use std::io::{BufWriter, Write};
use std::path::Path;

use fs_err::File;

use crate::tasks::{RowInfo, TaskError};
use crate::vectors::replace_file;

/// Columns of a table; a map's stop before the text.
const COLUMNS: [&str; 15] = [
    "row",
    "path",
    "start",
    "end",
    "modality",
    "label",
    "text",
    "type",
    "language",
    "encoding",
    "size",
    "modified",
    "tokens",
    "truncated",
    "model",
];

/// Columns of positions.
pub(super) const AXES: [&str; 3] = ["x", "y", "z"];

/// Writes a file through a buffer; errors name it.
fn write(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) -> Result<(), TaskError> {
    let write = |part: &Path| {
        let mut out = BufWriter::new(File::create(part)?);
        fill(&mut out)?;
        out.flush()
    };
    replace_file(path, write).map_err(TaskError::file("write the table of rows"))
}

pub(super) fn write_jsonl(rows: &[RowInfo], path: &Path) -> Result<(), TaskError> {
    write(path, |out| {
        for row in rows {
            serde_json::to_writer(&mut *out, row)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// A table as the Embedding Projector reads it: a header, then one line a row; tabs and line ends become spaces.
pub(super) fn write_tsv(rows: &[RowInfo], path: &Path) -> Result<(), TaskError> {
    write(path, |out| {
        writeln!(out, "{}", COLUMNS.join("\t"))?;
        for row in rows {
            let RowInfo { row: number, start, end, .. } = row;
            let [path, modality, label, text] = [&row.path, &row.modality, &row.label, &row.text].map(|s| one_line(s));
            write!(out, "{number}\t{path}\t{start}\t{end}\t{modality}\t{label}\t{text}")?;
            let [kind, language, encoding, model] =
                [&row.kind, &row.language, &row.encoding, &row.model].map(|s| one_line(s));
            let RowInfo { size, tokens, truncated, .. } = row;
            let modified = row.modified.map_or_else(String::new, |seconds| seconds.to_string());
            writeln!(out, "\t{kind}\t{language}\t{encoding}\t{size}\t{modified}\t{tokens}\t{truncated}\t{model}")?;
        }
        Ok(())
    })
}

fn one_line(text: &str) -> String {
    text.split(['\t', '\n', '\r']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

pub(super) fn write_csv<const D: usize>(rows: &[RowInfo], points: &[[f32; D]], path: &Path) -> Result<(), TaskError> {
    write(path, |out| {
        writeln!(out, "{},{}", COLUMNS[..6].join(","), AXES[..D.min(3)].join(","))?;
        for (row, point) in rows.iter().zip(points) {
            let RowInfo { row: number, start, end, modality, .. } = row;
            let (path, label) = (field(&row.path), field(&row.label));
            let place = point.map(|value| value.to_string()).join(",");
            writeln!(out, "{number},{path},{start},{end},{modality},{label},{place}")?;
        }
        Ok(())
    })
}

/// A CSV field, quoted where it must be (RFC 4180).
fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
