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
use super::saving::{Fill, Saved, save, save_vectors};
use super::{RowInfo, TaskError, keep_reduction, set_table};
use crate::corpus::Corpus;
use crate::progress::Progress;
use crate::vectors::storage::{self, Precision};
use crate::vectors::{Heard, Vectors, npy, tsv};
use crate::workspace::{EmbeddingSet, MapPoints, Positions, Projection};
pub use stored::{StoredFile, export_stored};

/// Writes the vectors of a set: `.npy` (with `.metadata.jsonl` beside it), `.npz`, `.tsv` (with `.metadata.tsv`) or `.parquet`. Stages of
/// `progress`: "Writing FILE", in rows.
///
/// # Errors
/// Cancelled, when what was there is as it was; another ending; the file cannot be written.
pub fn export_vectors(set: &EmbeddingSet, corpus: &Corpus, path: &Path, progress: &Progress) -> Result<(), TaskError> {
    export_table(&set.vectors, &set_table(corpus, set), path, progress)?;
    if let [fitted] = &*set.reductions {
        keep_reduction(fitted, path)?;
    }
    Ok(())
}

/// As [`export_vectors`], for rows of any origin. A reduction that is kept beside the vectors of before is removed.
///
/// # Errors
/// Those of [`export_vectors`].
pub fn export_table(vectors: &Vectors, rows: &[RowInfo], path: &Path, progress: &Progress) -> Result<(), TaskError> {
    let lines = |part: &Path, heard: Heard<'_>| metadata::fill_jsonl(rows, Beside::Vectors, part, heard);
    let with_lines = |fill: Fill<'_>| beside(path, rows, [fill, &lines], "metadata.jsonl", progress);
    match format_of(path) {
        Some(Format::Npy) => with_lines(&|part, heard| npy::fill(part, vectors, heard)),
        Some(Format::Vectors) => with_lines(&|part, heard| storage::fill(part, vectors, Precision::F32, heard)),
        Some(Format::Tsv) => {
            let table = |part: &Path, heard: Heard<'_>| metadata::fill_tsv(rows, part, heard);
            let fill: Fill<'_> = &|part, heard| tsv::fill(part, vectors, heard);
            beside(path, rows, [fill, &table], "metadata.tsv", progress)
        }
        #[cfg(feature = "parquet")]
        Some(Format::Parquet) => {
            alone(path, rows, &|part, heard| parquet::fill_vectors(vectors, rows, part, heard), progress)
        }
        #[cfg(not(feature = "parquet"))]
        Some(Format::Parquet) => Err(without_parquet(path)),
        Some(Format::Npz) => alone(path, rows, &|part, heard| npz::fill(vectors, rows, part, heard), progress),
        Some(Format::Csv) | None => Err(wrong_ending(path, ".npy, .npz, .tsv, .parquet or .vectors")),
    }
}

/// Writes one file of vectors that tells of its rows itself.
fn alone(path: &Path, rows: &[RowInfo], fill: Fill<'_>, progress: &Progress) -> Result<(), TaskError> {
    save_vectors(&[Saved { path, rows: rows.len(), fill }], progress)
}

/// Writes vectors and a table of their rows, whose name ends in `ending`.
fn beside(
    path: &Path,
    rows: &[RowInfo],
    [vectors, table]: [Fill<'_>; 2],
    ending: &str,
    progress: &Progress,
) -> Result<(), TaskError> {
    let beside = path.with_extension(ending);
    let rows = rows.len();
    save_vectors(&[Saved { path, rows, fill: vectors }, Saved { path: &beside, rows, fill: table }], progress)
}

/// Writes a map: `.csv` or `.parquet` with the rows' columns and `x`, `y` (and `z` where it has three axes); or `.npy` with a column an
/// axis. Stages of `progress`: "Writing FILE", in rows.
///
/// # Errors
/// Cancelled, when what was there is as it was; another ending; the file cannot be written.
pub fn export_projection(
    projection: &Projection,
    rows: &[RowInfo],
    path: &Path,
    progress: &Progress,
) -> Result<(), TaskError> {
    match &projection.space {
        Some(space) => export_points(space, rows, path, progress),
        None => export_points(&projection.points, rows, path, progress),
    }
}

/// Writes a map of a set, or of some of its rows, as [`export_projection`] does.
///
/// # Errors
/// Cancelled, when what was there is as it was; another ending; the file cannot be written.
pub fn export_map(
    map: &MapPoints,
    set: &EmbeddingSet,
    corpus: &Corpus,
    path: &Path,
    progress: &Progress,
) -> Result<(), TaskError> {
    let all = set_table(corpus, set);
    let on_map = map.rows.iter().filter_map(|&row| Some(all[set.position_of(row)?].clone()));
    let rows: Vec<RowInfo> = on_map.enumerate().map(|(row, info)| RowInfo { row, ..info }).collect();
    match &map.at {
        Positions::Plane(points) => export_points(points, &rows, path, progress),
        Positions::Space(points) => export_points(points, &rows, path, progress),
    }
}

fn export_points<const D: usize>(
    points: &[[f32; D]],
    rows: &[RowInfo],
    path: &Path,
    progress: &Progress,
) -> Result<(), TaskError> {
    let count = rows.len();
    let alone = |fill: Fill<'_>| save(&[Saved { path, rows: count, fill }], progress);
    match format_of(path) {
        Some(Format::Csv) => alone(&|part, heard| metadata::fill_csv(rows, points, part, heard)),
        Some(Format::Npy) => {
            let flat: Vec<f32> = points.iter().flatten().copied().collect();
            let (vectors, beside) = (Vectors::new(flat, D)?, path.with_extension("metadata.jsonl"));
            let lines = |part: &Path, heard: Heard<'_>| metadata::fill_jsonl(rows, Beside::Map, part, heard);
            let fill: Fill<'_> = &|part, heard| npy::fill(part, &vectors, heard);
            save(&[Saved { path, rows: count, fill }, Saved { path: &beside, rows: count, fill: &lines }], progress)
        }
        #[cfg(feature = "parquet")]
        Some(Format::Parquet) => alone(&|part, heard| parquet::fill_points(points, rows, part, heard)),
        #[cfg(not(feature = "parquet"))]
        Some(Format::Parquet) => Err(without_parquet(path)),
        Some(Format::Npz | Format::Tsv | Format::Vectors) | None => Err(wrong_ending(path, ".csv, .parquet or .npy")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
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
            export_table(&vectors, &rows(), &path, &Progress::new()).unwrap();
            let back = import_vectors(&path, &Progress::new()).unwrap();
            assert_eq!((back.vectors.values(), back.vectors.dim()), (vectors.values(), 2), "{ending}");
            assert_eq!(back.rows[0], rows()[0], "{ending}");
            let text = if *ending == "tsv" { "with \"quotes\", and lines" } else { "with \"quotes\",\tand\nlines" };
            assert_eq!(back.rows[1], RowInfo { text: text.into(), ..rows()[1].clone() }, "{ending}");
        }
        assert!(export_table(&vectors, &rows(), &dir.path().join("out.xyz"), &Progress::new()).is_err());
    }

    #[test]
    fn who_stops_the_writing_finds_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let vectors = Vectors::new(vec![0.5f32; 6], 2).unwrap();
        let projection = Projection::new(
            ProjectionParams::new(Method::Pca),
            (0..3).map(RowId).collect(),
            vec![[0.0, 1.0]; 3].into(),
        );
        let endings: &[&str] = if cfg!(feature = "parquet") {
            &["npy", "npz", "tsv", "vectors", "parquet", "csv"]
        } else {
            &["npy", "npz", "tsv", "vectors", "csv"]
        };
        for ending in endings {
            let path = dir.path().join(format!("out.{ending}"));
            let export = |progress: &Progress| match *ending {
                "csv" => export_projection(&projection, &rows(), &path, progress),
                _ => export_table(&vectors, &rows(), &path, progress),
            };
            let files = || {
                let entries = fs_err::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
                entries.map(|path| (fs_err::read(&path).unwrap(), path)).collect::<std::collections::BTreeSet<_>>()
            };
            fs_err::write(&path, "of before").unwrap();
            fs_err::write(crate::tasks::reduction_path(&path), "how it was made").unwrap();
            let before = files();
            let progress = Progress::new();
            progress.cancel();
            assert!(export(&progress).unwrap_err().is_cancelled(), "{ending}");
            assert!(progress.view().done > 0 && files() == before, "{ending}: it was begun, and nothing was changed");
            export(&Progress::new()).unwrap();
            assert!(!files().is_superset(&before) && import_vectors(&path, &Progress::new()).is_ok(), "{ending}");
        }
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
            export_table(&given.vectors, &given.rows, &path, &Progress::new()).unwrap();
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
            export_projection(&projection, &given.rows, &path, &Progress::new()).unwrap();
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
        export_projection(&projection, &rows(), &path, &Progress::new()).unwrap();
        let text = fs_err::read_to_string(path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "row,path,start,end,modality,label,x,y");
        assert_eq!(lines[1], "0,a/0.md,0,5,text,a,1.5,2");
        assert_eq!(lines.len(), 4);
    }
}
