//! The catalogue, a card and the chooser on the command line.

use super::rig::Rig;

#[test]
fn the_catalogue_is_listed_and_filtered() {
    let rig = Rig::new();
    let told = rig.run(&["models", "--all", "--json"]).succeeded().json();
    let all = told.as_array().unwrap();
    assert!(all.len() > 50);
    for field in
        ["id", "name", "modality", "dimensions", "licence", "source", "available", "strengths", "best_for", "runs"]
    {
        assert!(all.iter().all(|model| !model[field].is_null()), "{field}");
    }
    let here: Vec<&str> = all.iter().filter(|m| m["available"] == true).map(|m| m["id"].as_str().unwrap()).collect();
    assert!(here.contains(&"all-MiniLM-L6-v2"), "{here:?}");
    let told = rig.run(&["models", "--domain", "law", "--licence", "cc-by", "--json"]).succeeded().json();
    let ids: Vec<&str> = told.as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["nlpaueb/legal-bert-base-uncased"]);
    let small = rig.run(&["models", "--modality", "text", "--max-mb", "50"]).succeeded().stdout();
    assert!(small.contains("potion-base-8M") && !small.contains("bge-small"), "{small}");
    assert!(rig.run(&["models", "--max-mb", "1"]).succeeded().stdout().contains("leave a filter out"));
}

#[test]
fn a_card_is_shown_whole() {
    let rig = Rig::new();
    let card = rig.run(&["models", "show", "gte-large"]).succeeded().stdout();
    for word in ["thenlper/gte-large", "512 tokens", "MIT", "63.13", "cross-lingual", "https://"] {
        assert!(card.contains(word), "{word}: {card}");
    }
    let api = rig.run(&["models", "show", "text-embedding-3-small"]).succeeded().stdout();
    assert!(api.contains("OPENAI_API_KEY") && api.contains("cannot be run here yet"), "{api}");
    let told = rig.run(&["models", "show", "codebert", "--json"]).succeeded().json();
    assert_eq!((&told["id"], &told["pooling"]), (&"microsoft/codebert-base".into(), &"cls".into()));
    let ran = rig.run(&["models", "show", "specter3"]).exits(1);
    assert!(ran.stderr().contains("models --all"), "{}", ran.stderr());
}

#[test]
fn plain_models_tell_prompts_and_where_they_run() {
    let told = Rig::new().run(&["models", "--json"]).succeeded().json();
    let minilm = told.as_array().unwrap().iter().find(|model| model["id"] == "all-MiniLM-L6-v2").unwrap();
    assert_eq!((&minilm["prompts"]["query"], &minilm["similarity"]), (&"".into(), &"cosine".into()));
    assert_eq!((&minilm["runs"], &minilm["available"]), (&"inside this program".into(), &true.into()));
    assert!(minilm["matryoshka"].is_array() && minilm["remarks"].is_array());
}

#[test]
fn a_choice_is_ranked_with_reasons_on_the_users_files() {
    let rig = Rig::with_notes();
    let told = rig.run(&["models", "choose", "--for", "semantic-search", "notes", "--json"]).succeeded().json();
    let suggestions = told["suggestions"].as_array().unwrap();
    assert_eq!((suggestions.len(), &told["data"]["texts"]), (5, &5.into()));
    let scores: Vec<f64> = suggestions.iter().map(|found| found["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    let first = &suggestions[0];
    assert!(first["for"].as_array().unwrap().len() + first["against"].as_array().unwrap().len() > 1);
    assert!(first["storage_mb"]["f32"].as_f64().unwrap() > 0.0 && first["seconds"].as_f64().is_some(), "{first}");
    assert!(told["excluded"].as_array().unwrap().iter().any(|left| left["id"] == "text-embedding-3-small"));

    let quick = ["models", "choose", "--for", "clustering", "--weights", "quality=0,speed=5", "--where", "offline"];
    let words = rig.run(&quick).succeeded().stdout();
    assert!(words.contains("1. all-MiniLM-L6-v2-static-256") && words.contains("64 to 128"), "{words}");
    let ran = rig.run(&["models", "choose", "--for", "clustering", "--weights", "beauty=1"]).exits(2);
    assert!(ran.stderr().contains("quality, speed"), "{}", ran.stderr());
    rig.run(&["models", "choose"]).exits(2);
}
