//! Precisions of text models, and the benchmark of embedding.

use super::rig::{Rig, STATIC, lines};

#[test]
fn precisions_of_one_model_are_compared_under_their_names() {
    let rig = Rig::with_notes();
    let args = ["compare", "notes", "--model", "minilm", "--model", "minilm@int8", "-k", "2", "--json"];
    let told = rig.run(&args).succeeded().json();
    let pair = &told["pairs"][0];
    assert_eq!((&pair["a"], &pair["b"]), (&"all-MiniLM-L6-v2".into(), &"all-MiniLM-L6-v2@int8".into()));
    assert!(pair["cka"].as_f64().unwrap() > 0.9, "{pair}");
    // Named without an ending, a model takes the precision asked for: twice the same is one.
    let once = ["compare", "notes", "--model", "minilm", "--model", "minilm@int8", "--precision", "int8"];
    let ran = rig.run(&once).exits(2);
    assert!(ran.stderr().contains("at least twice"), "{}", ran.stderr());
}

#[test]
fn a_precision_is_taken_by_text_models_and_told_by_their_files() {
    let rig = Rig::with_notes();
    let told = rig.run(&["embed", "notes", "--out", "v.npy", "--precision", "int8", "--json"]).succeeded().json();
    assert_eq!(told["models"][0]["id"], "all-MiniLM-L6-v2@int8");
    assert!(lines(&rig.path("v.metadata.jsonl"))[0].contains("all-MiniLM-L6-v2@int8"));
    // Queries of those vectors are embedded in the same precision.
    let found = rig.run(&["search", "v.npy", "--query", "soup", "--json"]).succeeded().json();
    assert_eq!(found["model"], "all-MiniLM-L6-v2@int8");
    // A model without a choice has none, whatever is asked of the others.
    rig.run(&[&["embed", "notes", "--out", "w.npy", "--precision", "bf16"], STATIC].concat()).succeeded();
    let ran = rig.run(&["embed", "notes", "--out", "w.npy", "--model", "static@int8"]).exits(1);
    assert!(ran.stderr().contains("no choice of precision"), "{}", ran.stderr());
    rig.run(&["embed", "notes", "--out", "w.npy", "--precision", "int4"]).exits(2);
    rig.run(&["inspect", "lentils", "--precision", "int8", "--json"]).succeeded();
}

#[test]
fn the_list_of_models_says_what_runs_here() {
    let rig = Rig::new();
    let all = rig.run(&["models", "--json"]).succeeded().json();
    let card = |id: &str| all.as_array().unwrap().iter().find(|card| card["id"] == id).unwrap().clone();
    let precisions = card("all-MiniLM-L6-v2")["precisions"].clone();
    let words: Vec<_> = precisions.as_array().unwrap().iter().map(|one| one["precision"].as_str().unwrap()).collect();
    assert_eq!(words, ["f32", "bf16", "int8"]);
    assert_eq!((&precisions[0]["runs_as"], &precisions[2]["id"]), (&"f32".into(), &"all-MiniLM-L6-v2@int8".into()));
    assert_eq!(card("efficientnet-lite0")["precisions"], serde_json::json!([]));
    assert!(!card("all-MiniLM-L6-v2")["kernel"].as_str().unwrap().is_empty());
    assert!(rig.run(&["models"]).succeeded().stdout().contains("--precision f32, bf16 or int8"));
}

#[test]
fn embedding_is_timed_and_held_against_a_reference() {
    let rig = Rig::new();
    let texts = ["lentil soup", "the heron stands in the pond", "a train", "lentil soup"];
    let rows: Vec<String> = texts.iter().map(|text| format!("{{\"text\": \"{text}\"}}")).collect();
    rig.file("texts.jsonl", rows.join("\n"));
    rig.file("texts.txt", texts.join("\n"));
    let bench = ["bench", "embed", "--runs", "2", "--no-peak", "--json", "--model", "static", "--input"];
    let told = rig.run(&[&bench[..], &["texts.jsonl", "--dump", "v.npy"]].concat()).succeeded().json();
    assert_eq!((&told["texts"], &told["precision"], &told["dimensions"]), (&4.into(), &().into(), &256.into()));
    for figure in ["texts_per_second", "tokens_per_second"] {
        assert!(told[figure].as_f64().unwrap() > 0.0, "{told}");
    }
    assert_eq!((&told["query_ms"]["queries"], told["seconds"]["each_run"].as_array().unwrap().len()), (&50.into(), 2));
    let again = [&bench[..], &["texts.txt", "--reference", "v.npy"]].concat();
    let told = rig.run(&again).succeeded().json();
    assert!((told["cosine"]["min"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{told}");
    let few = [&bench[..], &["texts.txt", "--limit", "2", "--dump", "two.npy"]].concat();
    assert_eq!(rig.run(&few).succeeded().json()["texts"], 2);
    let ran = rig.run(&[&bench[..], &["texts.txt", "--reference", "two.npy"]].concat()).exits(1);
    assert!(ran.stderr().contains("2 vectors"), "{}", ran.stderr());
    let ran = rig.run(&[&bench[..], &["none.jsonl"]].concat()).exits(1);
    assert!(ran.stderr().contains("none.jsonl"), "{}", ran.stderr());
}

#[test]
fn a_table_of_texts_becomes_a_map_with_a_point_a_row() {
    let rig = Rig::new();
    let row =
        |n: usize| format!("{{\"id\": \"n{n}\", \"text\": \"text number {n} of soup\", \"label\": \"l{}\"}}\n", n % 3);
    rig.file("table.jsonl", (0..12).map(row).collect::<String>());
    let told = rig.json(&["project", "table.jsonl", "--method", "umap", "--neighbors", "5", "--out", "map.csv"]);
    assert_eq!((&told["items"], &told["rows"]), (&12.into(), &12.into()));
    assert!(lines(&rig.path("map.csv"))[1].contains("l0"));
}

#[test]
fn pictures_are_timed_from_a_folder() {
    let rig = Rig::new();
    fs_err::create_dir_all(rig.path("photos/more")).unwrap();
    for (name, shade) in [("photos/a.png", 10u8), ("photos/more/b.jpg", 200)] {
        image::RgbImage::from_fn(70, 50, |x, y| image::Rgb([shade, x as u8, y as u8])).save(rig.path(name)).unwrap();
    }
    rig.file("photos/notes.txt", "no picture");
    rig.file("photos/broken.png", "no picture either");
    let bench = ["bench", "embed", "--model", "efficientnet-lite0", "--input", "photos", "--runs", "1", "--no-peak"];
    let ran = rig.run(&[&bench[..], &["--dump", "v.npy", "--json"]].concat()).succeeded();
    assert!(ran.stderr().contains("broken.png: left out"), "{}", ran.stderr());
    let told = ran.json();
    assert_eq!((&told["pictures"], &told["tokens"]), (&2.into(), &0.into()));
    assert!(told["pictures_per_second"].as_f64().unwrap() > 0.0 && told["query_ms"]["median"].as_f64().unwrap() > 0.0);
    let vectors = embedlens::vectors::npy::read(&rig.path("v.npy")).unwrap();
    assert_eq!((vectors.len(), vectors.dim()), (2, 1280));
    let ran = rig.run(&["bench", "embed", "--input", "cache-of-nothing"]).exits(1);
    assert!(ran.stderr().contains("cache-of-nothing"), "{}", ran.stderr());
    fs_err::create_dir(rig.path("empty")).unwrap();
    let ran = rig.run(&["bench", "embed", "--model", "efficientnet-lite0", "--input", "empty"]).exits(1);
    assert!(ran.stderr().contains("no pictures"), "{}", ran.stderr());
}
