//! Picture models from folders against transformers, on small models with random weights.
#![allow(clippy::unwrap_used)] // tests and their helpers

use std::path::{Path, PathBuf};

use embedlens::models::{Embedder, Input, InputKind, ModelId, OpenOptions, Overrides, Pooling, Precision, open};
use image::RgbImage;
use npyz::NpyFile;

const BOTH: [&str; 3] = ["clip", "clip-old", "siglip"];
const ALONE: [&str; 4] = ["vit", "dinov2", "dinov2-gated", "dinov2-registers"];

fn all() -> impl Iterator<Item = &'static str> {
    BOTH.into_iter().chain(ALONE)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures")
}

fn opened(name: &str, precision: Precision) -> Box<dyn Embedder> {
    open(&ModelId(format!("{}@{precision}", root().join(name).display())), &OpenOptions::default()).unwrap()
}

fn expected(name: &str) -> serde_json::Value {
    serde_json::from_slice(&fs_err::read(root().join(name).join("expected.json")).unwrap()).unwrap()
}

fn rows(name: &str, file: &str) -> Vec<Vec<f32>> {
    let file = fs_err::File::open(root().join(name).join(file)).unwrap();
    let file = NpyFile::new(std::io::BufReader::new(file)).unwrap();
    let dim = file.shape()[1] as usize;
    file.into_vec::<f32>().unwrap().chunks(dim).map(<[f32]>::to_vec).collect()
}

fn pictures(name: &str) -> Vec<RgbImage> {
    let names: Vec<String> = serde_json::from_value(expected(name)["pictures"].clone()).unwrap();
    names.iter().map(|name| image::open(root().join(format!("{name}.png"))).unwrap().to_rgb8()).collect()
}

fn texts(name: &str) -> Vec<String> {
    serde_json::from_value(expected(name)["texts"].clone()).unwrap_or_default()
}

fn embedded(model: &mut dyn Embedder, inputs: &[Input<'_>]) -> Vec<Vec<f32>> {
    let dim = model.card().dimensions;
    model.embed(inputs).unwrap().values.chunks(dim).map(<[f32]>::to_vec).collect()
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[test]
fn every_tower_gives_the_vectors_of_transformers() {
    for name in all() {
        let mut model = opened(name, Precision::F32);
        let pictures = pictures(name);
        for (at, (picture, want)) in pictures.iter().zip(rows(name, "pictures.npy")).enumerate() {
            let seen = model.explain(Input::Image(picture)).unwrap();
            let off = difference(&seen.vector, &want);
            assert!(off < 1e-5, "{name}: picture {at} is {off} off");
            assert_eq!(embedded(model.as_mut(), &[Input::Image(picture)])[0], seen.vector, "{name}: picture {at}");
            assert!(seen.pooling.contains("patches") && seen.norm > 0.0, "{}", seen.pooling);
        }
    }
    for name in BOTH {
        let mut model = opened(name, Precision::F32);
        assert_eq!(model.card().input, InputKind::Both);
        let ids: Vec<Vec<u32>> = serde_json::from_value(expected(name)["input_ids"].clone()).unwrap();
        for ((text, ids), want) in texts(name).iter().zip(ids).zip(rows(name, "texts.npy")) {
            let seen = model.explain(Input::Text(text)).unwrap();
            assert_eq!(seen.ids, ids, "{name}: {text:?}");
            assert_eq!((seen.tokens.len(), seen.offsets.len()), (ids.len(), ids.len()));
            let off = difference(&seen.vector, &want);
            assert!(off < 1e-5, "{name}: {text:?} is {off} off");
            assert_eq!(embedded(model.as_mut(), &[Input::Query(text)])[0], seen.vector, "{name}: {text:?}");
        }
    }
}

#[test]
fn towers_alone_pool_by_the_mean_when_asked() {
    let options = |pooling| OpenOptions {
        overrides: Overrides { pooling: Some(pooling), ..Overrides::default() },
        ..OpenOptions::default()
    };
    for name in ALONE {
        let id = ModelId(root().join(name).display().to_string());
        let mut model = open(&id, &options(Pooling::Mean)).unwrap();
        let plain = opened(name, Precision::F32);
        assert!(model.fingerprint() != plain.fingerprint() && model.card().space != plain.card().space);
        for (picture, want) in pictures(name).iter().zip(rows(name, "means.npy")) {
            let off = difference(&embedded(model.as_mut(), &[Input::Image(picture)])[0], &want);
            assert!(off < 1e-5, "{name}: {off} off");
        }
        assert!(open(&id, &options(Pooling::Max)).err().unwrap().to_string().contains("cls or mean"));
    }
}

#[test]
fn captions_are_judged_as_the_model_was_trained() {
    for name in BOTH {
        let mut model = opened(name, Precision::F32);
        let (pictures, texts, expected) = (pictures(name), texts(name), expected(name));
        let vectors = embedded(model.as_mut(), &[Input::Image(&pictures[0]), Input::Text(&texts[2])]);
        let cosine = dot(&vectors[0], &vectors[1]) as f32;
        let scale = model.caption_scale().unwrap();
        let logit = cosine * scale.factor + scale.bias;
        assert!((f64::from(logit) - expected["logit"].as_f64().unwrap()).abs() < 1e-4, "{name}: {logit}");
        assert_eq!(scale.each_alone, name == "siglip");
        let shares = scale.shares(&[cosine, 0.0, -1.0]);
        assert!(shares.is_sorted_by(|a, b| a >= b) == (cosine >= 0.0) && shares.iter().all(|share| *share >= 0.0));
    }
    assert_eq!(opened("vit", Precision::F32).caption_scale(), None);
}

#[test]
fn inputs_have_the_same_bits_in_any_company() {
    for name in all() {
        let (pictures, texts) = (pictures(name), texts(name));
        let inputs: Vec<Input<'_>> =
            pictures.iter().map(Input::Image).chain(texts.iter().map(|text| Input::Text(text))).collect();
        let many: Vec<Input<'_>> = inputs.iter().copied().cycle().take(5 * inputs.len()).collect();
        for precision in Precision::ALL {
            let mut model = opened(name, precision);
            let alone: Vec<Vec<f32>> =
                inputs.iter().map(|&input| embedded(model.as_mut(), &[input]).remove(0)).collect();
            for threads in [1, 2, 5] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let together = pool.install(|| embedded(model.as_mut(), &many));
                let same = together.iter().zip(alone.iter().cycle()).all(|(a, b)| a == b);
                assert!(same, "{name} {precision} on {threads} threads");
                let single = pool.install(|| embedded(model.as_mut(), &inputs[1..2]));
                assert_eq!(single[0], alone[1], "{name} {precision} alone on {threads} threads");
            }
        }
    }
}

#[test]
fn fewer_bits_point_the_same_way() {
    for (precision, least) in [(Precision::Bf16, 0.999), (Precision::Int8, 0.97)] {
        for name in all() {
            let mut model = opened(name, precision);
            let (pictures, texts) = (pictures(name), texts(name));
            let inputs: Vec<Input<'_>> =
                pictures.iter().map(Input::Image).chain(texts.iter().map(|text| Input::Text(text))).collect();
            let mut want = rows(name, "pictures.npy");
            if !texts.is_empty() {
                want.extend(rows(name, "texts.npy"));
            }
            for (at, (got, want)) in embedded(model.as_mut(), &inputs).iter().zip(&want).enumerate() {
                let near = dot(got, want) / (dot(got, got) * dot(want, want)).sqrt();
                assert!(near > least, "{name} {precision}, input {at}: {near}");
            }
        }
    }
}

#[test]
fn pictures_alone_read_no_texts_and_batches_are_given_up() {
    let mut vit = opened("vit", Precision::F32);
    assert_eq!(vit.card().input, InputKind::Image);
    assert!(vit.embed(&[Input::Text("a cat")]).unwrap_err().to_string().contains("pictures"));
    let picture = RgbImage::new(9, 9);
    let inputs = vec![Input::Image(&picture); 64];
    assert_eq!(vit.embed_until(&inputs, &|| true).unwrap(), None);
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let soon = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 3;
    assert_eq!(vit.embed_until(&inputs, &soon).unwrap(), None);
}

/// A copy of a fixture in which files are changed.
fn changed(name: &str, change: impl Fn(&Path)) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs_err::read_dir(root().join(name)).unwrap() {
        let path = entry.unwrap().path();
        fs_err::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
    }
    change(dir.path());
    dir
}

fn rewrite(file: &Path, with: impl Fn(&mut serde_json::Value)) {
    let mut json: serde_json::Value = serde_json::from_slice(&fs_err::read(file).unwrap()).unwrap();
    with(&mut json);
    fs_err::write(file, json.to_string()).unwrap();
}

fn opened_at(dir: &Path) -> Result<Box<dyn Embedder>, String> {
    open(&ModelId(dir.display().to_string()), &OpenOptions::default()).map_err(|e| e.to_string())
}

#[test]
fn the_layout_of_sentence_transformers_opens_too() {
    let dir = tempfile::tempdir().unwrap();
    fs_err::create_dir(dir.path().join("0_CLIPModel")).unwrap();
    for file in ["config.json", "preprocessor_config.json", "tokenizer.json", "model.safetensors"] {
        fs_err::copy(root().join("clip").join(file), dir.path().join("0_CLIPModel").join(file)).unwrap();
    }
    let modules =
        r#"[{"idx": 0, "name": "0", "path": "0_CLIPModel", "type": "sentence_transformers.models.CLIPModel"}]"#;
    fs_err::write(dir.path().join("modules.json"), modules).unwrap();
    let pictures = pictures("clip");
    let want = embedded(opened("clip", Precision::F32).as_mut(), &[Input::Image(&pictures[0])]);
    let mut model = opened_at(dir.path()).unwrap();
    assert_eq!(embedded(model.as_mut(), &[Input::Image(&pictures[0])]), want);
}

/// CLIP's first folders have two files in place of `tokenizer.json`.
#[test]
fn clips_old_tokenizer_files_give_the_same_tokens() {
    let dir = changed("clip", |dir| {
        let file = dir.join("tokenizer.json");
        let json: serde_json::Value = serde_json::from_slice(&fs_err::read(&file).unwrap()).unwrap();
        let merges: Vec<[String; 2]> = serde_json::from_value(json["model"]["merges"].clone()).unwrap();
        let lines: Vec<String> = merges.iter().map(|[a, b]| format!("{a} {b}\n")).collect();
        fs_err::write(dir.join("merges.txt"), format!("#version: 0.2\n{}", lines.concat())).unwrap();
        fs_err::write(dir.join("vocab.json"), json["model"]["vocab"].to_string()).unwrap();
        fs_err::remove_file(file).unwrap();
    });
    let (mut old, mut new) = (opened_at(dir.path()).unwrap(), opened("clip", Precision::F32));
    for text in texts("clip") {
        let [old, new] = [&mut old, &mut new].map(|model| model.explain(Input::Text(&text)).unwrap());
        assert_eq!((old.ids, old.offsets, old.vector), (new.ids, new.offsets, new.vector), "{text:?}");
    }
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let bare = changed("siglip", |dir| fs_err::remove_file(dir.join("preprocessor_config.json")).unwrap());
    let remarks = opened_at(bare.path()).unwrap().card().remarks.join(" ");
    assert!(remarks.contains("SiglipImageProcessor"), "{remarks}");
    let config = |change: fn(&mut serde_json::Value)| move |dir: &Path| rewrite(&dir.join("config.json"), change);
    let prepared =
        |change: fn(&mut serde_json::Value)| move |dir: &Path| rewrite(&dir.join("preprocessor_config.json"), change);
    let message = |dir: tempfile::TempDir| opened_at(dir.path()).err().unwrap();
    for (message, word) in [
        (message(changed("clip", |dir| fs_err::remove_file(dir.join("tokenizer.json")).unwrap())), "tokenizer.json"),
        (
            message(changed("clip", |dir| fs_err::remove_file(dir.join("model.safetensors")).unwrap())),
            "model.safetensors",
        ),
        (
            message(changed("clip", |dir| fs_err::write(dir.join("model.safetensors"), "no").unwrap())),
            "model.safetensors",
        ),
        (message(changed("clip", config(|json| json["text_config"]["vocab_size"] = 5.into()))), "tokenizer"),
        (message(changed("clip", config(|json| json["vision_config"]["hidden_size"] = 64.into()))), "shape"),
        (message(changed("vit", config(|json| json["patch_size"] = 0.into()))), "patch_size"),
        (message(changed("vit", config(|json| json["hidden_act"] = "mish".into()))), "mish"),
        (message(changed("dinov2", config(|json| json["mlp_ratio"] = "x".into()))), "mlp_ratio"),
        (message(changed("vit", prepared(|json| json["size"] = 48.into()))), "48 x 48"),
        (message(changed("vit", prepared(|json| json["do_resize"] = false.into()))), "sizes of their own"),
        (message(changed("vit", prepared(|json| json["resample"] = 7.into()))), "resample"),
    ] {
        assert!(message.contains(word), "{word}: {message}");
    }
}
