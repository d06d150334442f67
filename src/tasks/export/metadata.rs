//! What stands beside vectors, as lines of JSON or a table, and maps as CSV.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use fs_err::File;

use crate::tasks::RowInfo;
use crate::tasks::more::{AXES, Beside, Cell, Kept, kept};
use crate::vectors::Heard;

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

/// Our columns of a map in CSV.
const OF_MAP: usize = 6;
/// Rows between two looks at whether they are still wanted.
const SLICE: usize = 4096;

/// Writes rows through a buffer, after what stands before them.
fn write(
    part: &Path,
    (before, count): (&str, usize),
    row: &mut dyn FnMut(usize, &mut BufWriter<File>) -> io::Result<()>,
    heard: Heard<'_>,
) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(part)?);
    out.write_all(before.as_bytes())?;
    for first in (0..count).step_by(SLICE) {
        let slice = first..count.min(first + SLICE);
        let length = slice.len() as u64;
        for at in slice {
            row(at, &mut out)?;
        }
        heard(length)?;
    }
    out.flush()
}

/// Values of our columns of a row, in the order of [`COLUMNS`].
fn ours(row: &RowInfo) -> [Cell<'_>; COLUMNS.len()] {
    let number = |number: u64| Cell::Number(number as i64);
    [
        number(row.row as u64),
        Cell::Words(row.path.as_str().into()),
        number(row.start as u64),
        number(row.end as u64),
        Cell::Words(row.modality.as_str().into()),
        Cell::Words(row.label.as_str().into()),
        Cell::Words(row.text.as_str().into()),
        Cell::Words(row.kind.as_str().into()),
        Cell::Words(row.language.as_str().into()),
        Cell::Words(row.encoding.as_str().into()),
        number(row.size),
        row.modified.map_or(Cell::Empty, number),
        number(row.tokens.into()),
        number(row.truncated.into()),
        Cell::Words(row.model.as_str().into()),
    ]
}

/// The places of our columns that no column of the file stands in for.
fn remaining(kept: &[Kept<'_>], count: usize) -> Vec<usize> {
    (0..count).filter(|&place| !kept.iter().any(|kept| kept.replaces(COLUMNS[place]))).collect()
}

/// A row as one object: our columns, then those of the file it came from.
struct Line<'a> {
    row: &'a RowInfo,
    at: usize,
    remaining: &'a [usize],
    kept: &'a [Kept<'a>],
}

impl serde::Serialize for Line<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut line = serializer.serialize_map(None)?;
        let ours = ours(self.row);
        for &place in self.remaining {
            // A model that is not known is not named.
            if COLUMNS[place] != "model" || !self.row.model.is_empty() {
                line.serialize_entry(COLUMNS[place], &ours[place])?;
            }
        }
        for kept in self.kept {
            line.serialize_entry(&kept.name, &kept.cell(self.at))?;
        }
        line.end()
    }
}

/// A row a line, as one object.
pub(super) fn fill_jsonl(rows: &[RowInfo], beside: Beside, part: &Path, heard: Heard<'_>) -> io::Result<()> {
    let kept = kept(rows, beside);
    let remaining = remaining(&kept, COLUMNS.len());
    let mut line = |at: usize, out: &mut BufWriter<File>| {
        serde_json::to_writer(&mut *out, &Line { row: &rows[at], at, remaining: &remaining, kept: &kept })?;
        out.write_all(b"\n")
    };
    write(part, ("", rows.len()), &mut line, heard)
}

/// A table as the Embedding Projector reads it: a header, then one line a row; tabs and line ends become spaces.
pub(super) fn fill_tsv(rows: &[RowInfo], part: &Path, heard: Heard<'_>) -> io::Result<()> {
    let kept = kept(rows, Beside::Vectors);
    let remaining = remaining(&kept, COLUMNS.len());
    let names = remaining.iter().map(|&place| COLUMNS[place].to_owned());
    let names: Vec<String> = names.chain(kept.iter().map(|kept| one_line(&kept.name))).collect();
    let mut line = |at: usize, out: &mut BufWriter<File>| {
        let ours = ours(&rows[at]);
        let ours = remaining.iter().map(|&place| one_line(&ours[place].words()));
        let fields: Vec<String> = ours.chain(kept.iter().map(|kept| one_line(&kept.cell(at).words()))).collect();
        writeln!(out, "{}", fields.join("\t"))
    };
    write(part, (&(names.join("\t") + "\n"), rows.len()), &mut line, heard)
}

fn one_line(text: &str) -> String {
    text.split(['\t', '\n', '\r']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A map: what its rows are called, and where they lie.
pub(super) fn fill_csv<const D: usize>(
    rows: &[RowInfo],
    points: &[[f32; D]],
    part: &Path,
    heard: Heard<'_>,
) -> io::Result<()> {
    let kept = kept(rows, Beside::Map);
    let remaining = remaining(&kept, OF_MAP);
    let axes = AXES[..D.min(3)].iter().map(|axis| (*axis).to_owned());
    let names = remaining.iter().map(|&place| COLUMNS[place].to_owned()).chain(axes);
    let names: Vec<String> = names.chain(kept.iter().map(|kept| field(&kept.name))).collect();
    let mut line = |at: usize, out: &mut BufWriter<File>| {
        let ours = ours(&rows[at]);
        let ours = remaining.iter().map(|&place| field(&ours[place].words()));
        let fields = ours.chain(points[at].iter().map(f32::to_string));
        let fields: Vec<String> = fields.chain(kept.iter().map(|kept| field(&kept.cell(at).words()))).collect();
        writeln!(out, "{}", fields.join(","))
    };
    write(part, (&(names.join(",") + "\n"), rows.len().min(points.len())), &mut line, heard)
}

/// A CSV field, quoted where it must be (RFC 4180).
fn field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
