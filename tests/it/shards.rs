//! Vectors in several files that are one set (tests/fixtures/vectors/shards, by pyarrow), from the library and the command line.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use std::path::{Path, PathBuf};

use embedlens::corpus::LoadOptions;
use embedlens::progress::Progress;
use embedlens::tasks::{self, Environment, Imported, VectorSet};
use embedlens::vectors::{RowId, Vectors, npy};

use super::cli::rig::Rig;
use super::vectors_files::file;

fn read(paths: &[PathBuf]) -> Result<Imported, String> {
    tasks::import_set(&VectorSet::one(paths), &Progress::new()).map_err(|error| error.to_string())
}

/// The values that the fixture's rows hold.
fn values(rows: impl IntoIterator<Item = usize>) -> Vec<f32> {
    rows.into_iter().flat_map(|row| (0..4).map(move |column| ((row * 4 + column) as f32 - 9.0) / 4.0)).collect()
}

fn write(path: &Path, rows: std::ops::Range<usize>, dim: usize) {
    let all: Vec<f32> = rows.flat_map(|row| (0..dim).map(move |column| (row * dim + column) as f32 + 1.0)).collect();
    npy::write(path, &Vectors::new(all, dim).unwrap()).unwrap();
}

#[cfg(feature = "parquet")]
#[test]
fn a_hugging_face_folder_is_one_set_in_order_with_its_parts_as_labels() {
    assert!(tasks::holds_vectors(&file("shards")) && !tasks::holds_vectors(&file("")));
    let found = read(&[file("shards")]).unwrap();
    assert_eq!(found.vectors.values(), values((0..9).filter(|&row| row != 4)));
    let left: Vec<(usize, &str)> = found.left_out.iter().map(|(row, why)| (row.row, why.as_str())).collect();
    assert_eq!(left, [(4, "no vector in the file (row 1 of train-00001-of-00002.parquet)")]);
    let labels: Vec<&str> = found.rows.iter().map(|row| row.label.as_str()).collect();
    assert_eq!(labels, ["train", "train", "train", "train", "train", "validation", "validation", "test"]);
    assert_eq!((found.rows[7].text.as_str(), found.rows[7].row), ("text of 8", 8));
    assert!(found.notes.is_empty(), "{:?}", found.notes);
    // Columns that mean nothing here are those of all files.
    let dir = tempfile::tempdir().unwrap();
    let beside = dir.path().join("all.npy");
    tasks::export_table(&found.vectors, &found.rows, &beside, &Progress::new()).unwrap();
    let lines = fs_err::read_to_string(beside.with_extension("metadata.jsonl")).unwrap();
    let of = |line: usize, key: &str| {
        serde_json::from_str::<serde_json::Value>(lines.lines().nth(line).unwrap()).unwrap()[key].clone()
    };
    assert_eq!((of(0, "id"), of(0, "year"), of(0, "split")), (100.into(), 2000.into(), "train".into()));
    assert_eq!((of(4, "id"), of(4, "year")), (105.into(), serde_json::Value::Null));
    assert_eq!((of(7, "id"), of(7, "year"), of(7, "split")), (108.into(), serde_json::Value::Null, "test".into()));
}

#[cfg(feature = "parquet")]
#[test]
fn a_folder_opens_as_one_set_and_files_of_one_whole_too() {
    let open = |paths: &[PathBuf]| {
        tasks::open_vectors(paths, &LoadOptions::default(), &Environment::default(), &Progress::new()).unwrap()
    };
    let opened = open(&[file("shards")]);
    assert!(tasks::hold_vectors(&[file("shards")]));
    assert_eq!((opened.sets.len(), opened.corpus.items.len()), (1, 9));
    let set = &opened.sets[0].set;
    assert_eq!((set.card.name.as_str(), set.rows.len(), set.failed[0].0), ("shards", 8, RowId(4)));
    assert_eq!(opened.corpus.item_of(RowId(8)).shown_path, "shards/test/108");
    assert!(opened.corpus.item_of(RowId(7)).path.ends_with("validation-00000-of-00001.parquet"));
    assert_eq!(opened.corpus.text_of(RowId(8)), "text of 8");
    let train = [0, 1].map(|nth| file(&format!("shards/data/train-0000{nth}-of-00002.parquet")));
    let opened = open(&train);
    assert_eq!((opened.sets.len(), opened.corpus.items.len()), (1, 6));
    assert_eq!(opened.sets[0].set.card.name, "train-*-of-00002.parquet");
}

#[test]
fn a_file_that_does_not_fit_is_told_by_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write(&at("part-2.npy"), 0..3, 4);
    write(&at("part-10.npy"), 3..5, 4);
    let found = read(&[dir.path().to_owned()]).unwrap();
    assert_eq!(found.vectors.values(), (1..=20).map(|n| n as f32).collect::<Vec<_>>());
    assert!(found.rows.iter().all(|row| row.label.is_empty()));
    // One table for all of them.
    let labels: String = (0..5).map(|row| format!("{{\"label\":\"l{row}\"}}\n")).collect();
    fs_err::write(at("metadata.jsonl"), labels).unwrap();
    assert_eq!(read(&[dir.path().to_owned()]).unwrap().rows[4].label, "l4");
    let fault = |paths: &[PathBuf]| read(paths).err().unwrap_or_default();
    let twice = fault(&[at("part-2.npy"), at("part-2.npy")]);
    assert!(twice.contains("part-2.npy: it is given twice"), "{twice}");
    write(&at("part-11.npy"), 0..2, 3);
    let other = fault(&[dir.path().to_owned()]);
    assert!(
        other.contains("part-11.npy: its vectors have 3 dimensions, those of") && other.contains("move it out"),
        "{other}"
    );
    let good = fs_err::read(at("part-10.npy")).unwrap();
    fs_err::write(at("part-11.npy"), &good[..good.len() - 5]).unwrap();
    let cut = fault(&[dir.path().to_owned()]);
    assert!(cut.contains("part-11.npy: ") && cut.contains("download it again, or give"), "{cut}");
    // Vectors of several models are no set.
    write(&at("part-11.npy"), 0..2, 4);
    fs_err::remove_file(at("metadata.jsonl")).unwrap();
    for (name, model) in [("part-2", "a"), ("part-11", "b")] {
        let lines = format!("{{\"model\":\"{model}\"}}\n").repeat(if model == "a" { 3 } else { 2 });
        fs_err::write(at(&format!("{name}.metadata.jsonl")), lines).unwrap();
    }
    let models = fault(&[dir.path().to_owned()]);
    assert!(models.contains("part-11.npy: it says that b made its vectors"), "{models}");
}

#[test]
fn parts_that_are_not_there_are_told() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("train-00001-of-00003.npy"), 0..3, 4);
    let found = read(&[dir.path().to_owned()]).unwrap();
    let note = "2 of the 3 files of train are not here, the first number 00000: fetch them to have all rows";
    assert_eq!((found.notes, found.vectors.len()), (vec![note.to_owned()], 3));
}

/// Every command that takes a file of vectors takes a folder of them, and several files.
#[test]
fn commands_take_folders_of_vectors() {
    let rig = Rig::new();
    fs_err::create_dir(rig.path("set")).unwrap();
    let whole: Vec<f32> =
        (0..90u32).flat_map(|row| (0..6).map(move |c| ((row * 7 + c * 13) as f32 * 0.37).sin())).collect();
    for (nth, part) in whole.chunks(180).enumerate() {
        let name = format!("set/part-0000{nth}-of-00003.npy");
        npy::write(&rig.path(&name), &Vectors::new(part, 6).unwrap()).unwrap();
    }
    npy::write(&rig.path("whole.npy"), &Vectors::new(whole.clone(), 6).unwrap()).unwrap();
    let json = |args: &[&str]| rig.run(&[args, &["--json"]].concat()).succeeded().json();
    let files = [0, 1, 2].map(|nth| format!("set/part-0000{nth}-of-00003.npy"));
    let [a, b, c] = [&files[0], &files[1], &files[2]].map(String::as_str);
    let told = json(&["embed", "set", "--out", "all.npy"]);
    assert_eq!((&told["models"][0]["rows"], told["models"].as_array().unwrap().len()), (&90.into(), 1), "{told}");
    assert_eq!(npy::read(&rig.path("all.npy")).unwrap().values(), whole);
    json(&["embed", a, b, c, "--out", "files.npy"]);
    assert_eq!(npy::read(&rig.path("files.npy")).unwrap().values(), whole);
    for (nth, paths) in [&["whole.npy"][..], &["set"], &[a, b, c]].into_iter().enumerate() {
        let out = format!("near-{nth}.csv");
        let told = json(&[&["neighbours"], paths, &["--k", "3", "--out", &out]].concat());
        assert_eq!(told["rows"], 90);
        let out = format!("map-{nth}.csv");
        assert_eq!(json(&[&["project"], paths, &["--method", "pca", "--out", &out]].concat())["rows"], 90);
        assert_eq!(json(&[&["cluster"], paths, &["--method", "k-means", "--k", "2"]].concat())["rows"], 90);
    }
    let text = |name: &str| fs_err::read_to_string(rig.path(name)).unwrap();
    assert!(text("near-0.csv") == text("near-1.csv") && text("near-0.csv") == text("near-2.csv"));
    assert!(text("map-0.csv") == text("map-1.csv") && text("map-0.csv") == text("map-2.csv"));
    let bench = json(&["bench", "pca", "--input", "set", "--components", "2", "--runs", "1", "--no-peak"]);
    assert_eq!(bench["rows"], 90);
    let pairs = json(&["compare", "set", "whole.npy", "--neighbours", "3"]);
    assert_eq!((&pairs["models"][0]["id"], &pairs["pairs"][0]["neighbour_overlap"]), (&"set".into(), &1.0.into()));
    // What is read is not written into: it would be a part of it.
    let refused = rig.run(&["embed", "set", "--out", "set/all.npy"]).exits(2).stderr();
    assert!(refused.contains("would be another with this file in it"), "{refused}");
    // What is to be told of a set is in the document too.
    fs_err::rename(rig.path(b), rig.path("away.npy")).unwrap();
    let told = rig.run(&["project", "set", "--out", "few.csv", "-q", "--json"]).succeeded().json();
    let note = "set: 1 of the 3 files of part are not here, the first number 00001: fetch them to have all rows";
    assert_eq!(told["notes"], serde_json::json!([note]));
    fs_err::rename(rig.path("away.npy"), rig.path(b)).unwrap();
    // A folder with a text in it is a folder of texts, as before.
    rig.file("set/note.md", "Simmer the lentils.");
    let mixed = rig.json(&["embed", "set", "--out", "texts.npy"]);
    assert_eq!((&mixed["items"], mixed["skipped"].as_array().unwrap().len()), (&1.into(), 3));
    let refused = rig.run(&["bench", "pca", "--input", "set"]).exits(2).stderr();
    assert!(refused.contains("a folder that holds nothing else"), "{refused}");
}
