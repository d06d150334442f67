//! Comparing models, and files of vectors.

use super::rig::Rig;

#[test]
fn comparing_tells_agreement_and_cost() {
    let rig = Rig::with_notes();
    let args = ["compare", "notes", "--model", "all-MiniLM-L6-v2", "--model", "static", "-k", "2", "--json"];
    for _ in ["fresh", "from the cache"] {
        let told = rig.run(&args).succeeded().json();
        let pair = &told["pairs"][0];
        assert_eq!((&pair["a"], &pair["b"]), (&"all-MiniLM-L6-v2".into(), &"all-MiniLM-L6-v2-static-256".into()));
        for figure in ["neighbour_overlap", "cka", "procrustes"] {
            assert!((0.0..=1.0).contains(&pair[figure].as_f64().unwrap()), "{pair}");
        }
        assert_eq!(told["models"][1]["dimensions"], 256);
        assert!(told["models"][0]["items_per_second"].as_f64().unwrap() > 0.0);
        let memory = &told["models"][0]["model_memory_mb"];
        assert_eq!(memory.as_f64().is_some_and(|mb| mb > 1.0), cfg!(target_os = "linux"), "{memory}");
    }
}

#[test]
fn stored_vectors_are_compared_row_by_row() {
    let rig = Rig::with_notes();
    rig.json(&["embed", "notes", "--out", "static.npy"]);
    rig.run(&["embed", "notes", "--out", "minilm.npy", "--model", "minilm"]).succeeded();
    let stored = rig.run(&["compare", "minilm.npy", "static.npy", "-k", "2", "--json"]).succeeded().json();
    let models = ["compare", "notes", "--model", "minilm", "--model", "static", "-k", "2", "--json"];
    let models = rig.run(&models).succeeded().json();
    assert_eq!((&stored["pairs"][0]["a"], &stored["pairs"][0]["b"]), (&"minilm.npy".into(), &"static.npy".into()));
    for figure in ["rows", "neighbour_overlap", "cka", "procrustes"] {
        assert_eq!(stored["pairs"][0][figure], models["pairs"][0][figure], "{figure}");
    }
    rig.json(&["embed", "notes/food", "--out", "few.npy"]);
    let ran = rig.run(&["compare", "few.npy", "static.npy"]).exits(1);
    assert!(ran.stderr().contains("2 and 5 rows"), "{}", ran.stderr());
}

#[test]
fn one_row_in_common_is_said_to_be_too_few() {
    let rig = Rig::new();
    rig.file("one/a.txt", "a single note");
    let told = rig.run(&["compare", "one", "--model", "minilm", "--model", "static", "--json"]).succeeded().json();
    let reason = told["not_compared"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("at least two are needed"), "{reason}");
}
