//! Files of vectors that other programs wrote (tests/fixtures/vectors, by NumPy and pyarrow), read and opened; and what we write, read back.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use std::path::{Path, PathBuf};

use embedlens::corpus::LoadOptions;
use embedlens::models::{ModelCard, ModelId, ModelSource};
use embedlens::progress::Progress;
use embedlens::tasks::{self, Environment, Imported, OpenedSet, Query, QueryRequest};
use embedlens::vectors::RowId;

const WORDS: [&str; 7] = ["lentil soup", "tomato soup", "grey heron", "white stork", "oak", "birch", "fern"];
const KINDS: [&str; 7] = ["soups", "soups", "birds", "birds", "plants", "plants", "plants"];

pub(super) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/vectors").join(name)
}

fn read(name: &str) -> Imported {
    tasks::import_vectors(&file(name), &Progress::new()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn fault(name: &str) -> String {
    tasks::import_vectors(&file(name), &Progress::new()).err().map(|error| error.to_string()).unwrap_or_default()
}

fn open(paths: &[PathBuf]) -> tasks::Opened {
    tasks::open_vectors(paths, &LoadOptions::default(), &Environment::default(), &Progress::new()).unwrap()
}

/// The value that the fixtures hold at a place.
fn value(row: usize, column: usize) -> f32 {
    ((row * 4 + column) as f32 - 9.0) / 4.0
}

fn assert_whole(name: &str) -> Imported {
    let found = read(name);
    assert_eq!((found.vectors.len(), found.vectors.dim()), (7, 4), "{name}");
    for row in 0..7 {
        let expected: Vec<f32> = (0..4).map(|column| value(row, column)).collect();
        assert_eq!(found.vectors.row(row), expected, "{name}, row {row}");
    }
    assert!(found.left_out.is_empty());
    found
}

fn texts(found: &Imported) -> Vec<&str> {
    found.rows.iter().map(|row| row.text.as_str()).collect()
}

fn labels(found: &Imported) -> Vec<&str> {
    found.rows.iter().map(|row| row.label.as_str()).collect()
}

#[cfg(feature = "parquet")]
#[test]
fn a_hugging_face_data_set_is_read_and_rows_without_a_vector_are_told() {
    let found = read("hugging-face.parquet");
    assert_eq!((found.vectors.len(), found.vectors.dim()), (5, 4));
    let rows: Vec<usize> = found.rows.iter().map(|row| row.row).collect();
    assert_eq!(rows, [1, 2, 3, 4, 6]);
    assert_eq!(found.vectors.row(0), [value(1, 0), value(1, 1), value(1, 2), value(1, 3)]);
    let left: Vec<(usize, &str)> = found.left_out.iter().map(|(row, why)| (row.row, why.as_str())).collect();
    assert_eq!(left, [(0, "no vector in the file"), (5, "a value of its vector is missing")]);
    assert_eq!(found.left_out_words().unwrap(), "2 rows were left out; the first, row 0: no vector in the file");
    // Classes are told by their names, not their numbers.
    assert_eq!((found.rows[1].path.as_str(), found.rows[1].label.as_str()), ("doc-2", "birds"));
    assert_eq!(found.rows[1].text, "grey heron");
}

#[cfg(feature = "parquet")]
#[test]
fn every_layout_of_parquet_is_read() {
    let atlas = assert_whole("atlas.parquet");
    assert_eq!((texts(&atlas), labels(&atlas)), (WORDS.to_vec(), KINDS.to_vec()));
    assert_eq!(atlas.points.unwrap().front()[3], [3.0, -3.0]);
    let halves = assert_whole("halves.parquet");
    assert_eq!((halves.rows[6].path.as_str(), halves.points), ("https://example.org/6/", None));
    let plane = read("plane.parquet");
    assert_eq!((plane.vectors.row(6), plane.points.unwrap().front()[6]), (&[6.0, 12.0][..], [6.0, 12.0]));
    assert_eq!(plane.rows[6].text, "fern");
    let space = read("space.parquet");
    assert_eq!(
        (space.vectors.row(6), space.points.unwrap().space().unwrap()[6]),
        (&[6.0, 12.0, 3.0][..], [6.0, 12.0, 3.0])
    );
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_of_every_compression_is_read() {
    for codec in ["none", "snappy", "gzip", "brotli", "lz4", "zstd"] {
        let found = read(&format!("codec-{codec}.parquet"));
        assert_eq!(found.vectors.values(), [0.5, -1.25, 3.0, 0.125, -7.0, 2.5], "{codec}");
        assert_eq!(texts(&found), ["soup", "heron", "loop"], "{codec}");
    }
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_without_vectors_names_the_file_and_its_columns() {
    let none = fault("none.parquet");
    assert!(none.contains("none.parquet: no column of vectors"), "{none}");
    assert!(none.contains("name (Utf8), age (Int64)"), "{none}");
    let two = fault("two.parquet");
    assert!(
        two.contains("two.parquet: several columns may be the vectors: first (") && two.contains("second ("),
        "{two}"
    );
    let progress = Progress::new();
    progress.cancel();
    assert!(tasks::import_vectors(&file("atlas.parquet"), &progress).unwrap_err().is_cancelled());
}

#[test]
fn archives_of_arrays_are_read_with_their_labels() {
    let named = assert_whole("named.npz");
    assert_eq!((texts(&named), labels(&named)), (WORDS.to_vec(), KINDS.to_vec()));
    // Without names the other array is of labels, by their number.
    assert_eq!(labels(&assert_whole("plain.npz")), ["2", "2", "0", "0", "1", "1", "1"]);
}

#[test]
fn the_projectors_pair_of_tables_is_read() {
    let found = assert_whole("vecs.tsv");
    assert_eq!((texts(&found), labels(&found)), (WORDS.to_vec(), KINDS.to_vec()));
}

#[cfg(feature = "parquet")]
#[test]
fn a_file_opens_as_a_corpus_with_a_set_and_no_model() {
    let opened = open(&[file("hugging-face.parquet")]);
    let corpus = &opened.corpus;
    assert_eq!((corpus.items.len(), corpus.chunks.len()), (7, 7));
    assert_eq!(corpus.text_of(RowId(2)), "grey heron");
    assert_eq!(corpus.item_of(RowId(2)).label, "birds");
    assert_eq!(corpus.item_of(RowId(2)).shown_path, "hugging-face.parquet/birds/doc-2");
    assert!(corpus.chunk(RowId(2)).tokens >= 2);
    let [OpenedSet { set, points: None, .. }] = &opened.sets[..] else { panic!("one set, without a map") };
    assert_eq!(set.card.id, ModelId("vectors:hugging-face.parquet".into()));
    assert!(
        matches!(&set.card.source, ModelSource::File { made_by: None, .. }) && set.card.about.contains("unknown model")
    );
    assert_eq!(set.rows.iter().map(|row| row.0).collect::<Vec<_>>(), [1, 2, 3, 4, 6]);
    assert_eq!(set.failed[0], (RowId(0), "no vector in the file".to_owned()));
    // Neighbours need no model.
    assert_eq!(tasks::nearest(set, RowId(3), 10).len(), 4);
    assert_eq!(tasks::nearest(set, RowId(4), 1)[0].0, RowId(6));

    let query = Query::Text("bird".into());
    let request = QueryRequest {
        corpus: opened.corpus.clone(),
        sets: vec![set.clone().into()],
        query,
        top: 3,
        only: tasks::Only::default(),
    };
    let answer = tasks::answer(&request, &Environment::default(), &Progress::new()).unwrap();
    assert!(answer.groups.is_empty());
    let why = "hugging-face.parquet was made by an unknown model: choose a row to see its neighbours";
    assert_eq!(answer.unanswered, [(set.card.id.clone(), why.to_owned())]);
}

#[test]
fn rows_that_nothing_is_known_of_have_numbers_and_nothing_to_embed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bare.npy");
    let values: Vec<f32> = (0..60).map(|n| (n as f32 * 0.7).sin()).collect();
    let vectors = embedlens::vectors::Vectors::new(values, 2).unwrap();
    embedlens::vectors::npy::write(&path, &vectors).unwrap();
    let opened = open(std::slice::from_ref(&path));
    assert_eq!(opened.corpus.item_of(RowId(17)).shown_path, "bare.npy/row 17");
    assert_eq!(opened.corpus.text_of(RowId(17)), "");
    // Two dimensions are a map.
    assert_eq!(opened.sets[0].points.as_ref().unwrap().front()[17], [vectors.row(17)[0], vectors.row(17)[1]]);
    let request = tasks::EmbedRequest::new(opened.corpus.clone(), ModelId("all-MiniLM-L6-v2-static-256".into()));
    let error = tasks::embed(&request, &Environment::default(), &Progress::new()).err().unwrap();
    assert!(matches!(error, tasks::TaskError::NothingToEmbed { .. }), "{error}");
    // Another number of rows is no set of the same rows.
    let other = open_fault(&[path, file("vecs.tsv")]);
    assert!(other.contains("vecs.tsv: it has 7 rows") && other.contains("bare.npy has 30"), "{other}");
}

fn open_fault(paths: &[PathBuf]) -> String {
    let opened = tasks::open_vectors(paths, &LoadOptions::default(), &Environment::default(), &Progress::new());
    opened.err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn two_files_of_the_same_rows_are_two_sets_to_compare() {
    let opened = open(&[file("vecs.tsv"), file("plain.npz")]);
    assert_eq!(opened.sets.len(), 2);
    // The texts come from the file that has them.
    assert_eq!(opened.corpus.text_of(RowId(6)), "fern");
    let [a, b] = [0, 1].map(|place: usize| std::sync::Arc::new(opened.sets[place].set.clone()));
    let agreed = tasks::agree(&tasks::AgreeRequest { a, b, k: 3 }, &Environment::default(), &Progress::new()).unwrap();
    assert!((agreed.mean_overlap - 1.0).abs() < 1e-6);
}

#[cfg(feature = "bundled-models")]
#[test]
fn what_embed_writes_opens_with_its_model_and_answers() {
    let dir = tempfile::tempdir().unwrap();
    let notes = dir.path().join("notes");
    for (kind, word) in KINDS.iter().zip(WORDS) {
        fs_err::create_dir_all(notes.join(kind)).unwrap();
        fs_err::write(notes.join(kind).join(format!("{word}.txt")), word).unwrap();
    }
    let environment = Environment::default();
    let request = tasks::LoadRequest { paths: vec![notes], ..Default::default() };
    let corpus = std::sync::Arc::new(tasks::load(&request, &environment, &Progress::new()).unwrap());
    let model = ModelId("all-MiniLM-L6-v2-static-256".into());
    let request = tasks::EmbedRequest::new(corpus.clone(), model.clone());
    let (set, _) = tasks::embed(&request, &environment, &Progress::new()).unwrap();
    let endings: &[&str] =
        if cfg!(feature = "parquet") { &["npy", "npz", "tsv", "parquet"] } else { &["npy", "npz", "tsv"] };
    for ending in endings {
        let path = dir.path().join(format!("{ending}.{ending}"));
        tasks::export_vectors(&set, &corpus, &path, &Progress::new()).unwrap();
        let opened = open(std::slice::from_ref(&path));
        let back = &opened.sets[0].set;
        assert_eq!(back.vectors.values(), set.vectors.values(), "{ending}");
        assert_eq!((back.card.maker(), back.card.is_of_file()), (Some(&model), true), "{ending}");
        assert_eq!(opened.corpus.items[0].shown_path, format!("{ending}.{ending}/birds/grey heron.txt"));
        let request = QueryRequest {
            corpus: opened.corpus.clone(),
            sets: vec![back.clone().into()],
            query: Query::Text("tomato soup".into()),
            top: 2,
            only: tasks::Only::default(),
        };
        let answer = tasks::answer(&request, &environment, &Progress::new()).unwrap();
        let best = answer.groups[0].hits[0];
        assert_eq!(opened.corpus.text_of(best.0), "tomato soup", "{ending}");
        assert!((best.1 - 1.0).abs() < 1e-4, "{ending}");
    }
}

/// A model that is not here, or whose vectors are of another length, is named but not used.
#[test]
fn a_model_that_does_not_fit_is_not_asked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.npy");
    embedlens::vectors::npy::write(&path, &embedlens::vectors::Vectors::new(vec![1.0; 12], 4).unwrap()).unwrap();
    let beside = "{\"text\":\"a\",\"model\":\"all-MiniLM-L6-v2\"}\n".repeat(3);
    fs_err::write(dir.path().join("v.metadata.jsonl"), beside).unwrap();
    let card: ModelCard = open(&[path]).sets.remove(0).set.card;
    assert_eq!((card.maker(), card.text_query_model.as_ref()), (None, None));
    assert!(card.about.contains("all-MiniLM-L6-v2 made them, which is not here with 4 dimensions"), "{}", card.about);
}

#[cfg(feature = "parquet")]
#[test]
fn pictures_inside_a_data_set_are_seen() {
    let cache = tempfile::tempdir().unwrap();
    let env = Environment { cache_dir: Some(cache.path().to_owned()), ..Environment::default() };
    let (options, progress) = (LoadOptions::default(), Progress::new());
    let path = file("pictures.parquet");
    for _ in 0..2 {
        let opened = tasks::open_vectors(std::slice::from_ref(&path), &options, &env, &progress).unwrap();
        let items = &opened.corpus.items;
        let kinds: Vec<&str> = items.iter().map(|item| item.modality.name()).collect();
        assert_eq!(
            kinds,
            ["image", "image", "text", "text", "image"],
            "without bytes, or broken, it is a row as any other"
        );
        let shown: Vec<&str> = items.iter().map(|item| item.shown_path.as_str()).collect();
        let at = |label: &str, name: &str| format!("pictures.parquet/{label}/{name}");
        assert_eq!(shown[..2], [at("a", "red.png"), at("b", "row 1")]);
        assert_eq!(shown[4], at("a", "again.png"));
        // The first and the last are the same picture, kept once; all can be looked at again.
        assert_eq!((&items[0].path, items[0].hash), (&items[4].path, items[4].hash));
        let picture = embedlens::corpus::read_image(&items[1].path, 10).unwrap();
        assert_eq!((picture.dimensions(), picture.get_pixel(3, 3).0), ((12, 8), [20, 235, 40]));
        assert_eq!(opened.sets[0].set.rows.len(), 5);
        assert_eq!(fs_err::read_dir(cache.path().join("pictures")).unwrap().count(), 3);
    }
    let plain = tasks::open_vectors(&[path], &options, &Environment::default(), &progress).unwrap();
    assert!(
        plain.corpus.items.iter().all(|item| item.modality.name() == "text"),
        "without a cache there is no place for them"
    );
}

/// Tables by pandas, in another order than the vectors: one names the row, one is its index.
#[test]
fn a_table_that_numbers_its_rows_is_paired_by_the_numbers() {
    for name in ["shuffled.npy", "shuffled.tsv"] {
        let found = read(name);
        assert_eq!(found.vectors.row(6), [2.25, 2.5, 2.75]);
        let expected: Vec<String> = (0..7).map(|row| format!("text of {row}")).collect();
        assert_eq!(texts(&found), expected, "{name}");
        assert!(found.notes.is_empty(), "{name}: {:?}", found.notes);
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("v.npy");
    embedlens::vectors::npy::write(&path, &embedlens::vectors::Vectors::new(vec![1.0; 12], 4).unwrap()).unwrap();
    let beside = |name: &str, text: &str| fs_err::write(dir.path().join(name), text).unwrap();
    let read = || tasks::import_vectors(&path, &Progress::new());
    let fault = |name: &str, rows: &[&str]| {
        let lines: String = rows.iter().map(|row| format!("{{\"row\":{row},\"text\":\"of {row}\"}}\n")).collect();
        beside(name, &lines);
        read().err().map(|error| error.to_string()).unwrap_or_default()
    };
    let twice = fault("v.metadata.jsonl", &["2", "1", "2"]);
    assert!(twice.contains("v.metadata.jsonl: line 3 is of row 2, as line 1 is: number every row once"), "{twice}");
    let beyond = fault("v.metadata.jsonl", &["2", "3", "1"]);
    assert!(beyond.contains("line 2 is of row 3, but the last of 3 vectors is row 2"), "{beyond}");
    let gap = fault("v.metadata.jsonl", &["2", "null", "1"]);
    assert!(gap.contains("line 2 does not say which row it is of"), "{gap}");
    let few = fault("v.metadata.jsonl", &["2", "0"]);
    assert!(few.contains("2 rows for 3 vectors (none is of row 1)"), "{few}");
    // Beside any file, such a table may be of another: it is told.
    fs_err::remove_file(dir.path().join("v.metadata.jsonl")).unwrap();
    assert_eq!(fault("metadata.jsonl", &["2", "1", "2"]), "");
    let found = read().unwrap();
    assert!(
        found.notes[0].starts_with("metadata.jsonl beside it was passed over: line 3 is of row 2"),
        "{:?}",
        found.notes
    );
    // An index may mean something else.
    fs_err::remove_file(dir.path().join("metadata.jsonl")).unwrap();
    beside("v.metadata.tsv", "index\ttext\n5\ta\n5\tb\n1\tc\n");
    let found = read().unwrap();
    assert_eq!((texts(&found), found.notes.len()), (vec!["a", "b", "c"], 1));
    assert!(found.notes[0].contains("v.metadata.tsv: its index does not number the rows"), "{:?}", found.notes);
}
