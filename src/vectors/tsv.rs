//! Vectors as a text table: one row a line, tabs between the numbers, no header (as the TensorFlow projector reads them).
//!
//! Written numbers are the shortest that read back to the same bits.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use fs_err::File;

use super::{Vectors, VectorsError, replace_file};

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
    let write = |path: &Path| -> std::io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        for row in vectors.rows() {
            for (column, value) in row.iter().enumerate() {
                let gap = if column == 0 { "" } else { "\t" };
                write!(out, "{gap}{value}")?;
            }
            writeln!(out)?;
        }
        out.flush()
    };
    replace_file(path, write)
        .map_err(|error| VectorsError::File { path: path.display().to_string(), reason: error.kind().to_string() })
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
