//! Embedding: what is written, what the cache spares, what is counted.

use serde_json::Value;

use super::rig::{Rig, STATIC, lines};

#[test]
fn embedding_writes_vectors_and_what_they_are_of() {
    let rig = Rig::with_notes();
    let told = rig.json(&["embed", "notes", "--out", "out.npy"]);
    assert_eq!(
        (&told["items"], &told["chunks"], &told["dimensions"], &told["cached"]),
        (&5.into(), &5.into(), &256.into(), &0.into())
    );
    assert_eq!(told["skipped"][0]["reason"], "empty");
    assert!(told["items_per_second"].as_f64().unwrap() > 0.0 && told["tokens_per_second"].as_f64().unwrap() > 0.0);
    let vectors = embedlens::vectors::npy::read(&rig.path("out.npy")).unwrap();
    assert_eq!((vectors.len(), vectors.dim()), (5, 256));
    for row in vectors.rows() {
        let length: f32 = row.iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-4);
    }
    let beside: Vec<Value> =
        lines(&rig.path("out.metadata.jsonl")).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let paths: Vec<&str> = beside.iter().map(|row| row["path"].as_str().unwrap()).collect();
    assert!(paths.is_sorted() && paths.len() == 5, "{paths:?}");
    let soup = beside.iter().find(|row| row["path"].as_str().unwrap().ends_with("soup.md")).unwrap();
    assert_eq!((&soup["label"], &soup["modality"], &soup["start"]), (&"food".into(), &"text".into(), &0.into()));
    assert!(soup["text"].as_str().unwrap().starts_with("Simmer"));
    let names: Vec<&str> = soup.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
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
    assert_eq!(names, expected);
    assert_eq!((&soup["type"], &soup["encoding"], &soup["size"]), (&"Markdown".into(), &"UTF-8".into(), &70.into()));
}

#[test]
fn a_second_run_embeds_nothing_and_gives_the_same_bytes() {
    let rig = Rig::with_notes();
    rig.json(&["embed", "notes", "--out", "one.npy"]);
    let second = rig.json(&["embed", "notes", "--out", "two.npy"]);
    assert_eq!((&second["cached"], &second["embedded"]), (&5.into(), &0.into()));
    assert!(second["items_per_second"].is_null());
    assert_eq!(fs_err::read(rig.path("one.npy")).unwrap(), fs_err::read(rig.path("two.npy")).unwrap());
    rig.file("notes/space/new.txt", "Mars has two moons.");
    let third = rig.json(&["embed", "notes", "--out", "three.npy"]);
    assert_eq!((&third["cached"], &third["embedded"]), (&5.into(), &1.into()));
    let without = rig.json(&["embed", "notes", "--out", "four.npy", "--threads", "1", "--seed", "7"]);
    assert_eq!(without["cached"], 6);
}

#[test]
fn without_the_cache_nothing_is_kept_even_where_the_environment_names_one() {
    let rig = Rig::with_notes();
    for out in ["one.npy", "two.npy"] {
        assert_eq!(rig.json(&["embed", "notes", "--out", out, "--no-cache"])["cached"], 0);
    }
    assert!(!rig.path("cache/vectors").exists());
}

#[test]
fn damaged_cache_files_are_set_aside_and_made_anew() {
    let rig = Rig::with_notes();
    rig.json(&["embed", "notes", "--out", "good.npy"]);
    let good = fs_err::read(rig.path("good.npy")).unwrap();

    let segment = rig.cache_files("seg").pop().unwrap();
    let mut bytes = fs_err::read(&segment).unwrap();
    bytes.truncate(64 + 2 * 1024 + 10);
    fs_err::write(&segment, bytes).unwrap();
    let ran = rig.run(&[&["embed", "notes", "--out", "a.npy", "--json"], STATIC].concat()).succeeded();
    assert!(ran.stderr().contains("set aside"), "{}", ran.stderr());
    assert_eq!(ran.json()["cached"], 2);
    assert_eq!(fs_err::read(rig.path("a.npy")).unwrap(), good);

    for index in rig.cache_files("sqlite") {
        fs_err::write(index, "no database").unwrap();
    }
    let ran = rig.run(&[&["embed", "notes", "--out", "b.npy", "--json"], STATIC].concat()).succeeded();
    assert!(ran.stderr().contains("index of the vector cache was damaged"), "{}", ran.stderr());
    assert_eq!(ran.json()["cached"], 0);
    assert_eq!(fs_err::read(rig.path("b.npy")).unwrap(), good);
    assert!(fs_err::read_dir(rig.path("cache/vectors/damaged")).unwrap().count() >= 2);
    assert_eq!(rig.json(&["embed", "notes", "--out", "c.npy"])["cached"], 5);
}

#[test]
fn output_is_neither_the_next_runs_input_nor_written_over_it() {
    let rig = Rig::with_notes();
    let first = rig.json(&["embed", "notes", "--out", "notes/v.npy"]);
    let second = rig.json(&["embed", "notes", "--out", "notes/v.npy"]);
    assert_eq!(first["items"], second["items"]);
    let before = fs_err::read(rig.path("notes/v.npy")).unwrap();
    for command in ["project", "render"] {
        let out = if command == "project" { "notes/../notes/v.npy" } else { "notes/v.png" };
        let from = if command == "project" { "notes/v.npy" } else { "notes/v.png" };
        rig.file("notes/v.png", "a picture");
        let ran = rig.run(&[command, from, "--out", out]).exits(2);
        assert!(ran.stderr().contains("write over the input"), "{}", ran.stderr());
    }
    assert_eq!(fs_err::read(rig.path("notes/v.npy")).unwrap(), before);
}

#[test]
fn one_model_by_two_names_is_used_once() {
    let rig = Rig::with_notes();
    let args = ["embed", "notes", "--out", "x.npy", "--json", "--model", "static", "--model", STATIC[1]];
    let told = rig.run(&args).succeeded().json();
    assert_eq!(told["models"].as_array().unwrap().len(), 1);
    rig.run(&["compare", "notes", "--model", "static", "--model", STATIC[1]]).exits(2);
}

#[test]
fn repetitions_do_not_make_a_model_seem_faster() {
    let rig = Rig::new();
    for number in 0..40 {
        rig.file(&format!("same/{number}.txt"), "The same few words in every file.");
    }
    let told = rig.json(&["embed", "same", "--out", "x.npy"]);
    let model = &told["models"][0];
    assert_eq!((&model["rows"], &model["inputs_embedded"]), (&40.into(), &1.into()));
    assert!(told["peak_memory_mb"].as_f64().is_none_or(|mb| mb > 1.0) && told["loading_seconds"].is_number());
}

#[test]
fn vectors_are_stored_in_fewer_bits_and_the_loss_is_told() {
    let rig = Rig::with_notes();
    let whole = rig.json(&["embed", "notes", "--out", "n.npy"]);
    let mut sizes = Vec::new();
    for (bits, most) in [("f32", 1e-6), ("f16", 1e-5), ("int8", 1e-3)] {
        let told = rig.json(&["embed", "notes", "--out", "n.vectors", "--store", bits]);
        let stored = &told["models"][0]["stored"];
        assert_eq!(stored["precision"], bits);
        assert!(
            stored["turned"].as_f64().unwrap() <= most && stored["neighbours_kept"].as_f64().unwrap() > 0.8,
            "{stored}"
        );
        sizes.push(stored["bytes"].as_u64().unwrap());
        let found = rig.run(&["search", "n.vectors", "--query", "lentil soup", "--json"]).succeeded().json();
        assert!(found["results"][0]["path"].as_str().unwrap().ends_with("soup.md"), "{found}");
        assert_eq!(found["rows"], whole["models"][0]["rows"]);
    }
    assert!(sizes[0] > sizes[1] && sizes[1] > sizes[2], "{sizes:?}");
    rig.run(&["embed", "notes", "--out", "n.npy", "--store", "int8"]).exits(2);
}

#[test]
fn shorter_vectors_are_written_and_files_of_vectors_take_another_form() {
    let rig = Rig::with_notes();
    let told = rig.json(&["embed", "notes", "--out", "short.npy", "--reduce", "pca:3"]);
    let reduced = &told["models"][0]["reduced"];
    let shares: Vec<f64> =
        reduced["explained_variance"].as_array().unwrap().iter().map(|share| share.as_f64().unwrap()).collect();
    assert_eq!((&reduced["dimensions"], shares.len()), (&3.into(), 3));
    assert!(shares.is_sorted_by(|a, b| a >= b) && shares.iter().sum::<f64>() <= 1.0 + 1e-6, "{shares:?}");
    let read = |name: &str| embedlens::vectors::npy::read(&rig.path(name)).unwrap();
    assert_eq!((read("short.npy").len(), read("short.npy").dim()), (5, 3));
    // The same from a file; vectors of another length are not the model's, and no model is named.
    rig.json(&["embed", "notes", "--out", "whole.npy"]);
    rig.run(&["embed", "whole.npy", "--out", "again.npy", "--reduce", "pca:3"]).succeeded();
    assert_eq!(read("again.npy").values(), read("short.npy").values());
    let ran = rig.run(&["search", "again.npy", "--query", "soup"]).exits(2);
    assert!(ran.stderr().contains("3 dimensions"), "{}", ran.stderr());
    rig.run(&["embed", "whole.npy", "--out", "first.npy", "--reduce", "truncate:7"]).succeeded();
    let (whole, first) = (read("whole.npy"), read("first.npy"));
    let scale = first.row(0)[0] / whole.row(0)[0];
    assert!((0..7).all(|at| (first.row(0)[at] - scale * whole.row(0)[at]).abs() < 1e-6));
    // Another form keeps values, texts and the model's name.
    rig.run(&["embed", "whole.npy", "--out", "whole.npz"]).succeeded();
    let told = rig.run(&["search", "whole.npz", "--query", "lentils", "--json"]).succeeded().json();
    assert!(told["results"][0]["path"].as_str().unwrap().ends_with("soup.md"));
    // Several files keep apart, or are refused.
    fs_err::create_dir(rig.path("other")).unwrap();
    fs_err::copy(rig.path("first.npy"), rig.path("other/whole.npy")).unwrap();
    rig.run(&["embed", "first.npy", "whole.npy", "--out", "both.npy"]).succeeded();
    assert_eq!((read("both.npy").dim(), read("both-whole.npy").dim()), (7, 256));
    let ran = rig.run(&["embed", "first.npy", "whole.npy", "other/whole.npy", "--out", "both.npy"]).exits(2);
    assert!(ran.stderr().contains("both-whole.npy"), "{}", ran.stderr());
    for (more, said) in [(&["--reduce", "pca:999"][..], "256 dimensions"), (STATIC, "hold vectors already")] {
        let ran = rig.run(&[&["embed", "whole.npy", "--out", "x.npy"], more].concat()).exits(2);
        assert!(ran.stderr().contains(said), "{}", ran.stderr());
    }
}
