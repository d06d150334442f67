//! Searching, inspecting, and the list of models.

use std::path::Path;

use super::rig::Rig;

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
fn a_search_keeps_to_kinds_folders_and_paths() {
    let rig = Rig::with_notes();
    let paths = |told: &serde_json::Value| -> Vec<String> {
        let of = |hit: &serde_json::Value| hit["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        let mut all: Vec<String> = told["results"].as_array().unwrap().iter().map(of).collect();
        all.sort();
        all
    };
    let ask = |more: &[&str]| rig.json(&[&["search", "notes", "--query", "cooking lentils"], more].concat());
    assert_eq!(paths(&ask(&[])), ["add.py", "bread.txt", "rocket.txt", "soup.md", "stars.txt"]);
    assert_eq!(paths(&ask(&["--only", "*.txt"])), ["bread.txt", "rocket.txt", "stars.txt"]);
    assert_eq!(paths(&ask(&["--only", "food/*", "--only", "*.py"])), ["add.py", "bread.txt", "soup.md"]);
    assert_eq!(paths(&ask(&["--folder", "food"])), ["bread.txt", "soup.md"]);
    let told = ask(&["--folder", "space", "--only", "st*", "--kind", "text"]);
    assert_eq!((paths(&told), &told["within"]), (vec!["stars.txt".to_owned()], &1.into()));
    assert_eq!(paths(&ask(&["--kind", "code"])), ["add.py"]);
    let ran = rig.run(&["search", "notes", "--query", "x", "--folder", "nowhere"]).succeeded();
    assert!(
        ran.stderr().contains("No row is of the kind") && ran.stdout().contains("Nothing found"),
        "{}",
        ran.stderr()
    );
    let ran = rig.run(&["search", "notes", "--query", "x", "--only", "a[b"]).exits(2);
    assert!(ran.stderr().contains("a[b"), "{}", ran.stderr());
    // Files of vectors know paths and folders too.
    rig.json(&["embed", "notes", "--out", "all.npy"]);
    let told = rig.json(&["search", "all.npy", "--query", "cooking lentils", "--folder", "food", "--only", "*.md"]);
    assert_eq!((paths(&told), &told["within"]), (vec!["soup.md".to_owned()], &1.into()));
    let ran = rig.run(&["search", "all.npy", "--query", "x", "--folder", "nowhere"]).succeeded();
    assert!(ran.stderr().contains("No row is of the kind"), "{}", ran.stderr());
}

#[test]
fn many_queries_are_answered_from_one_file() {
    let rig = Rig::with_notes();
    rig.file("asked.txt", "cooking lentils\n\na rocket to the moon\n");
    rig.file(
        "asked.jsonl",
        "{\"_id\": \"q1\", \"text\": \"cooking lentils\"}\n{\"id\": 2, \"query\": \"a rocket to the moon\"}\n",
    );
    rig.json(&["embed", "notes", "--out", "all.npy"]);
    for (file, ids) in
        [("asked.txt", [serde_json::Value::Null, serde_json::Value::Null]), ("asked.jsonl", ["q1".into(), "2".into()])]
    {
        for from in ["notes", "all.npy"] {
            let told = rig.json(&["search", from, "--queries", file, "--top", "1", "--kind", "text"]);
            let answers = told["answers"].as_array().unwrap();
            let best = |at: usize| answers[at]["results"][0]["path"].as_str().unwrap().rsplit('/').next().unwrap();
            assert_eq!((answers.len(), best(0), best(1)), (2, "soup.md", "rocket.txt"), "{file} {from}");
            assert_eq!([answers[0]["id"].clone(), answers[1]["id"].clone()], ids, "{file} {from}");
            assert_eq!(answers[1]["query"], "a rocket to the moon");
        }
    }
    for (name, text, told) in [
        ("none.txt", "\n", "no query"),
        ("bad.jsonl", "soup\n{\"words\": 1}\n", "line 2"),
        ("mute.jsonl", "{\"text\": \" \"}\n", "no words"),
    ] {
        rig.file(name, text);
        let ran = rig.run(&["search", "notes", "--queries", name]).exits(2);
        assert!(ran.stderr().contains(told) && ran.stderr().contains(name), "{}", ran.stderr());
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
    // Without --model the file tells; where it says nothing, the dimensions; a wrong one is named with both numbers.
    let ran = rig.run(&["search", "food.npy", "--query", "soup"]).succeeded();
    assert!(ran.stderr().contains("which the files name") && ran.stdout().contains("soup.md"), "{}", ran.stderr());
    let beside = fs_err::read_to_string(rig.path("food.metadata.jsonl")).unwrap().replace("\"model\"", "\"unsaid\"");
    fs_err::write(rig.path("food.metadata.jsonl"), beside).unwrap();
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
