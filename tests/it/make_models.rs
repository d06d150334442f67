//! Models made from others: distilled against what model2vec distils, and converted.
#![allow(clippy::unwrap_used)] // tests and their helpers

use std::path::Path;

use embedlens::models::{Embedder, Input, ModelId, OpenOptions, WeightType, open};
use embedlens::progress::Progress;
use embedlens::tasks::{self, ConvertRequest, DistillRequest, Environment, LoadRequest, TaskError, Weighting};

use crate::folders::{opened, whole};

fn vectors(model: &mut dyn Embedder, texts: &[String]) -> Vec<Vec<f32>> {
    let inputs: Vec<Input<'_>> = texts.iter().map(|text| Input::Text(text)).collect();
    let dim = model.card().dimensions;
    model.embed(&inputs).unwrap().values.chunks(dim).map(<[f32]>::to_vec).collect()
}

fn check_products(vectors: &[Vec<f32>], want: &serde_json::Value) {
    let want: Vec<Vec<f32>> = serde_json::from_value(want.clone()).unwrap();
    for (a, row) in vectors.iter().zip(&want) {
        for (b, want) in vectors.iter().zip(row) {
            let product: f32 = a.iter().zip(b).map(|(x, y)| x * y).sum();
            assert!((product - want).abs() < 1e-4, "{product} where {want} was expected");
        }
    }
}

fn request(model: &Path, out: &Path) -> DistillRequest {
    let id = ModelId(model.display().to_string());
    DistillRequest { dimensions: 8, half: false, ..DistillRequest::new(id, out.to_owned()) }
}

#[test]
fn a_distilled_model_is_the_one_that_model2vec_distils() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/statics/distilled.json");
    let json: serde_json::Value = serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap();
    let (base, dir, env) = (whole("few-keys"), tempfile::tempdir().unwrap(), Environment::default());
    let out = dir.path().join("static");
    let done = tasks::distill(&request(base.path(), &out), None, &env, &Progress::new()).unwrap();
    assert_eq!((done.tokens, done.words, done.dimensions), (json["tokens"].as_array().unwrap().len(), 0, 8));
    let mut model = opened(&out, &OpenOptions::default()).unwrap();
    assert_eq!((model.card().dimensions, model.card().context_tokens), (8, None));
    let texts: Vec<String> = serde_json::from_value(json["texts"].clone()).unwrap();
    check_products(&vectors(model.as_mut(), &texts), &json["products"]);
    // The same again, byte by byte; and nothing is written over.
    let again = dir.path().join("again");
    tasks::distill(&request(base.path(), &again), None, &env, &Progress::new()).unwrap();
    let bytes = |folder: &Path| fs_err::read(folder.join("model.safetensors")).unwrap();
    assert_eq!(bytes(&out), bytes(&again));
    let e = tasks::distill(&request(base.path(), &out), None, &env, &Progress::new()).unwrap_err();
    assert!(format!("{:?}", e).contains("holds something already"), "{e:?}");
}

#[test]
fn words_of_the_corpus_get_vectors_of_their_own() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/statics/distilled.json");
    let json: serde_json::Value = serde_json::from_slice(&fs_err::read(path).unwrap()).unwrap();
    let (base, dir, env) = (whole(""), tempfile::tempdir().unwrap(), Environment::default());
    let notes = dir.path().join("notes.txt");
    let often = "sat sat sat sat photographer photographer photographer embeddings embeddings once the the the";
    fs_err::write(&notes, often).unwrap();
    let load = LoadRequest { paths: vec![notes], ..LoadRequest::default() };
    let corpus = tasks::load(&load, &env, &Progress::new()).unwrap();
    let plain = DistillRequest { weighting: Weighting::None, ..request(base.path(), &dir.path().join("none")) };
    let done = tasks::distill(&plain, Some(&corpus), &env, &Progress::new()).unwrap();
    assert_eq!(done.words, 3);
    let mut model = opened(&plain.out, &OpenOptions::default()).unwrap();
    let texts: Vec<String> = serde_json::from_value(json["words"].clone()).unwrap();
    let seen = model.explain(Input::Text("a photographer sat")).unwrap();
    assert_eq!(seen.tokens, ["a", "photographer", "sat"]);
    check_products(&vectors(model.as_mut(), &texts), &json["word_products"]);
    // Weighed by what is counted, the more frequent of two words keeps less of its length.
    let bare = DistillRequest { out: dir.path().join("bare"), normalize: false, ..plain };
    let sif = DistillRequest { weighting: Weighting::Sif, out: dir.path().join("sif"), ..bare.clone() };
    let [mut weighed, mut whole_length] = [&sif, &bare].map(|request| {
        tasks::distill(request, Some(&corpus), &env, &Progress::new()).unwrap();
        opened(&request.out, &OpenOptions::default()).unwrap()
    });
    let length =
        |model: &mut dyn Embedder, word: &str| vectors(model, &[word.to_owned()])[0].iter().map(|x| x * x).sum::<f32>();
    let mut share = |word: &str| (length(weighed.as_mut(), word) / length(whole_length.as_mut(), word)).sqrt();
    let [often, seldom] = [share("sat"), share("embeddings")];
    assert!(often > 0.0 && often < seldom, "{often} {seldom}");
    let lone = DistillRequest { out: dir.path().join("lone"), ..sif };
    let e = tasks::distill(&lone, None, &env, &Progress::new()).unwrap_err();
    assert!(format!("{e:?}").contains("--corpus") && !lone.out.exists());
}

#[test]
fn distilling_stops_when_asked_and_leaves_nothing() {
    let (base, dir) = (whole(""), tempfile::tempdir().unwrap());
    let progress = Progress::new();
    progress.cancel();
    let out = dir.path().join("static");
    let e = tasks::distill(&request(base.path(), &out), None, &Environment::default(), &progress).unwrap_err();
    assert!(matches!(e, TaskError::Cancelled(_)) && !out.exists());
    let missing = DistillRequest::new(ModelId("no-such-model".to_owned()), out);
    assert!(tasks::distill(&missing, None, &Environment::default(), &Progress::new()).is_err());
}

fn convert(from: &Path, out: &Path, to: WeightType) -> Result<embedlens::models::Converted, String> {
    let request = ConvertRequest { model: ModelId(from.display().to_string()), out: out.to_owned(), to };
    tasks::convert_model(&request, &Environment::default(), &Progress::new()).map_err(|e| format!("{e:?}"))
}

#[test]
fn converted_models_give_nearly_the_same_vectors() {
    let (from, dir) = (whole("dense"), tempfile::tempdir().unwrap());
    fs_err::write(from.path().join("pytorch_model.bin"), "not read: there is a better file").unwrap();
    fs_err::write(from.path().join("run_me.py"), "not copied").unwrap();
    let texts = ["The cat sat on the mat.".to_owned()];
    let want = vectors(opened(from.path(), &OpenOptions::default()).unwrap().as_mut(), &texts);
    for (to, most) in [(WeightType::F32, 0.0), (WeightType::F16, 2e-3), (WeightType::Bf16, 2e-2)] {
        let out = dir.path().join(to.word());
        let done = convert(from.path(), &out, to).unwrap();
        assert_eq!(done.largest_error.is_some(), to != WeightType::F32);
        assert!(done.tensors > 20 && done.copied.contains(&"1_Pooling/config.json".to_owned()), "{done:?}");
        assert!(!out.join("run_me.py").exists() && !out.join("pytorch_model.bin").exists());
        let readme = fs_err::read_to_string(out.join("README.md")).unwrap();
        assert!(readme.contains(&format!("written as {}", to.word())), "{readme}");
        let got = vectors(open(&ModelId(out.display().to_string()), &OpenOptions::default()).unwrap().as_mut(), &texts);
        let off = got[0].iter().zip(&want[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off <= most, "{to:?}: {off}");
        assert!(convert(from.path(), &out, to).unwrap_err().contains("holds something already"));
    }
    assert_eq!(fs_err::read_dir(dir.path()).unwrap().count(), 3, "no half folder is left");
}

#[test]
fn a_pickle_becomes_safetensors_and_a_payload_does_not() {
    let pickles = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/folders/pickles");
    let (from, dir) = (whole(""), tempfile::tempdir().unwrap());
    let texts = ["The cat sat on the mat.".to_owned()];
    let want = vectors(opened(from.path(), &OpenOptions::default()).unwrap().as_mut(), &texts);
    fs_err::remove_file(from.path().join("model.safetensors")).unwrap();
    fs_err::copy(pickles.join("base.bin"), from.path().join("pytorch_model.bin")).unwrap();
    let out = dir.path().join("out");
    convert(from.path(), &out, WeightType::F32).unwrap();
    assert_eq!(vectors(opened(&out, &OpenOptions::default()).unwrap().as_mut(), &texts), want);
    fs_err::copy(pickles.join("payload.bin"), from.path().join("pytorch_model.bin")).unwrap();
    let bad = dir.path().join("bad");
    let e = convert(from.path(), &bad, WeightType::F32).unwrap_err();
    assert!(e.contains("posix.system") && !bad.exists(), "{e}");
    assert!(convert(&dir.path().join("nowhere"), &bad, WeightType::F16).is_err());
}

#[cfg(unix)]
#[test]
fn what_lies_outside_is_not_copied() {
    let (from, dir) = (whole(""), tempfile::tempdir().unwrap());
    fs_err::write(dir.path().join("secret.json"), "{}").unwrap();
    std::os::unix::fs::symlink(dir.path().join("secret.json"), from.path().join("extra.json")).unwrap();
    let e = convert(from.path(), &dir.path().join("out"), WeightType::F16).unwrap_err();
    assert!(e.contains("extra.json") && e.contains("leads out") && !dir.path().join("out").exists(), "{e}");
}
