//! The command line as a user meets it: files in a folder, one command, what it prints and leaves behind.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// A folder of files, a cache of its own, and the program.
struct Rig {
    dir: tempfile::TempDir,
}

/// What a command left behind.
struct Ran {
    output: Output,
}

const STATIC: &[&str] = &["--model", "all-MiniLM-L6-v2-static-256"];

impl Rig {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A folder with two subjects in two subfolders, a function, and files that make no sense.
    fn with_notes() -> Self {
        let rig = Self::new();
        rig.file("notes/food/soup.md", "Simmer the lentils with onions, carrots and cumin until they are soft.");
        rig.file("notes/food/bread.txt", "Bake the bread for forty minutes in a hot oven.");
        rig.file("notes/space/stars.txt", "The telescope shows distant galaxies and faint stars.");
        rig.file("notes/space/rocket.txt", "The rocket left the launch pad toward the moon.");
        rig.file("notes/add.py", "def add(a, b):\n    \"\"\"Adds two numbers.\"\"\"\n    return a + b\n");
        rig.file("notes/empty.txt", "");
        rig
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_embedlens"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.env("EMBEDLENS_CACHE", self.path("cache")).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran { output: self.command(args).output().unwrap() }
    }

    /// Runs with the fast static model, which makes the test quick, and `--json`.
    fn json(&self, args: &[&str]) -> Value {
        self.run(&[args, STATIC, &["--json"]].concat()).succeeded().json()
    }

    fn cache_files(&self, ending: &str) -> Vec<PathBuf> {
        let entries = fs_err::read_dir(self.path("cache/vectors")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|end| end == ending)).collect()
    }
}

impl Ran {
    fn succeeded(self) -> Self {
        assert!(self.output.status.success(), "exit {:?}: {}", self.output.status.code(), self.stderr());
        self
    }

    fn exits(self, code: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(code), "{}", self.stderr());
        self
    }

    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    /// The one JSON document on stdout.
    fn json(&self) -> Value {
        let document = serde_json::from_slice(&self.output.stdout);
        document.unwrap_or_else(|error| panic!("{error} in {}", self.stdout()))
    }
}

fn lines(path: &Path) -> Vec<String> {
    fs_err::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

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
fn searching_finds_the_obvious_with_both_text_models() {
    let rig = Rig::with_notes();
    let by_static = rig.json(&["search", "notes", "--query", "cooking lentils", "--top", "3"]);
    let by_minilm =
        rig.run(&["search", "notes", "--query", "cooking legumes", "--top", "3", "--json"]).succeeded().json();
    for told in [by_static, by_minilm] {
        let results = told["results"].as_array().unwrap();
        let first = &results[0];
        assert!(first["path"].as_str().unwrap().ends_with("food/soup.md"), "{first}");
        assert_eq!(first["rank"], 1);
        assert!(first["snippet"].as_str().unwrap().contains("lentils"));
        assert!(first["end"].as_u64() > first["start"].as_u64());
        let texts: Vec<f64> =
            results.iter().filter(|hit| hit["modality"] == "text").map(|hit| hit["score"].as_f64().unwrap()).collect();
        assert!(texts.len() == 3 && texts.is_sorted_by(|a, b| a >= b), "{texts:?}");
        assert_eq!(results.iter().filter(|hit| hit["modality"] == "code").count(), 1);
    }
}

#[test]
fn pictures_are_found_by_a_picture_and_have_a_file_of_their_own() {
    let rig = Rig::with_notes();
    let picture = |name: &str, shade: u8| {
        let made = image::RgbImage::from_fn(64, 48, |x, y| image::Rgb([shade, (x * 4) as u8, (y * 5) as u8]));
        made.save(rig.path(name)).unwrap();
    };
    picture("notes/red.png", 250);
    picture("notes/grey.png", 90);
    let told = rig.run(&["search", "notes", "--image", "notes/red.png", "--json"]).succeeded().json();
    let results = told["results"].as_array().unwrap();
    assert!(results.iter().all(|hit| hit["modality"] == "image") && results.len() == 2);
    assert!(results[0]["path"].as_str().unwrap().ends_with("red.png"));
    assert!((results[0]["score"].as_f64().unwrap() - 1.0).abs() < 1e-3);
    let ran = rig.run(&["search", "notes", "--query", "red", "--model", "efficientnet-lite0"]).exits(1);
    assert!(ran.stderr().contains("words cannot be asked"), "{}", ran.stderr());
    let by_words = rig.run(&["search", "notes", "--query", "a red thing", "--json"]).succeeded().json();
    let found = |modality: &str| by_words["results"].as_array().unwrap().iter().any(|hit| hit["modality"] == modality);
    assert!(found("text") && found("code") && found("image"));
    let told = rig.run(&["embed", "notes", "--out", "all.npy", "--json"]).succeeded().json();
    assert_eq!((&told["models"][0]["dimensions"], &told["models"][1]["dimensions"]), (&384.into(), &1280.into()));
    let (first, second) = (rig.path("all.npy"), rig.path("all-efficientnet-lite0.npy"));
    let rows = |path: &Path| embedlens::vectors::npy::read(path).unwrap().len();
    assert_eq!((rows(&first), rows(&second)), (5, 2));
}

#[test]
fn a_map_has_a_row_for_each_chunk_whether_from_files_or_vectors() {
    let rig = Rig::with_notes();
    let told = rig.json(&["project", "notes", "--method", "pca", "--out", "map.csv"]);
    assert_eq!(told["rows"], 5);
    assert!(told["trustworthiness"].is_number() && told["neighbour_preservation"].is_number());
    assert!(told["explained_variance"].as_array().unwrap().len() >= 2);
    assert!(told.get("peak_memory_mb").is_some());
    for stage in ["load", "embed", "neighbours", "layout", "total"] {
        assert!(told["seconds"][stage].is_number(), "{told}");
    }
    let table = lines(&rig.path("map.csv"));
    assert_eq!((table[0].as_str(), table.len()), ("row,path,start,end,modality,label,x,y", 6));

    rig.json(&["embed", "notes", "--out", "vectors.npy"]);
    rig.run(&["project", "vectors.npy", "--method", "pca", "--out", "again.csv"]).succeeded();
    assert_eq!(lines(&rig.path("again.csv")), table);
    let live =
        |out| rig.run(&["project", "vectors.npy", "--method", "tsne", "--iterations", "60", "--out", out, "--json"]);
    let told = live("t1.npy").succeeded().json();
    assert!(told["explained_variance"].is_null() && told["kl"].as_array().unwrap().len() == 2, "{told}");
    live("t2.npy").succeeded();
    assert_eq!(fs_err::read(rig.path("t1.npy")).unwrap(), fs_err::read(rig.path("t2.npy")).unwrap());
}

#[test]
fn a_map_is_drawn_without_a_display() {
    let rig = Rig::with_notes();
    let told =
        rig.json(&["render", "notes", "--out", "map.png", "--width", "400", "--height", "300", "--title", "Notes"]);
    assert_eq!((&told["width"], &told["height"], &told["points"]), (&400.into(), &300.into(), &5.into()));
    let png = fs_err::read(rig.path("map.png")).unwrap();
    assert_eq!(&png[..4], b"\x89PNG");
    for column in ["language", "size", "modified", "truncated"] {
        rig.json(&["render", "notes", "--out", "map.png", "--width", "200", "--height", "200", "--colour-by", column]);
    }
    rig.json(&["render", "notes", "--out", "map.svg", "--theme", "dark", "--colour-by", "modality"]);
    let svg = fs_err::read_to_string(rig.path("map.svg")).unwrap();
    assert!(svg.contains("<svg") && svg.contains("code"));
}

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
    }
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
fn stored_vectors_are_searched_with_the_model_that_made_them() {
    let rig = Rig::with_notes();
    rig.json(&["embed", "notes/food", "--out", "food.npy"]);
    rig.json(&["embed", "notes/space", "--out", "space.npy"]);
    let told = rig.json(&["search", "space.npy", "food.npy", "--query", "cooking lentils", "--top", "3"]);
    let results = told["results"].as_array().unwrap();
    assert_eq!((results.len(), &told["rows"]), (3, &4.into()));
    let first = &results[0];
    assert!(first["path"].as_str().unwrap().ends_with("soup.md"), "{first}");
    assert!(first["snippet"].as_str().unwrap().contains("lentils") && first["vectors"] == "food.npy");
    let from_files = rig.json(&["search", "notes/food", "--query", "cooking lentils"]);
    assert_eq!(from_files["results"][0]["score"], first["score"]);
    for part in ["load", "embed", "query", "search"] {
        assert!(from_files["seconds"][part].is_number(), "{from_files}");
    }
    // Without --model the dimensions tell; a wrong one is named with both numbers.
    let ran = rig.run(&["search", "food.npy", "--query", "soup"]).succeeded();
    assert!(ran.stderr().contains("256 dimensions") && ran.stdout().contains("soup.md"), "{}", ran.stderr());
    let ran = rig.run(&["search", "food.npy", "--query", "soup", "--model", "minilm"]).exits(1);
    assert!(ran.stderr().contains("256 dimensions") && ran.stderr().contains("384"), "{}", ran.stderr());
    for command in [&["search", "food.npy", "notes", "--query", "x"][..], &["compare", "food.npy", "notes"]] {
        let ran = rig.run(command).exits(2);
        assert!(ran.stderr().contains("holds vectors and notes does not"), "{}", ran.stderr());
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
fn a_folder_of_bad_files_fails_with_everything_it_knows() {
    let rig = Rig::new();
    for number in 0..30 {
        // Thirty different reasons.
        rig.file(&format!("bad/{number}.txt"), vec![b'x'; (number + 3) * 1_000_000]);
    }
    rig.file("bad/empty.txt", "");
    for args in [
        &["embed", "bad", "--out", "x.npy"][..],
        &["project", "bad", "--out", "x.csv"],
        &["search", "bad", "--query", "x"],
    ] {
        let ran = rig.run(&[args, &["--json", "--max-text-mb", "2"]].concat()).exits(1);
        let told = ran.json();
        assert!(told["error"]["summary"].is_string(), "{told}");
        assert_eq!(
            (&told["items"], &told["chunks"], told["skipped"].as_array().unwrap().len()),
            (&0.into(), &0.into(), 31)
        );
        assert!(ran.stderr().contains("Left out 31 files") && ran.stderr().contains("or in Reading options"));
        assert!(ran.stderr().contains("and 19 more reasons"), "{}", ran.stderr());
    }
}

#[test]
fn inspecting_shows_tokens_and_what_was_cut() {
    let rig = Rig::new();
    let told = rig.run(&["inspect", "The lentils simmer.", "--json"]).succeeded().json();
    assert_eq!(told["tokens"][0], "[CLS]");
    assert_eq!(told["tokens"].as_array().unwrap().len(), told["ids"].as_array().unwrap().len());
    assert_eq!((&told["truncated"], told["vector"].as_array().unwrap().len()), (&0.into(), 384));
    let long = "soup ".repeat(300);
    let told = rig.run(&["inspect", &long, "--json"]).succeeded().json();
    assert!(told["truncated"].as_u64().unwrap() > 40);
}

#[test]
fn models_are_listed_with_what_they_can_and_cannot() {
    let told = Rig::new().run(&["models", "--json"]).succeeded().json();
    let ids: Vec<&str> = told.as_array().unwrap().iter().map(|card| card["id"].as_str().unwrap()).collect();
    assert_eq!(ids[0], "all-MiniLM-L6-v2");
    for card in told.as_array().unwrap() {
        for field in
            ["name", "modality", "dimensions", "licence", "source", "available", "strengths", "weaknesses", "best_for"]
        {
            assert!(!card[field].is_null(), "{field} of {}", card["id"]);
        }
        assert!(card.get("context_tokens").is_some());
    }
}

#[test]
fn wrong_usage_exits_2_and_failures_exit_1() {
    let rig = Rig::with_notes();
    for wrong in [
        &["embed", "notes"][..],
        &["embed", "notes", "--out", "x.doc"],
        &["embed", "notes", "--out", "x.npy", "--chunk-tokens", "10", "--overlap-tokens", "10"],
        &["search", "notes"],
        &["search", "notes", "--query", " "],
        &["compare", "notes", "--model", "static"],
        &["project", "notes", "--out", "x.csv", "--method", "umap"],
        &["project", "notes", "--out", "x.csv", "--perplexity", "-3"],
        &["embed", "notes", "--out", "x.npy", "--chunk-tokens", "18446744073709551615"],
        &["render", "notes", "--out", "x.png", "--width", "10"],
        &["render", "notes", "--out", "x.png", "--height", "99999"],
        &["--perspective", "exploer"],
        &["nonsense"],
    ] {
        let ran = rig.run(wrong).exits(2);
        assert!(ran.stdout().is_empty() && ran.stderr().contains("--help"), "{wrong:?}: {}", ran.stderr());
    }
    let ran = rig.run(&["embed", "nowhere", "--out", "x.npy", "--json"]).exits(1);
    assert!(ran.json()["error"]["summary"].as_str().unwrap().contains("nowhere"));
    let ran = rig.run(&["embed", "notes", "--out", "x.npy", "--model", "no-such-model"]).exits(1);
    assert!(ran.stderr().contains("no-such-model") && ran.stderr().contains("embedlens models"), "{}", ran.stderr());
    rig.file("bad.npy", "not an array");
    rig.run(&["project", "bad.npy", "--out", "x.csv"]).exits(1);
    let ran = rig.run(&[]).exits(1);
    assert!(ran.stderr().contains("embedlens models"), "{}", ran.stderr());
}

#[test]
fn an_engine_for_few_points_fails_before_anything_is_embedded() {
    let rig = Rig::new();
    rig.file("many.txt", "one two three four five\n\n".repeat(5200));
    let args = ["project", "many.txt", "--out", "x.csv", "--method", "tsne", "--engine", "linfa"];
    let chunks = ["--chunk-tokens", "5", "--overlap-tokens", "0"];
    let ran = rig.run(&[&args[..], &chunks, STATIC].concat()).exits(1);
    assert!(ran.stderr().contains("5000"), "{}", ran.stderr());
    assert!(!rig.path("cache/vectors").exists(), "nothing was embedded");
}

#[test]
fn quiet_says_nothing_and_help_says_how() {
    let rig = Rig::with_notes();
    let ran = rig.run(&[&["embed", "notes", "--out", "x.npy", "--quiet"], STATIC].concat()).succeeded();
    assert_eq!(ran.stderr(), "");
    for command in ["models", "embed", "project", "search", "compare", "inspect", "render"] {
        let help = rig.run(&[command, "--help"]).succeeded().stdout();
        assert!(help.contains("Example") && help.contains("--json"), "{help}");
    }
}

/// Whether any committed row is in the cache yet.
fn committed(rig: &Rig) -> bool {
    let Ok(entries) = fs_err::read_dir(rig.path("cache/vectors")) else { return false };
    let mut sizes = entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "seg"));
    sizes.any(|entry| entry.metadata().is_ok_and(|meta| meta.len() > 64 + 384 * 4))
}

fn wait_until(child: &mut Child, done: impl Fn() -> bool) {
    while !done() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[cfg(unix)]
#[test]
fn work_done_before_a_kill_is_not_done_again() {
    let rig = Rig::new();
    for number in 0..200 {
        let text = format!("Note {number}: ")
            + &format!("the {number}th soup simmers beside the {number}th star. ").repeat(12);
        rig.file(&format!("many/{number:03}.txt"), text);
    }
    let args = ["embed", "many", "--out", "out.npy", "--json"];
    let mut child = rig.command(&args).spawn().unwrap();
    wait_until(&mut child, || committed(&rig));
    // The index follows the segment at once; a moment makes sure of it.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let was_running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    let told = rig.run(&args).succeeded().json();
    let (cached, embedded) = (told["cached"].as_u64().unwrap(), told["embedded"].as_u64().unwrap());
    assert!(cached > 0, "{cached} of {} came from the cache", cached + embedded);
    assert_eq!(cached + embedded, told["chunks"].as_u64().unwrap());
    assert!(!was_running || embedded > 0 || cached == told["chunks"].as_u64().unwrap());
    assert_eq!(rig.run(&args).succeeded().json()["embedded"], 0);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_with_130_and_keeps_what_was_done() {
    let rig = Rig::new();
    for number in 0..400 {
        rig.file(
            &format!("many/{number:03}.txt"),
            format!("Note {number}: ") + &"soup and stars and bread. ".repeat(30),
        );
    }
    let mut child = rig.command(&["embed", "many", "--out", "out.npy"]).spawn().unwrap();
    wait_until(&mut child, || committed(&rig));
    let asked = std::time::Instant::now();
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("Interrupted") && asked.elapsed().as_secs() < 5, "{said}");
    assert!(!rig.path("out.npy").exists());
}

/// A folder of files that make no sense in every way there is.
#[cfg(unix)]
fn hostile(rig: &Rig) -> Vec<(&'static str, &'static str)> {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(60, 60).write_to(&mut png, image::ImageFormat::Png).unwrap();
    let png = png.into_inner();
    let mut noise: Vec<u8> = (0..3000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    noise.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = 0x81);
    rig.file("odd/good.md", "# Good\n\nWords.");
    rig.file("odd/empty.txt", "");
    rig.file("odd/zeros.txt", b"abc\0\0def");
    rig.file("odd/noise.txt", noise);
    rig.file("odd/cut.png", &png[..png.len() / 2]);
    rig.file("odd/bomb.png", crate::corpus::png_header(30_000, 30_000));
    fs_err::write(rig.path("odd").join(std::ffi::OsStr::from_bytes(b"caf\xe9.txt")), "a name that is no UTF-8")
        .unwrap();
    rig.file("odd/long.txt", "word ".repeat(300_000));
    rig.file("odd/v.npy", b"\x93NUMPY\x01\0\0\0");
    rig.file("odd/v.metadata.jsonl", "{}");
    rig.file("odd/deep/locked.txt", "locked");
    fs_err::set_permissions(rig.path("odd/deep/locked.txt"), std::fs::Permissions::from_mode(0o000)).unwrap();
    symlink("nowhere", rig.path("odd/dangling.txt")).unwrap();
    symlink("..", rig.path("odd/deep/up")).unwrap();
    symlink("/", rig.path("odd/disk")).unwrap();
    let mut listed = vec![
        ("empty.txt", "empty"),
        ("zeros.txt", "binary"),
        ("noise.txt", "not readable as text"),
        ("cut.png", ""),
        ("bomb.png", "raise with --max-megapixels"),
        ("long.txt", "raise with --max-text-mb"),
        ("v.npy", "binary"),
        ("v.metadata.jsonl", "written by Embedlens"),
        ("dangling.txt", "link to nothing"),
        ("deep/up", "link loop"),
        ("disk", "link loop"),
        ("pipe", "not a regular file"),
    ];
    if fs_err::File::open(rig.path("odd/deep/locked.txt")).is_err() {
        listed.push(("deep/locked.txt", "no permission"));
    }
    assert!(Command::new("mkfifo").arg(rig.path("odd/pipe")).status().unwrap().success());
    listed
}

#[cfg(unix)]
#[test]
fn a_hostile_folder_is_embedded_with_one_entry_for_each_file_left_out() {
    let rig = Rig::new();
    let listed = hostile(&rig);
    let told = rig.json(&["embed", "odd", "nowhere", "--out", "out.npy", "--max-text-mb", "1"]);
    let skipped = told["skipped"].as_array().unwrap();
    for (path, reason) in &listed {
        let path = format!("odd/{path}");
        let entries: Vec<&str> = skipped
            .iter()
            .filter(|entry| entry["path"] == *path)
            .map(|entry| entry["reason"].as_str().unwrap())
            .collect();
        assert!(entries.len() == 1 && entries[0].contains(reason), "{path}: {entries:?}");
    }
    assert!(skipped.iter().any(|entry| entry["path"] == "nowhere"));
    assert_eq!(skipped.len(), listed.len() + 1, "{skipped:#?}");
    let good = if listed.iter().any(|(path, _)| *path == "deep/locked.txt") { 2 } else { 3 };
    assert_eq!(told["items"], good);
}
