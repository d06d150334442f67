//! Tests of models: bundled ones against the originals' vectors, folders and the hub's cache, hostile folders.
#![allow(clippy::unwrap_used)] // tests and their helpers

use std::path::{Path, PathBuf};

use embedlens::models::{Embedder, Input, ModelError, ModelId, OpenOptions, cards, open};
use npyz::NpyFile;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models").join(name)
}

/// Rows of a two-dimensional .npy file.
fn rows(name: &str) -> Vec<Vec<f32>> {
    let file = NpyFile::new(std::io::BufReader::new(fs_err::File::open(fixture(name)).unwrap())).unwrap();
    let dim = file.shape()[1] as usize;
    file.into_vec::<f32>().unwrap().chunks(dim).map(<[f32]>::to_vec).collect()
}

fn json(name: &str) -> serde_json::Value {
    serde_json::from_slice(&fs_err::read(fixture(name)).unwrap()).unwrap()
}

fn texts(name: &str) -> Vec<String> {
    json(name)["texts"].as_array().unwrap().iter().map(|t| t.as_str().unwrap().to_owned()).collect()
}

fn opened(id: &str) -> Box<dyn Embedder> {
    open(&ModelId(id.to_owned()), &OpenOptions::default()).unwrap()
}

fn embed_texts(model: &mut dyn Embedder, texts: &[String]) -> Vec<Vec<f32>> {
    let inputs: Vec<Input<'_>> = texts.iter().map(|t| Input::Text(t)).collect();
    let out = model.embed(&inputs).unwrap();
    assert_eq!((out.tokens.len(), out.cut.len(), out.notes.len()), (texts.len(), texts.len(), texts.len()));
    out.values.chunks(model.card().dimensions).map(<[f32]>::to_vec).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    assert_eq!(a.len(), b.len());
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

fn message(id: &str, options: &OpenOptions) -> String {
    open(&ModelId(id.to_owned()), options).err().unwrap().to_string()
}

#[cfg(feature = "bundled-models")]
mod bundled {
    use super::*;

    #[test]
    fn minilm_gives_the_originals_vectors() {
        let texts = texts("minilm-golden.json");
        let mut model = opened("all-MiniLM-L6-v2");
        for (i, (got, want)) in embed_texts(&mut *model, &texts).iter().zip(rows("minilm-golden.npy")).enumerate() {
            let cos = cosine(got, &want);
            assert!(cos >= 0.9999, "text {i}: cosine {cos}");
            assert!((cosine(got, got) - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn a_text_alone_is_the_text_in_a_batch() {
        let texts = texts("minilm-golden.json");
        let mut model = opened("minilm");
        let together = embed_texts(&mut *model, &texts);
        for (text, row) in texts.iter().zip(&together) {
            let alone = embed_texts(&mut *model, std::slice::from_ref(text));
            assert!(largest_difference(&alone[0], row) <= 1e-5, "{text:.40}");
        }
        let backwards: Vec<String> = texts.iter().rev().cloned().collect();
        for (a, b) in embed_texts(&mut *model, &backwards).iter().rev().zip(&together) {
            assert!(largest_difference(a, b) <= 1e-5);
        }
    }

    #[test]
    fn an_explanation_shows_the_way_through() {
        let mut model = opened("minilm");
        let text = "Grüße an die Welt";
        let e = model.explain(Input::Text(text)).unwrap();
        assert_eq!((e.tokens.first().unwrap().as_str(), e.tokens.last().unwrap().as_str()), ("[CLS]", "[SEP]"));
        assert_eq!((e.ids.len(), e.offsets.len()), (e.tokens.len(), e.tokens.len()));
        assert!(e.offsets.iter().all(|&(a, b)| text.get(a..b).is_some()));
        assert_eq!(e.pooling, format!("mean over {} tokens", e.ids.len()));
        assert!(e.norm > 0.0 && (cosine(&e.vector, &e.vector) - 1.0).abs() < 1e-9);
        assert!(largest_difference(&e.vector, &embed_texts(&mut *model, &[text.to_owned()])[0]) <= 1e-5);

        let long = format!("{}omega", "alpha ".repeat(300));
        let e = model.explain(Input::Text(&long)).unwrap();
        assert_eq!((e.ids.len(), e.truncated), (256, 301 - 254));
        assert!(e.cut_text.ends_with("omega") && long.ends_with(&e.cut_text));
        let out = model.embed(&[Input::Text(&long), Input::Text("")]).unwrap();
        assert_eq!(out.tokens, [256, 2]);
        assert_eq!(out.cut, [e.truncated as u32, 0]);
        assert_eq!(model.cost(Input::Text("")), 2);
        assert_eq!(model.cost(Input::Text(&long)), 256 + e.truncated);
    }

    #[test]
    fn a_precision_has_an_id_a_name_and_a_fingerprint_but_no_space_of_its_own() {
        let plain = opened("minilm");
        assert_eq!(opened("minilm@f32").card(), plain.card());
        let int8 = opened("minilm@int8");
        assert_eq!(
            (int8.card().id.0.as_str(), int8.card().name.as_str()),
            ("all-MiniLM-L6-v2@int8", "MiniLM-L6-v2 int8")
        );
        assert_eq!(int8.card().space, plain.card().space);
        assert_eq!(int8.card().text_query_model.as_ref(), Some(&int8.card().id));
        assert_ne!(int8.fingerprint(), plain.fingerprint());
        // A processor without bf16 runs f32, and shares what it has embedded so.
        let bf16 = opened("minilm@bf16");
        assert_eq!(bf16.fingerprint() == plain.fingerprint(), bf16.card().runs_as.is_some());
        for id in ["static@int8", "lite0@bf16"] {
            let e = message(id, &OpenOptions::default());
            assert!(e.contains("no choice of precision"), "{e}");
        }
        assert_eq!(opened("static@f32").card(), opened("static").card());
    }

    #[test]
    fn a_stopped_batch_has_no_vectors() {
        let mut model = opened("minilm");
        let inputs = [Input::Text("one"), Input::Text("two")];
        assert_eq!(model.embed_until(&inputs, &|| true).unwrap(), None);
        let whole = model.embed(&inputs).unwrap();
        assert_eq!(model.embed_until(&inputs, &|| false).unwrap(), Some(whole));
    }

    #[test]
    fn each_model_refuses_what_it_does_not_read() {
        let picture = image::RgbImage::new(4, 4);
        for card in cards() {
            let mut model = opened(&card.id.0);
            assert_eq!(model.card(), &card);
            assert_eq!(model.fingerprint(), opened(&card.id.0).fingerprint());
            let wrong = match card.input {
                embedlens::models::InputKind::Text => Input::Image(&picture),
                _ => Input::Text("a dog"),
            };
            assert!(matches!(model.embed(&[wrong]), Err(ModelError::WrongInput { .. })));
            assert!(matches!(model.explain(wrong), Err(ModelError::WrongInput { .. })));
            assert!(model.embed(&[]).unwrap().values.is_empty());
        }
        let mut prints: Vec<String> = cards().iter().map(|c| opened(&c.id.0).fingerprint().to_owned()).collect();
        prints.sort();
        prints.dedup();
        assert_eq!(prints.len(), 4);
    }

    #[test]
    fn static_vectors_are_the_reference() {
        let texts = texts("static-golden.json");
        let got = embed_texts(&mut *opened("static"), &texts);
        for (i, (got, want)) in got.iter().zip(rows("static-golden.npy")).enumerate() {
            assert!(largest_difference(got, &want) <= 1e-4, "text {i}");
        }
    }

    #[test]
    fn tokens_are_the_originals() {
        for (id, name) in [("minilm", "minilm-golden.json"), ("static", "static-golden.json")] {
            let mut model = opened(id);
            for (text, want) in texts(name).iter().zip(json(name)["input_ids"].as_array().unwrap()) {
                let want: Vec<u64> = want.as_array().unwrap().iter().map(|i| i.as_u64().unwrap()).collect();
                let got = model.explain(Input::Text(text)).unwrap().ids;
                // The static reference lists known tokens only.
                let known = got.iter().filter(|&&id_| id == "minilm" || id_ != 100).map(|&i| u64::from(i));
                assert!(known.eq(want), "{id}: {text:.60}");
            }
        }
    }

    fn pictures() -> Vec<(serde_json::Value, image::RgbImage)> {
        let list = json("lite0-top5.json");
        let load = |entry: &serde_json::Value| {
            let path = fixture("lite0").join(entry["file"].as_str().unwrap());
            (entry.clone(), image::open(path).unwrap().to_rgb8())
        };
        list.as_array().unwrap().iter().map(load).collect()
    }

    #[test]
    fn lite0_gives_the_originals_features() {
        let pictures = pictures();
        let mut model = opened("efficientnet-lite0");
        let inputs: Vec<Input<'_>> = pictures.iter().map(|(_, p)| Input::Image(p)).collect();
        let out = model.embed(&inputs).unwrap();
        let (wanted, logits) = (rows("lite0-features.npy"), rows("lite0-logits.npy"));
        for (i, (entry, picture)) in pictures.iter().enumerate() {
            let got = &out.values[i * 1280..][..1280];
            assert!(cosine(got, &wanted[i]) >= 0.999, "{entry}: {}", cosine(got, &wanted[i]));
            assert!((cosine(got, got) - 1.0).abs() < 1e-6);
            let best = (0..1000).max_by(|&a, &b| logits[i][a].total_cmp(&logits[i][b])).unwrap();
            assert_eq!(entry["classes"][0], best);
            let name = entry["names"][0].as_str().unwrap();
            assert!(out.notes[i].starts_with(name), "{name}: {}", out.notes[i]);

            let e = model.explain(Input::Image(picture)).unwrap();
            assert_eq!((e.classes[0].0.as_str(), e.classes.len()), (name, 10));
            assert!((f64::from(e.classes[0].1) - entry["probabilities"][0].as_f64().unwrap()).abs() < 0.03, "{entry}");
            assert_eq!(e.vector, got);
        }
    }

    #[test]
    fn conse_places_pictures_near_their_words() {
        let pictures = pictures();
        let mut conse = opened("conse");
        let mut minilm = opened("minilm");
        assert_eq!(conse.card().space, minilm.card().space);
        let names = ["a cup of coffee", "a cat", "a daisy flower", "a camera on a tripod", "a palace in china"];
        let words = embed_texts(&mut *minilm, &names.map(str::to_owned));
        for (file, want) in
            [("coffee.png", 0), ("chelsea.png", 1), ("flower.png", 2), ("camera.png", 3), ("china.png", 4)]
        {
            let (_, picture) = pictures.iter().find(|(e, _)| e["file"] == file).unwrap();
            let out = conse.embed(&[Input::Image(picture)]).unwrap();
            assert!((cosine(&out.values, &out.values) - 1.0).abs() < 1e-6);
            let scores: Vec<f64> = words.iter().map(|w| cosine(w, &out.values)).collect();
            let best = (0..words.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
            assert_eq!(best, want, "{file}: {scores:?}");
        }
    }
}

fn tiny() -> PathBuf {
    fixture("bert-tiny")
}

fn copy_tiny(to: &Path) {
    for entry in fs_err::read_dir(tiny()).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs_err::create_dir_all(&target).unwrap();
            for file in fs_err::read_dir(entry.path()).unwrap().map(Result::unwrap) {
                fs_err::copy(file.path(), target.join(file.file_name())).unwrap();
            }
        } else {
            fs_err::copy(entry.path(), target).unwrap();
        }
    }
}

fn check_tiny(model: &mut dyn Embedder) {
    let texts = texts("bert-tiny/expected.json");
    for (i, (got, want)) in embed_texts(model, &texts).iter().zip(rows("bert-tiny/expected.npy")).enumerate() {
        assert!(largest_difference(got, &want) <= 1e-5, "text {i}");
    }
    let card = model.card();
    assert_eq!((card.dimensions, card.context_tokens, card.normalized), (32, Some(32), true));
}

#[test]
fn a_folder_opens_and_gives_the_originals_vectors() {
    let mut model = opened(tiny().to_str().unwrap());
    check_tiny(&mut *model);
    assert!(!model.card().about.contains("assumed"));
}

#[test]
fn a_folder_without_modules_says_that_pooling_is_assumed() {
    let dir = tempfile::tempdir().unwrap();
    copy_tiny(dir.path());
    fs_err::remove_file(dir.path().join("modules.json")).unwrap();
    let mut model = opened(dir.path().to_str().unwrap());
    assert!(model.card().remarks[0].contains("mean pooling"));
    check_tiny(&mut *model);
}

#[test]
fn a_model_in_the_hubs_cache_opens_by_its_name() {
    let cache = tempfile::tempdir().unwrap();
    let repo = cache.path().join("models--org--tiny-bert");
    let snapshot = repo.join("snapshots/0123abc");
    fs_err::create_dir_all(&snapshot).unwrap();
    fs_err::create_dir_all(repo.join("refs")).unwrap();
    fs_err::write(repo.join("refs/main"), "0123abc").unwrap();
    copy_tiny(&snapshot);
    let options = OpenOptions { offline: true, hub_cache: Some(cache.path().to_path_buf()), ..OpenOptions::default() };
    let mut model = open(&ModelId("org/tiny-bert".to_owned()), &options).unwrap();
    check_tiny(&mut *model);
    assert_eq!(model.card().id.0, "org/tiny-bert");

    fs_err::remove_file(snapshot.join("model.safetensors")).unwrap();
    let e = message("org/tiny-bert", &options);
    assert!(e.contains("lacks model.safetensors") && e.contains("download org/tiny-bert"), "{e}");
}

#[test]
fn hostile_folders_are_errors_that_name_the_file() {
    let options = OpenOptions::default();
    let good = fs_err::read(tiny().join("model.safetensors")).unwrap();
    let mut absurd = good.clone();
    absurd[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let config = String::from_utf8(fs_err::read(tiny().join("config.json")).unwrap()).unwrap();
    let change = |from: &str, to: &str| config.replace(from, to).into_bytes();
    let cases: [(&str, Vec<u8>, &str); 14] = [
        ("model.safetensors", good[..good.len() / 2].to_vec(), "model.safetensors"),
        ("model.safetensors", absurd, "model.safetensors"),
        ("model.safetensors", Vec::new(), "model.safetensors"),
        ("config.json", change("\"hidden_size\": 32", "\"hidden_size\": 64"), "model.safetensors"),
        ("config.json", change("\"hidden_size\": 32", "\"hidden_size\": NaN"), "config.json"),
        ("config.json", change("\"num_attention_heads\": 4", "\"num_attention_heads\": 0"), "num_attention_heads"),
        ("config.json", change("\"model_type\": \"bert\"", "\"model_type\": \"deberta\""), "deberta"),
        ("config.json", change("\"vocab_size\": 106", "\"vocab_size\": 50"), "tokenizer has 106 tokens"),
        ("config.json", b"[]".to_vec(), "config.json"),
        ("tokenizer.json", b"{\"model\": 3}".to_vec(), "tokenizer.json"),
        ("modules.json", b"[{\"type\":\"x.Transformer\",\"path\":\"../..\"}]".to_vec(), "out of the folder"),
        ("modules.json", b"[{\"type\":\"x.Dense\",\"path\":\"\"}]".to_vec(), "Dense"),
        ("modules.json", b"{".to_vec(), "modules.json"),
        ("1_Pooling/config.json", b"{\"pooling_mode\": \"median\"}".to_vec(), "median"),
    ];
    for (file, bytes, word) in cases {
        let dir = tempfile::tempdir().unwrap();
        copy_tiny(dir.path());
        fs_err::write(dir.path().join(file), bytes).unwrap();
        let e = message(dir.path().to_str().unwrap(), &options);
        assert!(e.contains(word), "{file}: {e}");
    }
    for file in ["config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"] {
        let dir = tempfile::tempdir().unwrap();
        copy_tiny(dir.path());
        fs_err::remove_file(dir.path().join(file)).unwrap();
        let e = message(dir.path().to_str().unwrap(), &options);
        assert!(e.contains(file) && e.contains("missing"), "{file}: {e}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(message(empty.path().to_str().unwrap(), &options).contains("config.json"));
}
