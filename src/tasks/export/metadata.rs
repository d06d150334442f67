//! What stands beside vectors, as lines of JSON or a table, and maps as CSV.

use std::io::{BufWriter, Write};
use std::path::Path;

use fs_err::File;

use crate::tasks::{RowInfo, TaskError};
use crate::vectors::replace_file;

/// Columns of a table; a map's stop before the text.
const COLUMNS: [&str; 14] = [
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
];

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

/// The rows of a JSON lines file; `None` when there is no such file.
pub(super) fn read_jsonl(path: &Path) -> Result<Option<Vec<RowInfo>>, TaskError> {
    let Some(text) = read(path)? else { return Ok(None) };
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let row = serde_json::from_str(line).map_err(|error| TaskError::Format {
            path: path.to_owned(),
            message: format!("line {} is not a row: {error}", number + 1),
        })?;
        rows.push(row);
    }
    Ok(Some(rows))
}

fn read(path: &Path) -> Result<Option<String>, TaskError> {
    match fs_err::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(TaskError::file("read the table of rows")(error)),
    }
}

/// A table as the Embedding Projector reads it: a header, then one line a row; tabs and line ends become spaces.
pub(super) fn write_tsv(rows: &[RowInfo], path: &Path) -> Result<(), TaskError> {
    write(path, |out| {
        writeln!(out, "{}", COLUMNS.join("\t"))?;
        for row in rows {
            let RowInfo { row: number, start, end, .. } = row;
            let [path, modality, label, text] = [&row.path, &row.modality, &row.label, &row.text].map(|s| one_line(s));
            write!(out, "{number}\t{path}\t{start}\t{end}\t{modality}\t{label}\t{text}")?;
            let [kind, language, encoding] = [&row.kind, &row.language, &row.encoding].map(|s| one_line(s));
            let RowInfo { size, tokens, truncated, .. } = row;
            let modified = row.modified.map_or_else(String::new, |seconds| seconds.to_string());
            writeln!(out, "\t{kind}\t{language}\t{encoding}\t{size}\t{modified}\t{tokens}\t{truncated}")?;
        }
        Ok(())
    })
}

/// The rows of such a table. Columns are found by the names in its header; a table of one column has none and holds labels.
pub(super) fn read_tsv(path: &Path) -> Result<Option<Vec<RowInfo>>, TaskError> {
    let Some(text) = read(path)? else { return Ok(None) };
    let mut lines = text.lines();
    let columns: Vec<&str> = match text.lines().next() {
        Some(first) if first.contains('\t') => {
            lines.next();
            first.split('\t').collect()
        }
        _ => vec!["label"],
    };
    let row = |line: &str| {
        let mut row = RowInfo::default();
        for (&column, field) in columns.iter().zip(line.split('\t')) {
            match column {
                "path" => row.path = field.to_owned(),
                "start" => row.start = field.parse().unwrap_or(0),
                "end" => row.end = field.parse().unwrap_or(0),
                "modality" => row.modality = field.to_owned(),
                "label" => row.label = field.to_owned(),
                "text" => row.text = field.to_owned(),
                "type" => row.kind = field.to_owned(),
                "language" => row.language = field.to_owned(),
                "encoding" => row.encoding = field.to_owned(),
                "size" => row.size = field.parse().unwrap_or(0),
                "modified" => row.modified = field.parse().ok(),
                "tokens" => row.tokens = field.parse().unwrap_or(0),
                "truncated" => row.truncated = field.parse().unwrap_or(0),
                _ => {}
            }
        }
        row
    };
    Ok(Some(lines.map(row).collect()))
}

fn one_line(text: &str) -> String {
    text.split(['\t', '\n', '\r']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

pub(super) fn write_csv(rows: &[RowInfo], points: &[[f32; 2]], path: &Path) -> Result<(), TaskError> {
    write(path, |out| {
        writeln!(out, "{},x,y", COLUMNS[..6].join(","))?;
        for (row, [x, y]) in rows.iter().zip(points) {
            let RowInfo { row: number, start, end, modality, .. } = row;
            let (path, label) = (field(&row.path), field(&row.label));
            writeln!(out, "{number},{path},{start},{end},{modality},{label},{x},{y}")?;
        }
        Ok(())
    })
}

/// A CSV field, quoted where it must be (RFC 4180).
fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
