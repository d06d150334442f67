//! The catalogue's data make sense, and entries are found by every name.

use std::collections::BTreeMap;

use super::*;
use crate::models::{self, Pooling};

/// Every model that the lesson names, and the hub's usual ones.
const REQUIRED: &[&str] = &[
    "all-MiniLM-L6-v2",
    "all-mpnet-base-v2",
    "all-MiniLM-L12-v2",
    "multi-qa-MiniLM-L6-cos-v1",
    "paraphrase-multilingual-MiniLM-L12-v2",
    "BAAI/bge-small-en",
    "BAAI/bge-base-en",
    "BAAI/bge-large-en",
    "BAAI/bge-small-en-v1.5",
    "BAAI/bge-base-en-v1.5",
    "BAAI/bge-large-en-v1.5",
    "BAAI/bge-m3",
    "intfloat/e5-small-v2",
    "intfloat/e5-base-v2",
    "intfloat/e5-large-v2",
    "intfloat/multilingual-e5-small",
    "intfloat/multilingual-e5-base",
    "intfloat/multilingual-e5-large",
    "thenlper/gte-small",
    "thenlper/gte-base",
    "thenlper/gte-large",
    "text-embedding-3-small",
    "text-embedding-3-large",
    "embed-english-v3.0",
    "nlpaueb/legal-bert-base-uncased",
    "CaseLaw-BERT",
    "BioBERT",
    "emilyalsentzer/Bio_ClinicalBERT",
    "medicalai/ClinicalBERT",
    "microsoft/codebert-base",
    "microsoft/graphcodebert-base",
    "ProsusAI/finbert",
    "yiyanghkust/finbert-pretrain",
    "allenai/scibert_scivocab_uncased",
    "allenai/specter",
    "allenai/specter2_base",
    "openai/clip-vit-base-patch32",
    "openai/clip-vit-base-patch16",
    "openai/clip-vit-large-patch14",
    "google/siglip-base-patch16-224",
    "facebook/dinov2-small",
    "facebook/dinov2-base",
    "google/vit-base-patch16-224-in21k",
    "answerdotai/ModernBERT-base",
    "nomic-ai/modernbert-embed-base",
    "nomic-ai/nomic-embed-text-v1.5",
    "jinaai/jina-embeddings-v2-base-en",
    "Snowflake/snowflake-arctic-embed-xs",
    "Snowflake/snowflake-arctic-embed-s",
    "Snowflake/snowflake-arctic-embed-m",
    "Snowflake/snowflake-arctic-embed-m-v1.5",
    "Snowflake/snowflake-arctic-embed-l-v2.0",
    "minishlab/potion-base-8M",
    "minishlab/potion-base-32M",
    "minishlab/M2V_base_output",
];

#[test]
fn the_file_can_be_read_and_lists_every_required_model() {
    let read: Vec<KnownModel> = serde_json::from_str(include_str!("models.json")).unwrap();
    assert_eq!(read.len(), all().len());
    for name in REQUIRED {
        assert!(known(name).is_some(), "{name} is missing");
    }
}

#[test]
fn every_name_is_of_one_entry() {
    let mut names = BTreeMap::new();
    for entry in all() {
        for name in entry.names() {
            let other = names.insert(name.to_ascii_lowercase(), &entry.id);
            assert!(other.is_none_or(|other| *other == entry.id), "{name} names {} and {other:?}", entry.id);
            assert_eq!(known(name).unwrap().id, entry.id, "{name}");
            assert_eq!(known(&format!("{name}@int8")).unwrap().id, entry.id);
        }
    }
}

#[test]
fn entries_are_found_by_folders_and_not_by_guesses() {
    let id = |name: &str| known(name).map(|entry| entry.id.as_str());
    assert_eq!(id("minilm"), Some("all-MiniLM-L6-v2"));
    assert_eq!(id("sentence-transformers/all-MiniLM-L6-v2@bf16"), Some("all-MiniLM-L6-v2"));
    assert_eq!(id("/home/a/models/BGE-small-en-v1.5/"), Some("BAAI/bge-small-en-v1.5"));
    assert_eq!(id("C:\\models\\e5-large-v2"), Some("intfloat/e5-large-v2"));
    assert_eq!(id("/c/hub/models--intfloat--e5-base-v2/snapshots/0f1e2d"), Some("intfloat/e5-base-v2"));
    assert_eq!(id("/c/hub/models--someone--else/snapshots/e5-base-v2"), None);
    for nothing in ["", "/", "bge", "my-model", "snapshots", "@int8"] {
        assert_eq!(id(nothing), None, "{nothing}");
    }
}

#[test]
fn values_make_sense() {
    for entry in all() {
        let id = &entry.id;
        assert!((32..=4096).contains(&entry.dimensions), "{id}");
        assert!(entry.context_tokens.is_none_or(|tokens| (32..=32_768).contains(&tokens)), "{id}");
        assert!(entry.matryoshka.is_empty() || entry.matryoshka[0] == entry.dimensions, "{id}");
        assert!(entry.matryoshka.windows(2).all(|pair| pair[0] > pair[1]), "{id}");
        assert!(!entry.domains.is_empty() && !entry.sources.is_empty() && !entry.strengths.is_empty(), "{id}");
        assert!(!entry.weaknesses.is_empty() && !entry.best_for.is_empty() && !entry.licence.is_empty(), "{id}");
        assert!(entry.sources.iter().all(|address| address.starts_with("https://")), "{id}");
        assert_eq!(entry.cost.is_some(), entry.is_api(), "{id}");
        assert!(entry.newer.as_deref().is_none_or(|newer| known(newer).is_some_and(|newer| newer.id != *id)), "{id}");
        assert_eq!(entry.commercial.is_none(), entry.licence == "not stated", "{id}");
        assert_eq!(entry.parameters.is_some() && entry.size_bytes.is_some(), !entry.is_api(), "{id}");
        assert!(entry.quality.iter().all(|figure| (0.0..=100.0).contains(&figure.value)), "{id}");
        assert!(entry.about.ends_with('.') && entry.best_for.ends_with('.'), "{id}");
        if let (Some(parameters), Some(size)) = (entry.parameters, entry.size_bytes) {
            let each = size as f64 / parameters as f64;
            assert!((1.9..=4.1).contains(&each), "{id}: {each} bytes a parameter");
        }
        for text in entry.strengths.iter().chain(&entry.weaknesses) {
            assert!(text.starts_with(|first: char| !first.is_lowercase()) && !text.ends_with('.'), "{id}: {text}");
        }
    }
    let lesson = known("thenlper/gte-large").unwrap().lesson.as_deref();
    assert!(lesson.unwrap().contains("cross-lingual"));
}

#[test]
fn facts_that_results_hang_on_are_right() {
    let of = |name: &str| known(name).unwrap();
    assert_eq!(
        (of("intfloat/e5-large-v2").prompts.query.as_str(), of("bge-small").pooling),
        ("query: ", Some(Pooling::Cls))
    );
    assert_eq!(of("codebert").pooling, Some(Pooling::Cls));
    assert_eq!(of("thenlper/gte-base").pooling, Some(Pooling::Mean));
    assert_eq!(of("nomic-ai/nomic-embed-text-v1.5").prompts.passage, "search_document: ");
    assert!(of("minilm").prompts().is_none() && of("bge-small").prompts.passage.is_empty());
    assert_eq!(of("text-embedding-3-large").dimensions, 3072);
    assert!(of("text-embedding-3-small").why_not().unwrap().contains("OpenAI"));
    assert!(of("text-embedding-3-small").about.contains("cannot be run here yet"));
    assert_eq!((of("bge-small").why_not(), of("minilm").why_not()), (None, None));
}

#[test]
fn bundled_cards_agree_with_the_catalogue() {
    for card in models::cards() {
        let entry = known(&card.id.0).unwrap_or_else(|| panic!("{} has no entry", card.id));
        assert!(entry.is_bundled(), "{}", card.id);
        assert_eq!(entry.name, card.name);
        assert_eq!((entry.dimensions, entry.context_tokens), (card.dimensions, card.context_tokens), "{}", card.id);
        assert_eq!((entry.pooling, entry.normalized), (Some(card.pooling), card.normalized), "{}", card.id);
        assert_eq!((&entry.licence, entry.size_bytes), (&card.licence, Some(card.size_bytes)), "{}", card.id);
        assert_eq!((&entry.prompts, entry.similarity), (&card.prompts, card.similarity), "{}", card.id);
        assert_eq!(entry.best_for, card.best_for);
    }
}

#[test]
fn a_card_of_a_folder_is_filled() {
    let entry = known("thenlper/gte-small").unwrap();
    let card = ModelCard { weaknesses: vec!["Own".to_owned()], ..ModelCard::plain("folder", 384) };
    let filled = entry.fill(card.clone());
    assert_eq!((filled.licence.as_str(), filled.id, filled.dimensions), ("MIT", card.id, 384));
    assert!(filled.weaknesses.contains(&"Own".to_owned()) && filled.weaknesses.len() == entry.weaknesses.len() + 1);
}

/// Architectures that are said to run are not turned away for their name.
#[test]
fn what_is_said_to_run_is_run() {
    use crate::models::text::config::encoder_shape;
    for architecture in RUN.iter().filter(|&&name| name != "model2vec") {
        // Jina's files call themselves BERT's.
        let (architecture, position) = match *architecture {
            "jina-bert" => ("bert", "alibi"),
            other => (other, "absolute"),
        };
        let config = format!(
            r#"{{"model_type":"{architecture}","position_embedding_type":"{position}","vocab_size":100,"hidden_size":8,"dim":8,"num_hidden_layers":2,"n_layers":2,
            "num_attention_heads":2,"n_heads":2,"intermediate_size":16,"hidden_dim":16,"max_position_embeddings":32}}"#
        );
        let error = encoder_shape("m", "config.json", config.as_bytes()).err().map(|error| error.to_string());
        assert!(error.as_deref().is_none_or(|error| !error.contains("architecture is")), "{error:?}");
    }
    for architecture in RUN_PICTURES {
        let config = serde_json::json!({ "model_type": architecture });
        let error = crate::models::vision::shapes::look("m", "config.json", &config).err();
        assert!(error.is_none(), "{error:?}");
    }
}
