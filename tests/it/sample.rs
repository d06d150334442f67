//! The queries that the window suggests find on the bundled sample what they are meant to find.
#![allow(clippy::unwrap_used, reason = "a test's helper may fail loudly")]

use std::sync::Arc;

use embedlens::corpus::Modality;
use embedlens::progress::Progress;
use embedlens::tasks::{self, EmbedRequest, Environment, LoadRequest, Query, QueryRequest};
use embedlens::ui::panes::query::EXAMPLES;
use embedlens::workspace::{EmbeddingSet, ModelId};

/// For each suggestion: the kind it should be best at, and what the path of one of its first three hits holds.
const WANTED: [(&str, Modality, &str); 5] = [
    ("birds that live near water", Modality::Text, "animals/"),
    ("sort a list of numbers", Modality::Code, "_sort."),
    ("a cup of coffee", Modality::Image, "cup-of-coffee.jpg"),
    ("something warm to wear", Modality::Text, "clothing/overcoat"),
    ("retry a failed request", Modality::Code, "http_retry_with_backoff"),
];

#[test]
fn suggested_queries_find_what_they_promise() {
    let home = tempfile::tempdir().unwrap();
    let env = Environment { cache_dir: Some(home.path().to_owned()), ..Environment::default() };
    let paths = tasks::sample_paths(&env).unwrap();
    let request = LoadRequest { paths, ..LoadRequest::default() };
    let corpus = Arc::new(tasks::load(&request, &env, &Progress::new()).unwrap());
    let set = |model: &str| -> Arc<EmbeddingSet> {
        let request = EmbedRequest::new(corpus.clone(), ModelId(model.to_owned()));
        Arc::new(tasks::embed(&request, &env, &Progress::new()).unwrap().0)
    };
    let sets = vec![set("all-MiniLM-L6-v2-static-256"), set("conse-minilm-lite0")];
    assert_eq!(WANTED.map(|wanted| wanted.0), EXAMPLES, "every suggestion is checked here");
    for (words, kind, path) in WANTED {
        let query = Query::Text(words.to_owned());
        let request =
            QueryRequest { corpus: corpus.clone(), sets: sets.clone(), query, top: 3, only: tasks::Only::default() };
        let answer = tasks::answer(&request, &env, &Progress::new()).unwrap();
        let group = answer.groups.iter().find(|group| group.modality == kind).unwrap();
        let hits: Vec<&str> = group.hits.iter().map(|hit| corpus.item_of(hit.0).shown_path.as_str()).collect();
        assert!(hits.iter().any(|hit| hit.contains(path)), "{words}: {hits:?}");
    }
}
