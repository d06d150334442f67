//! Folders as sentence-transformers lays them out, against its own vectors: modules, poolings, prompts, lengths.
#![allow(clippy::unwrap_used)] // tests and their helpers

use std::path::{Path, PathBuf};

use embedlens::models::{
    Embedder, Input, ModelCard, ModelError, ModelId, OpenOptions, Overrides, Pooling, Prompts, Similarity, open,
};
use tempfile::TempDir;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/folders")
}

/// A folder that holds the base and what `case` adds to it.
pub(crate) fn whole(case: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(&fixtures().join("base"), dir.path());
    if !case.is_empty() {
        copy(&fixtures().join("cases").join(case), dir.path());
    }
    dir
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs_err::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn opened(folder: &Path, options: &OpenOptions) -> Result<Box<dyn Embedder>, ModelError> {
    open(&ModelId(folder.display().to_string()), options)
}

struct Expected {
    prompts: [String; 2],
    max_tokens: usize,
    texts: Vec<String>,
    ids: [Vec<Vec<u32>>; 2],
    vectors: [Vec<Vec<f32>>; 2],
}

fn expected(case: &str) -> Expected {
    let bytes = fs_err::read(fixtures().join("cases").join(case).join("expected.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let ids = |key: &str| serde_json::from_value(json[key].clone()).unwrap();
    let vectors = |key: &str| serde_json::from_value(json[key].clone()).unwrap();
    Expected {
        prompts: serde_json::from_value(json["prompts"].clone()).unwrap(),
        max_tokens: json["max_tokens"].as_u64().unwrap() as usize,
        texts: serde_json::from_value(json["texts"].clone()).unwrap(),
        ids: [ids("ids"), ids("query_ids")],
        vectors: [vectors("vectors"), vectors("query_vectors")],
    }
}

const CASES: [&str; 10] = [
    "all-modes",
    "mode-list",
    "few-keys",
    "prompts",
    "prompt-left-out",
    "default-prompt",
    "dense",
    "lower",
    "short",
    "plain",
];

fn card_of(case: &str) -> ModelCard {
    let dir = whole(case);
    opened(dir.path(), &OpenOptions::default()).unwrap().card().clone()
}

#[test]
fn every_folder_gives_the_vectors_of_sentence_transformers() {
    for case in CASES {
        let (dir, want) = (whole(case), expected(case));
        let mut model = opened(dir.path(), &OpenOptions::default()).unwrap();
        let [passage, query] = &want.prompts;
        assert_eq!(model.card().prompts, Prompts { passage: passage.clone(), query: query.clone() }, "{case}");
        assert_eq!(model.card().context_tokens, Some(want.max_tokens), "{case}");
        let texts: Vec<Input<'_>> = want.texts.iter().map(|text| Input::Text(text)).collect();
        let queries: Vec<Input<'_>> = want.texts.iter().map(|text| Input::Query(text)).collect();
        for (inputs, ids, vectors) in
            [(texts, &want.ids[0], &want.vectors[0]), (queries, &want.ids[1], &want.vectors[1])]
        {
            let together = model.embed(&inputs).unwrap();
            let dim = model.card().dimensions;
            for (at, (input, want)) in inputs.iter().zip(vectors).enumerate() {
                let seen = model.explain(*input).unwrap();
                assert_eq!(seen.ids, ids[at], "{case}: {input:?}");
                assert_eq!(&together.values[at * dim..][..dim], seen.vector, "{case}: {input:?}");
                assert_eq!(together.tokens[at] as usize, seen.ids.len(), "{case}: {input:?}");
                let off = seen.vector.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(seen.vector.len() == want.len() && off < 1e-5, "{case}: {input:?} is {off} off");
            }
        }
    }
}

#[test]
fn an_explanation_shows_the_prompt() {
    let dir = whole("prompts");
    let mut model = opened(dir.path(), &OpenOptions::default()).unwrap();
    let text = "The cat sat on the mat.";
    for input in [Input::Text(text), Input::Query(text)] {
        let seen = model.explain(input).unwrap();
        let words: Vec<&str> = seen.offsets.iter().map(|&(from, to)| &text[from..to]).collect();
        assert_eq!(words.concat(), text.replace(' ', ""), "{input:?}");
        let before = words.iter().take_while(|word| word.is_empty()).count();
        let prompt = if matches!(input, Input::Query(_)) { "what is it: " } else { "the text: " };
        assert!(before > 3 && seen.pooling.contains(prompt), "{input:?}: {}", seen.pooling);
        assert_eq!(model.cost(input), seen.ids.len());
    }
    let long = "one two three four five six seven eight nine ten ".repeat(9);
    let seen = model.explain(Input::Text(&long)).unwrap();
    assert!(seen.truncated > 0 && long.ends_with(&seen.cut_text) && seen.cut_text.len() < long.len());
    let left_out = whole("prompt-left-out");
    let mut model = opened(left_out.path(), &OpenOptions::default()).unwrap();
    assert!(model.explain(Input::Query(text)).unwrap().pooling.contains("left out"));
    assert!(model.card().remarks.iter().any(|remark| remark.contains("left out of pooling")));
}

#[test]
fn cards_say_how_folders_were_read() {
    assert_eq!(card_of("prompts").similarity, Similarity::Dot);
    let plain = card_of("plain");
    assert!(plain.remarks[0].starts_with("No modules.json: mean pooling"), "{:?}", plain.remarks);
    assert_eq!((plain.pooling, plain.normalized), (Pooling::Mean, true));
    let several = card_of("all-modes");
    assert_eq!((several.pooling, several.normalized, several.dimensions), (Pooling::Several, false, 96));
    assert!(several.remarks[0].contains("Cls+Max+Mean+MeanSqrtLen+WeightedMean+Last"), "{:?}", several.remarks);
    assert_eq!(card_of("few-keys").pooling, Pooling::MeanSqrtLen);
    let licensed = whole("prompts");
    fs_err::write(licensed.path().join("README.md"), "---\nlicense: mit\n---\n").unwrap();
    assert_eq!(opened(licensed.path(), &OpenOptions::default()).unwrap().card().licence, "MIT");
}

#[test]
fn what_is_set_goes_before_what_the_folder_says() {
    let dir = whole("prompts");
    let with = |overrides: Overrides| opened(dir.path(), &OpenOptions { overrides, ..OpenOptions::default() }).unwrap();
    let embed = |model: &mut Box<dyn Embedder>, input: Input<'_>| model.embed(&[input]).unwrap().values;
    let mut plain = with(Overrides::default());
    let none = Overrides { prompts: Some(Prompts::default()), ..Overrides::default() };
    let mut bare = with(none.clone());
    let text = "The cat sat on the mat.";
    assert_eq!(embed(&mut bare, Input::Text(&format!("the text: {text}"))), embed(&mut plain, Input::Text(text)));
    assert_eq!(embed(&mut bare, Input::Query(text)), embed(&mut bare, Input::Text(text)));
    assert_ne!(bare.fingerprint(), plain.fingerprint());
    assert!(bare.card().prompts.is_empty());
    // The prompt of questions has no part in the vectors of texts.
    let other = Prompts { passage: "the text: ".to_owned(), query: "other: ".to_owned() };
    let other = with(Overrides { prompts: Some(other), ..Overrides::default() });
    assert_eq!(other.fingerprint(), plain.fingerprint());
    let long = Overrides { normalize: Some(false), pooling: Some(Pooling::Max), ..none };
    let mut long = with(long);
    let values = embed(&mut long, Input::Text(text));
    assert!(values.iter().map(|x| x * x).sum::<f32>() > 1.1);
    assert_eq!((long.card().pooling, long.card().normalized), (Pooling::Max, false));
    assert_ne!(long.fingerprint(), bare.fingerprint());
    let misfit = whole("dense");
    let overrides = Overrides { pooling: Some(Pooling::Cls), ..Overrides::default() };
    let e = opened(misfit.path(), &OpenOptions { overrides, ..OpenOptions::default() }).err().unwrap().to_string();
    assert!(e.contains("pooling gives 16 values") && e.contains("takes 32"), "{e}");
}

#[test]
fn the_catalogue_knows_what_a_plain_folder_does_not_say() {
    let dir = tempfile::tempdir().unwrap();
    let of = |name: &str, case: &str| {
        let folder = dir.path().join(name);
        copy(whole(case).path(), &folder);
        opened(&folder, &OpenOptions::default()).unwrap().card().clone()
    };
    let code = of("codebert-base", "plain");
    assert_eq!((code.pooling, code.normalized), (Pooling::Cls, false));
    assert!(code.remarks[0].contains("microsoft/codebert-base"), "{:?}", code.remarks);
    let e5 = of("e5-small-v2", "few-keys");
    assert_eq!((e5.prompts.query.as_str(), e5.pooling), ("query: ", Pooling::MeanSqrtLen));
    assert!(e5.remarks[0].contains("names no prompts"), "{:?}", e5.remarks);
    assert_eq!(of("e5-base-v2", "prompts").prompts.passage, "the text: ");
}
