//! Vectors kept in half and double precision and in bytes: decoded as `NumPy` does it (tests/fixtures/vectors), and reduced where they lie.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use std::path::{Path, PathBuf};

use embedlens::progress::Progress;
use embedlens::projection::{Pca, Reduction, reduce};
use embedlens::tasks;
use embedlens::vectors::storage::{self, Precision};
use embedlens::vectors::{RowBlocks, Rows, Vectors, npy};
use npyz::WriterBuilder;

use super::vectors_files::file;

/// A file, and what NumPy makes of it in single precision.
const FILES: [[&str; 2]; 4] = [
    ["halves.npy", "halves-single.npy"],
    ["doubles.npy", "doubles-single.npy"],
    ["halves.vectors", "halves-single.npy"],
    ["bytes.vectors", "bytes-single.npy"],
];

fn rows_of(path: &Path) -> Rows {
    let ours = path.extension().is_some_and(|ending| ending == "vectors");
    if ours { storage::open_rows(path).unwrap().0 } else { npy::open_rows(path).unwrap() }
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// Bit for bit, but for what kind of NaN it is.
fn assert_same(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let both_nan = found.is_nan() && expected.is_nan();
        assert!(both_nan || found.to_bits() == expected.to_bits(), "{what}[{at}]: {found:e} for {expected:e}");
    }
}

#[test]
fn every_kind_of_number_is_decoded_as_numpy_does_it() {
    for [name, single] in FILES {
        let (rows, expected) = (rows_of(&file(name)), npy::read(&file(single)).unwrap());
        assert!(matches!(rows, Rows::Stored(_)), "{name} stays in its file");
        assert_eq!((rows.row_count(), rows.row_length()), (expected.len(), expected.dim()), "{name}");
        for threads in [1, 4] {
            assert_same(in_pool(threads, || rows.decoded()).unwrap().values(), expected.values(), name);
        }
        let mut room = vec![7.0; 1000];
        for taken in [0..0, 0..1, 3..10, 5..expected.len(), expected.len()..expected.len()] {
            let part = &expected.values()[taken.start * expected.dim()..taken.end * expected.dim()];
            assert_same(rows.block(taken.clone(), &mut room).unwrap(), part, &format!("{name}, {taken:?}"));
            assert!(rows.lent(taken).is_none());
        }
        if name.ends_with("npy") {
            assert_same(npy::read(&file(name)).unwrap().values(), expected.values(), name);
        }
    }
}

#[test]
fn what_was_cut_short_or_is_empty_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for [name, _] in FILES {
        let (whole, path) = (fs_err::read(file(name)).unwrap(), folder.path().join(name));
        for cut in [1, 2, 100, whole.len() - 70] {
            fs_err::write(&path, &whole[..whole.len() - cut]).unwrap();
            let error = tasks::import_rows(&path, &Progress::new()).err().map(|error| error.to_string());
            let error = error.unwrap_or_else(|| panic!("{name} less {cut} bytes was taken for whole"));
            assert!(error.contains(name), "{error}");
        }
    }
    let none = folder.path().join("none.vectors");
    storage::write(&none, &Vectors::new(Vec::new(), 3).unwrap(), Precision::Int8).unwrap();
    assert_eq!((rows_of(&none).row_count(), rows_of(&none).decoded().unwrap().len()), (0, 0));
}

/// Squares of such values vanish in single precision, wherever the rows lie.
#[test]
fn values_too_small_for_anything_are_told_before_work_begins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.npy");
    for (factor, refused) in [(1e-18, true), (1e-14, false)] {
        npy::write(&path, &Vectors::new(vec![factor; 12], 4).unwrap()).unwrap();
        let error =
            tasks::import_rows(&path, &Progress::new()).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error.contains("tiny.npy: no value is beyond 1e-18: multiply the vectors"), refused, "{error}");
        assert_eq!(tasks::import_vectors(&path, &Progress::new()).is_err(), refused);
    }
}

/// Values of falling variance, not all of them sound where asked.
fn made(rows: usize, dim: usize, broken: bool) -> Vectors {
    let mut values: Vec<f32> = (0..rows * dim)
        .map(|at| 0.3 + ((at * 7919 % 104_729) as f32 * 0.613).sin() / (1.0 + (at % dim) as f32).sqrt())
        .collect();
    if broken {
        values[dim + 1] = f32::NAN;
        values[5 * dim] = f32::INFINITY;
    }
    Vectors::new(values, dim).unwrap()
}

fn write_halves(path: &Path, vectors: &Vectors) {
    let mut out = Vec::new();
    let shape = [vectors.len() as u64, vectors.dim() as u64];
    let options = npyz::WriteOptions::<half::f16>::new().default_dtype().shape(&shape);
    let mut writer = options.writer(&mut out).begin_nd().unwrap();
    writer.extend(vectors.values().iter().map(|&value| half::f16::from_f32(value))).unwrap();
    writer.finish().unwrap();
    fs_err::write(path, out).unwrap();
}

/// The three ways of PCA (by columns, by rows, by iteration, the last of more bytes than are read at once) and the two others, from the
/// file and from its decoded rows.
#[test]
fn reducing_in_the_file_is_reducing_what_was_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let paths: [PathBuf; 3] = ["h.npy", "h.vectors", "b.vectors"].map(|name| folder.path().join(name));
    for (rows, dim, broken) in [(3000, 70, false), (3000, 70, true), (40, 90, false), (2060, 2060, false)] {
        let vectors = made(rows, dim, broken);
        write_halves(&paths[0], &vectors);
        storage::write(&paths[1], &vectors, Precision::F16).unwrap();
        storage::write(&paths[2], &vectors, Precision::Int8).unwrap();
        // The iteration is slow.
        let iterated = dim > 2048;
        for path in if iterated { &paths[1..2] } else { &paths[..] } {
            let (stored, decoded) = (rows_of(path), rows_of(path).decoded().unwrap());
            let known = Pca::fit(&decoded, 3).unwrap();
            for threads in [1, 4] {
                let fitted = in_pool(threads, || Pca::fit_blocks(&stored, 3, &Progress::new())).unwrap();
                assert_eq!(fitted, known, "{} {rows} x {dim}, {threads} threads", path.display());
                let ways = [Reduction::Truncate { k: 5 }, Reduction::Random { k: 2, seed: 9 }, Reduction::Pca { k: 3 }];
                for &way in &ways[..if iterated { 2 } else { 3 }] {
                    let short = |rows: &dyn RowBlocks| reduce(rows, way, &Progress::new()).unwrap();
                    let (from_file, from_memory) = (in_pool(threads, || short(&stored)), short(&decoded));
                    assert_same(from_file.values(), from_memory.values(), &format!("{way:?}"));
                }
            }
        }
    }
}

#[test]
fn rows_that_cannot_be_used_are_left_out_of_a_file_that_was_not_decoded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h.npy");
    write_halves(&path, &made(400, 6, true));
    let whole = tasks::import_vectors(&path, &Progress::new()).unwrap();
    let rows = tasks::import_rows(&path, &Progress::new()).unwrap();
    assert_eq!(rows.left_out_words(), whole.left_out_words());
    assert!(rows.left_out_words().unwrap().starts_with("2 rows were left out; the first, row 1:"));
    assert_eq!((rows.vectors.row_count(), rows.rows[1].row), (398, 2));
    assert_eq!(rows.vectors.decoded().unwrap().values(), whole.vectors.values());
    write_halves(&path, &made(400, 6, false));
    let sound = tasks::import_rows(&path, &Progress::new()).unwrap();
    assert!(matches!(sound.vectors, Rows::Stored(_)) && sound.left_out.is_empty() && sound.rows.len() == 400);
    // Two dimensions are a map, wherever they are kept.
    write_halves(&path, &made(400, 2, false));
    assert_eq!(tasks::import_rows(&path, &Progress::new()).unwrap().points.unwrap().front().len(), 400);
}
