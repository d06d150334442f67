//! Vectors as a text table: one row a line, tabs between the numbers, no header (as the TensorFlow projector reads them).
//!
//! Written numbers are the shortest that read back to the same bits.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use fs_err::File;
use rayon::prelude::*;

use super::replace::rows_at_once;
use super::{Heard, Vectors, VectorsError, replace_file, unheard};

/// Pieces that threads share a moment's rows in.
const PARTS: usize = 16;

/// Reads a table; empty lines are passed over. Errors name the file, the line and what stands there.
pub fn read(path: &Path) -> Result<Vectors, VectorsError> {
    let shown = path.display().to_string();
    let failed = |error: std::io::Error| VectorsError::File { path: shown.clone(), reason: error.kind().to_string() };
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path).map_err(failed)?);
    let (mut values, mut dim, mut number) = (Vec::new(), 0, 0);
    let mut line = String::new();
    while reader.read_line(&mut line).map_err(failed)? > 0 {
        number += 1;
        let fields = line.trim_end_matches(['\n', '\r']);
        if !fields.is_empty() {
            let found = append(fields, &mut values).map_err(|(column, text)| VectorsError::Number {
                path: shown.clone(),
                line: number,
                column,
                text: text.chars().take(40).collect(),
            })?;
            if dim != 0 && dim != found {
                return Err(VectorsError::Columns { path: shown, line: number, found, expected: dim });
            }
            dim = found;
        }
        line.clear();
    }
    if dim == 0 {
        return Err(VectorsError::Shape { path: shown, shape: "(0, 0)".to_owned() });
    }
    Vectors::new(values, dim)
}

/// Appends one line's numbers and tells how many; the error is the column, from 1, and its text.
fn append<'a>(fields: &'a str, values: &mut Vec<f32>) -> Result<usize, (usize, &'a str)> {
    let before = values.len();
    for (column, field) in fields.split('\t').enumerate() {
        values.push(field.trim().parse().map_err(|_| (column + 1, field))?);
    }
    Ok(values.len() - before)
}

/// Writes a table; a file that is there is replaced.
pub fn write(path: &Path, vectors: &Vectors) -> Result<(), VectorsError> {
    replace_file(path, |part| fill(part, vectors, &mut unheard))
        .map_err(|error| VectorsError::File { path: path.display().to_string(), reason: error.kind().to_string() })
}

/// Writes a table into a file under way; all threads put its numbers into words.
///
/// # Errors
/// It cannot be written, or is no longer wanted.
pub fn fill(part: &Path, vectors: &Vectors, heard: Heard<'_>) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(part)?);
    let dim = vectors.dim();
    let step = rows_at_once(dim);
    for rows in vectors.values().chunks(step * dim) {
        let parts: Vec<String> = rows.par_chunks(step.div_ceil(PARTS) * dim).map(|rows| in_words(rows, dim)).collect();
        parts.iter().try_for_each(|part| out.write_all(part.as_bytes()))?;
        heard((rows.len() / dim) as u64)?;
    }
    out.flush()
}

fn in_words(rows: &[f32], dim: usize) -> String {
    let mut text = String::with_capacity(rows.len() * 12);
    for row in rows.chunks_exact(dim) {
        for (column, value) in row.iter().enumerate() {
            if column > 0 {
                text.push('\t');
            }
            // Writing into a text cannot fail.
            let _ = write!(text, "{value}");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_tables_read_back_to_the_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.tsv");
        let vectors = Vectors::new(vec![0.1, -2.5e-20, 3.4e38, 1.0 / 3.0], 2).unwrap();
        write(&path, &vectors).unwrap();
        assert_eq!(fs_err::read_to_string(&path).unwrap().lines().count(), 2);
        assert_eq!(read(&path).unwrap().values(), vectors.values());
    }

    #[test]
    fn errors_name_line_and_column() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.tsv");
        let message = |text: &str| {
            fs_err::write(&path, text).unwrap();
            read(&path).unwrap_err().to_string()
        };
        assert!(message("1\t2\r\n\r\n3\tx\n").contains("vectors.tsv, line 3, column 2: 'x' is not a number"));
        assert!(message("1\t2\n3\n").contains("line 2: 1 columns, where the first line has 2"));
        assert!(message("").contains("(0, 0)"));
    }
}
