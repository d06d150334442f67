//! Vectors and maps to files.
//!
//! The ending of the file's name says the format. Rows are written in order of path, then position. Invariant: row `n` of the
//! vectors and row `n` of what stands beside them are the same chunk.

mod metadata;
mod npz;
#[cfg(feature = "parquet")]
mod parquet;
mod stored;

use std::path::Path;

#[cfg(not(feature = "parquet"))]
use super::format::without_parquet;
use super::format::{Format, format_of, wrong_ending};
use super::more::Beside;
use super::{RowInfo, TaskError, forget_reduction, keep_reduction, set_table};
use crate::corpus::Corpus;
use crate::vectors::storage::{self, Precision};
use crate::vectors::{Vectors, npy, tsv};
use crate::workspace::{EmbeddingSet, MapPoints, Positions, Projection};
pub use stored::{StoredFile, export_stored};

/// Writes the vectors of a set: `.npy` (with `.metadata.jsonl` beside it), `.npz`, `.tsv` (with `.metadata.tsv`) or `.parquet`.
///
/// # Errors
/// Another ending; the file cannot be written.
pub fn export_vectors(set: &EmbeddingSet, corpus: &Corpus, path: &Path) -> Result<(), TaskError> {
    forget_reduction(path)?;
    export_table(&set.vectors, &set_table(corpus, set), path)?;
    if let [fitted] = &*set.reductions {
        keep_reduction(fitted, path)?;
    }
    Ok(())
}

/// As [`export_vectors`], for rows of any origin.
///
/// # Errors
/// Another ending; the file cannot be written.
pub fn export_table(vectors: &Vectors, rows: &[RowInfo], path: &Path) -> Result<(), TaskError> {
    match format_of(path) {
        Some(Format::Npy) => {
            npy::write(path, vectors)?;
            metadata::write_jsonl(rows, Beside::Vectors, &path.with_extension("metadata.jsonl"))
        }
        Some(Format::Tsv) => {
            tsv::write(path, vectors)?;
            metadata::write_tsv(rows, &path.with_extension("metadata.tsv"))
        }
        #[cfg(feature = "parquet")]
        Some(Format::Parquet) => parquet::write_vectors(vectors, rows, path),
        #[cfg(not(feature = "parquet"))]
        Some(Format::Parquet) => Err(without_parquet(path)),
        Some(Format::Npz) => npz::write(vectors, rows, path),
        Some(Format::Vectors) => {
            storage::write(path, vectors, Precision::F32)?;
            metadata::write_jsonl(rows, Beside::Vectors, &path.with_extension("metadata.jsonl"))
        }
        Some(Format::Csv) | None => Err(wrong_ending(path, ".npy, .npz, .tsv, .parquet or .vectors")),
    }
}

/// Writes a map: `.csv` or `.parquet` with the rows' columns and `x`, `y` (and `z` where it has three axes); or `.npy` with a column an
/// axis.
///
/// # Errors
/// Another ending; the file cannot be written.
pub fn export_projection(projection: &Projection, rows: &[RowInfo], path: &Path) -> Result<(), TaskError> {
    match &projection.space {
        Some(space) => export_points(space, rows, path),
        None => export_points(&projection.points, rows, path),
    }
}

/// Writes a map of a set, or of some of its rows, as [`export_projection`] does.
///
/// # Errors
/// Another ending; the file cannot be written.
pub fn export_map(map: &MapPoints, set: &EmbeddingSet, corpus: &Corpus, path: &Path) -> Result<(), TaskError> {
    let all = set_table(corpus, set);
    let on_map = map.rows.iter().filter_map(|&row| Some(all[set.position_of(row)?].clone()));
    let rows: Vec<RowInfo> = on_map.enumerate().map(|(row, info)| RowInfo { row, ..info }).collect();
    match &map.at {
        Positions::Plane(points) => export_points(points, &rows, path),
        Positions::Space(points) => export_points(points, &rows, path),
    }
}

fn export_points<const D: usize>(points: &[[f32; D]], rows: &[RowInfo], path: &Path) -> Result<(), TaskError> {
    match format_of(path) {
        Some(Format::Csv) => metadata::write_csv(rows, points, path),
        Some(Format::Npy) => {
            let flat: Vec<f32> = points.iter().flatten().copied().collect();
            npy::write(path, &Vectors::new(flat, D)?)?;
            metadata::write_jsonl(rows, Beside::Map, &path.with_extension("metadata.jsonl"))
        }
        #[cfg(feature = "parquet")]
        Some(Format::Parquet) => parquet::write_points(points, rows, path),
        #[cfg(not(feature = "parquet"))]
        Some(Format::Parquet) => Err(without_parquet(path)),
        Some(Format::Npz | Format::Tsv | Format::Vectors) | None => Err(wrong_ending(path, ".csv, .parquet or .npy")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::progress::Progress;
    use crate::projection::Method;
    use crate::tasks::import_vectors;
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
            model: "all-MiniLM-L6-v2".into(),
            ..RowInfo::default()
        };
        texts.iter().enumerate().map(row).collect()
    }

    #[test]
    fn vectors_come_back_as_they_went_out() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = Vectors::new(vec![0.1f32, -2.5, 3e-8, 4.0, 0.0, 6.25], 2).unwrap();
        let endings: &[&str] =
            if cfg!(feature = "parquet") { &["npy", "npz", "tsv", "parquet"] } else { &["npy", "npz", "tsv"] };
        for ending in endings {
            let path = dir.path().join(format!("out.{ending}"));
            export_table(&vectors, &rows(), &path).unwrap();
            let back = import_vectors(&path, &Progress::new()).unwrap();
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
        let rows = import_vectors(&path, &Progress::new()).unwrap().rows;
        assert_eq!(rows[0], RowInfo { label: "a".into(), more: rows[0].more.clone(), ..RowInfo::default() });
        let kept = ["size=large", "type=3", "modified=2020-01-01"];
        assert_eq!(besides(&rows, Beside::Vectors, 0), kept);
        assert_eq!((rows[1].row, rows[1].label.as_str()), (1, "b"));
    }

    /// Names and values of what a file says besides, of the row at a place.
    fn besides(rows: &[RowInfo], beside: Beside, at: usize) -> Vec<String> {
        let named = crate::tasks::more::kept(rows, beside);
        named.iter().map(|kept| format!("{}={}", kept.name, kept.cell(at).words())).collect()
    }

    #[cfg(feature = "parquet")]
    #[test]
    fn columns_that_mean_nothing_here_come_back_from_every_format() {
        let dir = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vectors/rich.parquet");
        let read = |path: &Path| import_vectors(path, &Progress::new()).unwrap();
        let given = read(&source);
        assert_eq!(given.notes, ["not kept, for they hold lists, structures or bytes: tags"]);
        let row = &given.rows[1];
        assert_eq!((row.path.as_str(), row.text.as_str(), row.label.as_str()), ("1.md", "about tomato soup", "5"));
        let mut expected = vec![
            "id=1099511627777",
            "title=tomato soup",
            "label=5",
            "year=1991",
            "author=Ann",
            "score=",
            "weight=0.1",
            "seen=false",
            "hash=18446744073709551614",
            "date=2024-02-29",
            "at=2024-02-29T23:59:59.500001Z",
            "z=1",
            "nothing=",
        ];
        assert_eq!(besides(&given.rows, Beside::Vectors, 1), expected);
        for ending in ["npy", "npz", "parquet", "tsv", "vectors"] {
            let path = dir.path().join(format!("out.{ending}"));
            export_table(&given.vectors, &given.rows, &path).unwrap();
            let mut back = read(&path);
            if ending == "parquet" {
                assert_eq!(back.rows, given.rows);
            }
            // A gap among numbers is NaN in NumPy's arrays, and a lone truth value a word.
            let shown = besides(&back.rows, Beside::Vectors, 1)
                .iter()
                .map(|s| s.replace("score=NaN", "score="))
                .collect::<Vec<_>>();
            let expected = if ending == "tsv" {
                expected.iter().filter(|field| **field != "label=5").copied().collect()
            } else {
                expected.clone()
            };
            assert_eq!(shown, expected, "{ending}");
            assert_eq!(back.rows.remove(1).label, "5", "{ending}");
        }
        // A map has an axis z of its own, or may have.
        expected.retain(|field| *field != "label=5");
        let at = expected.iter().position(|field| *field == "z=1").unwrap();
        expected[at] = "z_before=1";
        let params = ProjectionParams::new(Method::Pca);
        let points: Vec<[f32; 2]> = (0..7).map(|n| [n as f32, 0.5]).collect();
        let projection = Projection::new(params, (0..7).map(RowId).collect(), points.into());
        for ending in ["csv", "parquet", "npy"] {
            let path = dir.path().join(format!("map.{ending}"));
            export_projection(&projection, &given.rows, &path).unwrap();
            let back = read(&path);
            let shown = besides(&back.rows, Beside::Map, 1);
            assert_eq!(
                shown.iter().filter(|field| **field != "label=5").collect::<Vec<_>>(),
                expected.iter().collect::<Vec<_>>(),
                "{ending}"
            );
            assert_eq!(back.points.unwrap().front()[6], [6.0, 0.5], "{ending}");
            assert_eq!((back.rows[6].path.as_str(), back.rows[6].label.as_str()), ("6.md", "6"), "{ending}");
        }
    }

    #[test]
    fn a_map_is_written_with_its_rows() {
        let dir = tempfile::tempdir().unwrap();
        let params = ProjectionParams::new(Method::Pca);
        let points = Arc::new([[1.5, 2.0], [0.0, -1.0], [3.0, 4.0]]);
        let projection = Projection::new(params, (0..3).map(RowId).collect(), points);
        let path = dir.path().join("map.csv");
        export_projection(&projection, &rows(), &path).unwrap();
        let text = fs_err::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "row,path,start,end,modality,label,x,y");
        assert_eq!(lines[1], "0,a/0.md,0,5,text,a,1.5,2");
        assert_eq!(lines.len(), 4);
    }
}
