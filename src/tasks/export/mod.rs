//! Vectors and maps to files, and vectors from files.
//!
//! The ending of the file's name says the format. Rows are written in order of path, then position. Invariant: row `n` of the
//! vectors and row `n` of what stands beside them are the same chunk.

mod metadata;
#[cfg(feature = "parquet")]
mod parquet;

use std::path::Path;

use super::{RowInfo, TaskError, set_table};
use crate::corpus::Corpus;
use crate::vectors::{Vectors, npy, tsv};
use crate::workspace::{EmbeddingSet, Projection};

/// Vectors that came from a file.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The vectors.
    pub vectors: Vectors,
    /// What the file, or the one beside it, says of each row; only numbered where it says nothing.
    pub rows: Vec<RowInfo>,
}

/// The formats, by the ending of a file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Npy,
    Tsv,
    Parquet,
    Csv,
}

fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "npy" => Some(Format::Npy),
        "tsv" => Some(Format::Tsv),
        "parquet" => Some(Format::Parquet),
        "csv" => Some(Format::Csv),
        _ => None,
    }
}

fn wrong_ending(path: &Path, endings: &str) -> TaskError {
    TaskError::Format { path: path.to_owned(), message: format!("the name must end in {endings}") }
}

/// Whether a path is a file that vectors may be read from, by its ending.
pub fn is_vectors_file(path: &Path) -> bool {
    matches!(format_of(path), Some(Format::Npy | Format::Tsv | Format::Parquet)) && path.is_file()
}

/// Writes the vectors of a set: `.npy` (with `.metadata.jsonl` beside it), `.tsv` (with `.metadata.tsv`) or `.parquet`.
///
/// # Errors
/// Another ending; the file cannot be written.
pub fn export_vectors(set: &EmbeddingSet, corpus: &Corpus, path: &Path) -> Result<(), TaskError> {
    export_table(&set.vectors, &set_table(corpus, set), path)
}

/// As [`export_vectors`], for rows of any origin.
///
/// # Errors
/// Another ending; the file cannot be written.
pub fn export_table(vectors: &Vectors, rows: &[RowInfo], path: &Path) -> Result<(), TaskError> {
    match format_of(path) {
        Some(Format::Npy) => {
            npy::write(path, vectors)?;
            metadata::write_jsonl(rows, &path.with_extension("metadata.jsonl"))
        }
        Some(Format::Tsv) => {
            tsv::write(path, vectors)?;
            metadata::write_tsv(rows, &path.with_extension("metadata.tsv"))
        }
        #[cfg(feature = "parquet")]
        Some(Format::Parquet) => parquet::write_vectors(vectors, rows, path),
        #[cfg(not(feature = "parquet"))]
        Some(Format::Parquet) => Err(without_parquet(path)),
        Some(Format::Csv) | None => Err(wrong_ending(path, ".npy, .tsv or .parquet")),
    }
}

/// Writes a map: `.csv` or `.parquet` with the rows' columns and `x`, `y`; or `.npy` with two columns.
///
/// # Errors
/// Another ending; the file cannot be written.
pub fn export_projection(projection: &Projection, rows: &[RowInfo], path: &Path) -> Result<(), TaskError> {
    match format_of(path) {
        Some(Format::Csv) => metadata::write_csv(rows, &projection.points, path),
        Some(Format::Npy) => {
            let flat: Vec<f32> = projection.points.iter().flatten().copied().collect();
            npy::write(path, &Vectors::new(flat, 2)?)?;
            metadata::write_jsonl(rows, &path.with_extension("metadata.jsonl"))
        }
        #[cfg(feature = "parquet")]
        Some(Format::Parquet) => parquet::write_points(&projection.points, rows, path),
        #[cfg(not(feature = "parquet"))]
        Some(Format::Parquet) => Err(without_parquet(path)),
        Some(Format::Tsv) | None => Err(wrong_ending(path, ".csv, .parquet or .npy")),
    }
}

/// Reads vectors, with what stands beside them.
///
/// # Errors
/// Another ending; the file makes no sense; the file beside it has another number of rows.
pub fn import_vectors(path: &Path) -> Result<Imported, TaskError> {
    let (vectors, rows, beside) = match format_of(path) {
        Some(Format::Npy) => {
            let beside = path.with_extension("metadata.jsonl");
            (npy::read(path)?, metadata::read_jsonl(&beside)?, beside)
        }
        Some(Format::Tsv) => {
            let beside = path.with_extension("metadata.tsv");
            (tsv::read(path)?, metadata::read_tsv(&beside)?, beside)
        }
        #[cfg(feature = "parquet")]
        Some(Format::Parquet) => {
            let (vectors, rows) = parquet::read(path)?;
            (vectors, Some(rows), path.to_owned())
        }
        #[cfg(not(feature = "parquet"))]
        Some(Format::Parquet) => return Err(without_parquet(path)),
        Some(Format::Csv) | None => return Err(wrong_ending(path, ".npy, .tsv or .parquet")),
    };
    let mut rows = rows.unwrap_or_else(|| vec![RowInfo::default(); vectors.len()]);
    if rows.len() != vectors.len() {
        let message = format!("{} rows for {} vectors", rows.len(), vectors.len());
        return Err(TaskError::Format { path: beside, message });
    }
    rows.iter_mut().enumerate().for_each(|(position, row)| row.row = position);
    Ok(Imported { vectors, rows })
}

#[cfg(not(feature = "parquet"))]
fn without_parquet(path: &Path) -> TaskError {
    let message = "this program was built without Parquet; use .npy, or build it with the feature parquet".to_owned();
    TaskError::Format { path: path.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::projection::{Method, TsneParams};
    use crate::vectors::RowId;
    use crate::workspace::ProjectionParams;

    fn rows() -> Vec<RowInfo> {
        let texts = ["plain", "with \"quotes\",\tand\nlines", ""];
        let row = |(row, text): (usize, &&str)| RowInfo {
            row,
            path: format!("a/{row}.md"),
            start: row,
            end: row + 5,
            modality: "text".into(),
            label: "a".into(),
            text: (*text).into(),
            kind: "Markdown".into(),
            language: String::new(),
            encoding: "UTF-8".into(),
            size: 900 + row as u64,
            modified: (row != 1).then_some(1_700_000_000),
            tokens: 7,
            truncated: row as u32,
        };
        texts.iter().enumerate().map(row).collect()
    }

    #[test]
    fn vectors_come_back_as_they_went_out() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = Vectors::new(vec![0.1f32, -2.5, 3e-8, 4.0, 0.0, 6.25], 2).unwrap();
        let endings: &[&str] = if cfg!(feature = "parquet") { &["npy", "tsv", "parquet"] } else { &["npy", "tsv"] };
        for ending in endings {
            let path = dir.path().join(format!("out.{ending}"));
            export_table(&vectors, &rows(), &path).unwrap();
            let back = import_vectors(&path).unwrap();
            assert_eq!((back.vectors.values(), back.vectors.dim()), (vectors.values(), 2), "{ending}");
            assert_eq!(back.rows[0], rows()[0], "{ending}");
            let text = if *ending == "tsv" { "with \"quotes\", and lines" } else { "with \"quotes\",\tand\nlines" };
            assert_eq!(back.rows[1], RowInfo { text: text.into(), ..rows()[1].clone() }, "{ending}");
        }
        assert!(export_table(&vectors, &rows(), &dir.path().join("out.xyz")).is_err());
    }

    #[test]
    fn rows_of_other_programs_are_read_as_far_as_they_fit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.npy");
        npy::write(&path, &Vectors::new(vec![1.0, 2.0], 1).unwrap()).unwrap();
        let beside = "{\"label\":\"a\",\"size\":\"large\",\"type\":3,\"modified\":\"2020-01-01\"}\n{\"label\":\"b\",\"more\":[1]}\n";
        fs_err::write(dir.path().join("out.metadata.jsonl"), beside).unwrap();
        let rows = import_vectors(&path).unwrap().rows;
        assert_eq!(rows[0], RowInfo { label: "a".into(), ..RowInfo::default() });
        assert_eq!((rows[1].row, rows[1].label.as_str()), (1, "b"));
    }

    #[test]
    fn a_map_is_written_with_its_rows() {
        let dir = tempfile::tempdir().unwrap();
        let projection = Projection {
            params: ProjectionParams { method: Method::Pca, tsne: TsneParams::default() },
            rows: (0..3).map(RowId).collect(),
            points: Arc::new([[1.5, 2.0], [0.0, -1.0], [3.0, 4.0]]),
            explained_variance: Arc::new([]),
            kl: Arc::new([]),
            quality: None,
            seconds: [0.0; 3],
        };
        let path = dir.path().join("map.csv");
        export_projection(&projection, &rows(), &path).unwrap();
        let text = fs_err::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "row,path,start,end,modality,label,x,y");
        assert_eq!(lines[1], "0,a/0.md,0,5,text,a,1.5,2");
        assert_eq!(lines.len(), 4);
    }
}
