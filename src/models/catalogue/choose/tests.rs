//! What a person would expect of the chooser.

use super::*;

fn wants(purpose: Use) -> Wants {
    Wants { purpose, ..Wants::default() }
}

fn ids(choice: &Choice) -> Vec<&str> {
    choice.suggestions.iter().map(|found| found.model.id.as_str()).collect()
}

fn reason<'a>(choice: &'a Choice, id: &str) -> &'a str {
    &choice.excluded.iter().find(|(model, _)| model.id == id).unwrap().1
}

fn place(choice: &Choice, id: &str) -> usize {
    ids(choice).iter().position(|found| *found == id).unwrap_or_else(|| panic!("{id} is not suggested"))
}

#[test]
fn every_model_is_suggested_or_left_out_with_reasons() {
    for purpose in Use::ALL {
        for deployment in [Deployment::Offline, Deployment::Local, Deployment::Anywhere] {
            let wants = Wants { deployment, ..wants(purpose) };
            let choice = choose(&wants);
            assert_eq!(choice, choose(&wants), "the same wants give the same answer");
            assert_eq!(choice.suggestions.len() + choice.excluded.len(), all().len());
            assert!(!choice.suggestions.is_empty(), "{purpose:?} {deployment:?}");
            assert!(choice.suggestions.windows(2).all(|pair| pair[0].score >= pair[1].score));
            for found in &choice.suggestions {
                assert!((0.0..=1.0).contains(&found.score), "{}", found.model.id);
                assert!(found.parts.iter().all(|part| (0.0..=1.0).contains(&part.share)), "{}", found.model.id);
                assert!(!found.pros.is_empty() || !found.cons.is_empty(), "{}", found.model.id);
                assert!(found.pros.iter().chain(&found.cons).all(|sentence| sentence.ends_with('.')));
            }
            assert!(choice.excluded.iter().all(|(_, reason)| reason.ends_with('.')));
        }
    }
}

#[test]
fn numbers_are_grouped() {
    assert_eq!([0, 999, 1_000, 1_234_567].map(parts::grouped), ["0", "999", "1,000", "1,234,567"]);
}

#[test]
fn search_prefers_models_made_for_it() {
    let choice = choose(&wants(Use::SemanticSearch));
    assert!(choice.suggestions[0].model.figure("MTEB retrieval").unwrap() > 49.0, "{:?}", ids(&choice));
    assert!(place(&choice, "BAAI/bge-small-en-v1.5") < place(&choice, "all-MiniLM-L6-v2"));
    assert!(
        place(&choice, "BAAI/bge-small-en-v1.5") < place(&choice, "BAAI/bge-small-en"),
        "the newer one comes first"
    );
    assert!(place(&choice, "all-MiniLM-L6-v2") < place(&choice, "nlpaueb/legal-bert-base-uncased"));
}

#[test]
fn weights_turn_the_ranking() {
    let mut slow = wants(Use::SemanticSearch);
    slow.weighing = Weighing([5.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let mut quick = wants(Use::SemanticSearch);
    quick.weighing = Weighing([0.0, 5.0, 0.0, 0.0, 0.0, 0.0]);
    let best = choose(&slow);
    let best = best.suggestions[0].model.figure("MTEB retrieval").unwrap();
    assert!(
        all().iter().filter_map(|m| m.figure("MTEB retrieval").filter(|_| m.why_not().is_none())).all(|v| v <= best)
    );
    assert_eq!(choose(&quick).suggestions[0].model.architecture, "model2vec");
    let none = Wants { weighing: Weighing([0.0; 6]), ..wants(Use::Clustering) };
    assert!(choose(&none).suggestions.iter().all(|found| found.score == 0.0));
}

#[test]
fn code_search_for_a_business() {
    let choice = choose(&Wants { commercial: true, ..wants(Use::CodeSearch) });
    let first = &choice.suggestions[0];
    assert!(first.model.code_pairs && first.model.commercial == Some(true), "{:?}", ids(&choice));
    let codebert = &choice.suggestions[place(&choice, "microsoft/codebert-base")];
    assert!(codebert.pros.iter().any(|pro| pro.contains("code")), "{:?}", codebert.pros);
    assert!(codebert.cons.iter().any(|con| con.contains("adapter")), "{:?}", codebert.cons);
    assert!(reason(&choice, "casehold/legalbert").contains("licence"));
}

#[test]
fn long_texts_leave_short_models_out_or_are_cut() {
    let data =
        Data { texts: 50, pieces: 600, tokens: 90_000, median_tokens: 1_500, tokens_95: 2_000, ..Data::default() };
    let cut = Wants { data: Some(data), deployment: Deployment::Anywhere, ..wants(Use::SemanticSearch) };
    let choice = choose(&cut);
    let minilm = &choice.suggestions[place(&choice, "all-MiniLM-L6-v2")];
    assert!(minilm.cons.iter().any(|con| con.contains("256 tokens") && con.contains("2,000")), "{:?}", minilm.cons);
    let whole = choose(&Wants { whole: true, ..cut });
    assert!(reason(&whole, "all-MiniLM-L6-v2").contains("256 tokens"));
    assert!(whole.suggestions.iter().all(|found| found.model.context_tokens.is_none_or(|tokens| tokens >= 2_000)));
    place(&whole, "nomic-ai/nomic-embed-text-v1.5");
}

#[test]
fn offline_leaves_out_apis_and_what_is_not_here() {
    let offline = Wants { deployment: Deployment::Offline, ..wants(Use::SemanticSearch) };
    let choice = choose(&offline);
    assert!(choice.suggestions.iter().all(|found| found.here));
    assert!(reason(&choice, "text-embedding-3-small").contains("API"));
    assert!(reason(&choice, "BAAI/bge-small-en-v1.5").contains("not on this computer"));
    let here = vec!["BAAI/bge-small-en-v1.5".to_owned()];
    place(&choose(&Wants { here, ..offline }), "BAAI/bge-small-en-v1.5");
    let anywhere = choose(&Wants { deployment: Deployment::Anywhere, ..wants(Use::SemanticSearch) });
    let api = &anywhere.suggestions[place(&anywhere, "text-embedding-3-large")];
    assert!(api.cons.iter().any(|con| con.contains("cannot be used here yet")), "{:?}", api.cons);
    assert!(api.cons.iter().any(|con| con.contains("0.13 dollars")), "{:?}", api.cons);
}

#[test]
fn pictures_by_words_want_clip_before_conse() {
    let choice = choose(&Wants { deployment: Deployment::Anywhere, ..wants(Use::PicturesByWords) });
    let kinds: Vec<&str> = choice.suggestions.iter().map(|found| found.model.architecture.as_str()).collect();
    assert_eq!(kinds.last(), Some(&"conse"), "{kinds:?}");
    assert!(kinds[..kinds.len() - 1].iter().all(|kind| ["clip", "siglip"].contains(kind)), "{kinds:?}");
    assert!(reason(&choice, "facebook/dinov2-small").contains("Words"));
    assert!(reason(&choice, "all-MiniLM-L6-v2").contains("no pictures"));
    let pictures = choose(&Wants { deployment: Deployment::Anywhere, ..wants(Use::SimilarPictures) });
    assert!(pictures.suggestions[0].model.id.contains("dinov2"), "{:?}", ids(&pictures));
}

#[test]
fn other_languages_and_fields_are_heeded() {
    let other = choose(&Wants { other_languages: true, ..wants(Use::SemanticSearch) });
    assert!(other.suggestions.iter().all(|found| found.model.is_multilingual()));
    assert!(reason(&other, "thenlper/gte-large").contains("English"));
    let law = choose(&Wants { domain: Some(Domain::Law), ..wants(Use::DomainTexts) });
    let legal = place(&law, "nlpaueb/legal-bert-base-uncased");
    assert!(legal < place(&law, "ProsusAI/finbert"));
    assert!(law.suggestions[legal].pros.iter().any(|pro| pro == "Made for law."));
    let science = choose(&Wants { domain: Some(Domain::Science), ..wants(Use::DomainTexts) });
    assert!(place(&science, "allenai/specter") < place(&science, "allenai/scibert_scivocab_uncased"));
}

#[test]
fn storage_time_and_money_are_arithmetic() {
    let data =
        Data { texts: 10, pieces: 1_000, tokens: 2_000_000, median_tokens: 100, tokens_95: 200, ..Data::default() };
    let choice = choose(&Wants {
        data: Some(data),
        rate: Some(100e9),
        deployment: Deployment::Anywhere,
        ..wants(Use::Clustering)
    });
    let of = |id: &str| &choice.suggestions[place(&choice, id)];
    let minilm = of("all-MiniLM-L6-v2");
    let storage = minilm.storage.unwrap();
    assert!((storage.f32_mb - 1.536).abs() < 1e-9 && (storage.int8_mb - 0.384).abs() < 1e-9);
    let seconds = minilm.seconds.unwrap();
    assert!((seconds - (2e6 * 21_233_664.0 / 100e9 + 2e6 / 1.5e6)).abs() < 1e-6, "{seconds}");
    assert!(of("BAAI/bge-large-en-v1.5").seconds.unwrap() > 20.0 * seconds);
    assert_eq!(of("text-embedding-3-small").dollars, Some(0.04));
    assert_eq!(
        of("nomic-ai/nomic-embed-text-v1.5").dimensions,
        64,
        "the smallest trained size that is enough for groups"
    );
    assert_eq!(choose(&wants(Use::QuestionAnswering)).recommended.from, 768);
    assert_eq!((choice.recommended.from, choice.recommended.to), (64, 128));
}
