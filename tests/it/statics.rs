//! Static models: folders of model2vec and sentence-transformers give the vectors that those give.
#![allow(clippy::unwrap_used)] // tests and their helpers

use std::path::{Path, PathBuf};

use embedlens::models::{Embedder, Input, InputKind, ModelId, OpenOptions, Overrides, Pooling, open};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/statics").join(name)
}

fn opened(folder: &Path, options: &OpenOptions) -> Result<Box<dyn Embedder>, String> {
    open(&ModelId(folder.display().to_string()), options).map_err(|e| e.to_string())
}

#[test]
fn tables_give_the_vectors_of_their_makers() {
    for name in ["halves", "bytes", "mapped", "module"] {
        let json: serde_json::Value =
            serde_json::from_slice(&fs_err::read(folder(name).join("expected.json")).unwrap()).unwrap();
        let texts: Vec<String> = serde_json::from_value(json["texts"].clone()).unwrap();
        let want: Vec<Vec<f32>> = serde_json::from_value(json["vectors"].clone()).unwrap();
        let mut model = opened(&folder(name), &OpenOptions::default()).unwrap();
        let card = model.card().clone();
        assert_eq!(card.context_tokens.map(|n| n as u64), json["max_tokens"].as_u64(), "{name}");
        assert_eq!((card.dimensions, card.input, card.pooling), (12, InputKind::Text, Pooling::Mean), "{name}");
        assert_eq!((card.normalized, card.precision), (name != "mapped", None), "{name}");
        let inputs: Vec<Input<'_>> = texts.iter().map(|text| Input::Text(text)).collect();
        let got = model.embed(&inputs).unwrap();
        for (at, (text, want)) in texts.iter().zip(&want).enumerate() {
            let own = &got.values[at * 12..][..12];
            let off = own.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-5, "{name}: {text:?} is {off} off");
            let seen = model.explain(Input::Text(text)).unwrap();
            assert_eq!(
                (seen.vector.as_slice(), seen.ids.len(), seen.truncated),
                (own, got.tokens[at] as usize, got.cut[at] as usize)
            );
        }
    }
}

#[test]
fn a_table_without_rows_for_its_tokens_is_refused() {
    let copy = |name: &str| {
        let dir = tempfile::tempdir().unwrap();
        for entry in fs_err::read_dir(folder(name)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs_err::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
            }
        }
        dir
    };
    let other = copy("halves");
    let text = fs_err::read_to_string(other.path().join("tokenizer.json")).unwrap();
    let mut tokenizer: serde_json::Value = serde_json::from_str(&text).unwrap();
    tokenizer["model"]["vocab"]["elsewhere"] = 900.into();
    fs_err::write(other.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let e = opened(other.path(), &OpenOptions::default()).err().unwrap();
    assert!(e.contains("901 tokens") && e.contains("its table knows 180"), "{e}");
    let e = opened(&PathBuf::from(format!("{}@int8", folder("halves").display())), &OpenOptions::default());
    assert!(e.err().unwrap().contains("no choice of precision"));
    let cut = copy("bytes");
    let bytes = fs_err::read(cut.path().join("model.safetensors")).unwrap();
    fs_err::write(cut.path().join("model.safetensors"), &bytes[..bytes.len() - 1]).unwrap();
    assert!(opened(cut.path(), &OpenOptions::default()).err().unwrap().contains("model.safetensors"));
}

#[test]
fn a_table_obeys_what_is_set() {
    let overrides = Overrides { normalize: Some(true), ..Overrides::default() };
    let mut model = opened(&folder("mapped"), &OpenOptions { overrides, ..OpenOptions::default() }).unwrap();
    let values = model.embed(&[Input::Text("the cat")]).unwrap().values;
    assert!((values.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5 && model.card().normalized);
    let plain = opened(&folder("mapped"), &OpenOptions::default()).unwrap();
    assert_ne!(model.fingerprint(), plain.fingerprint());
}
