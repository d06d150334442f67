//! Weights in every form, and folders that mean harm: each is a clear error, nothing is run and nothing outside is read.
#![allow(clippy::unwrap_used)] // tests and their helpers

use std::collections::BTreeMap;
use std::path::Path;

use embedlens::models::{Input, OpenOptions};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::folders::{opened, whole};

fn pickles() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/folders/pickles")
}

fn vector(folder: &Path, options: &OpenOptions) -> Vec<f32> {
    opened(folder, options).unwrap().embed(&[Input::Text("The cat sat on the mat.")]).unwrap().values
}

fn error(folder: &Path) -> String {
    opened(folder, &OpenOptions::default()).err().unwrap().to_string()
}

/// The base's tensors, each as single-precision values.
fn tensors(folder: &Path) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let bytes = fs_err::read(folder.join("model.safetensors")).unwrap();
    let all = SafeTensors::deserialize(&bytes).unwrap();
    let one = |name: &str| {
        let view = all.tensor(name).unwrap();
        let values = view.data().chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        (name.to_owned(), (view.shape().to_vec(), values))
    };
    all.names().into_iter().map(one).collect()
}

fn write<'a>(path: &Path, dtype: Dtype, tensors: impl Iterator<Item = (&'a String, &'a (Vec<usize>, Vec<f32>))>) {
    let bytes = |values: &Vec<f32>| -> Vec<u8> {
        match dtype {
            Dtype::F16 => values.iter().flat_map(|&x| half::f16::from_f32(x).to_le_bytes()).collect(),
            Dtype::BF16 => values.iter().flat_map(|&x| half::bf16::from_f32(x).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        }
    };
    let data: Vec<_> = tensors.map(|(name, (shape, values))| (name, shape.clone(), bytes(values))).collect();
    let views: Vec<(&str, TensorView<'_>)> = data
        .iter()
        .map(|(name, shape, data)| (name.as_str(), TensorView::new(dtype, shape.clone(), data).unwrap()))
        .collect();
    fs_err::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// Puts the base's weights into two files with an index.
fn shard(folder: &Path) {
    let all = tensors(folder);
    let half = all.len() / 2;
    write(&folder.join("model-1.safetensors"), Dtype::F32, all.iter().take(half));
    write(&folder.join("model-2.safetensors"), Dtype::F32, all.iter().skip(half));
    let file = |at: usize| format!("model-{}.safetensors", 1 + usize::from(at >= half));
    let map: serde_json::Map<String, serde_json::Value> =
        all.keys().enumerate().map(|(at, name)| (name.clone(), serde_json::Value::from(file(at)))).collect();
    let index = serde_json::json!({ "metadata": {}, "weight_map": map });
    fs_err::write(folder.join("model.safetensors.index.json"), index.to_string()).unwrap();
    fs_err::remove_file(folder.join("model.safetensors")).unwrap();
}

#[test]
fn weights_in_several_files_and_in_fewer_bits_give_the_same_vectors() {
    let options = OpenOptions::default();
    let (plain, sharded) = (whole(""), whole(""));
    let want = vector(plain.path(), &options);
    shard(sharded.path());
    assert_eq!(vector(sharded.path(), &options), want);
    let all = tensors(plain.path());
    for (dtype, most) in [(Dtype::F16, 1e-3), (Dtype::BF16, 1e-2)] {
        let short = whole("");
        write(&short.path().join("model.safetensors"), dtype, all.iter());
        let got = vector(short.path(), &options);
        let off = got.iter().zip(&want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off > 0.0 && off < most, "{dtype:?}: {off}");
    }
}

#[test]
fn a_pickle_is_read_when_asked_for() {
    let plain = whole("");
    let want = vector(plain.path(), &OpenOptions::default());
    let dir = whole("");
    fs_err::remove_file(dir.path().join("model.safetensors")).unwrap();
    fs_err::copy(pickles().join("base.bin"), dir.path().join("pytorch_model.bin")).unwrap();
    let e = error(dir.path());
    assert!(e.contains("only pickle") && e.contains("embedlens models convert"), "{e}");
    let asked = OpenOptions { pickle: true, ..OpenOptions::default() };
    assert_eq!(vector(dir.path(), &asked), want);
    fs_err::copy(pickles().join("payload.bin"), dir.path().join("pytorch_model.bin")).unwrap();
    let e = opened(dir.path(), &asked).err().unwrap().to_string();
    assert!(e.contains("pytorch_model.bin") && e.contains("posix.system") && e.contains("nothing was run"), "{e}");
}

#[test]
fn damaged_and_hostile_weights_are_named() {
    let (base, good) = {
        let dir = whole("");
        (tensors(dir.path()), fs_err::read(dir.path().join("model.safetensors")).unwrap())
    };
    let header = |length: u64| [&length.to_le_bytes()[..], &good[8..]].concat();
    let (mut nan, mut wrong) = (base.clone(), base.clone());
    let norm = "embeddings.LayerNorm.weight";
    nan.get_mut(norm).unwrap().1[3] = f32::NAN;
    *wrong.get_mut(norm).unwrap() = (vec![4, 4], vec![1.0; 16]);
    let serialized = |tensors: &BTreeMap<String, (Vec<usize>, Vec<f32>)>| {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("x"), Dtype::F32, tensors.iter());
        fs_err::read(dir.path().join("x")).unwrap()
    };
    let few: BTreeMap<_, _> = base.iter().filter(|t| t.0 != norm).map(|(a, b)| (a.clone(), b.clone())).collect();
    let overlong = br#"{"w":{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,8]}}"#;
    let overlong = [&(overlong.len() as u64).to_le_bytes()[..], overlong, &[0; 8]].concat();
    for (bytes, word) in [
        (header(2 << 30), "header is said to have 2147483648 bytes"),
        (header(u64::MAX), "cut short"),
        (good[..good.len() - 100].to_vec(), "not a safetensors file"),
        (good[..3].to_vec(), "it has 3 bytes"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00".to_vec(), "git lfs pull"),
        (overlong, "not a safetensors file"),
        (serialized(&nan), "NaN"),
        (serialized(&wrong), "[4, 4] where [16]"),
        (serialized(&few), "LayerNorm.weight is missing"),
    ] {
        let dir = whole("");
        fs_err::write(dir.path().join("model.safetensors"), bytes).unwrap();
        let e = error(dir.path());
        assert!(e.contains("model.safetensors") && e.contains(word), "{e}");
    }
}

#[test]
fn an_index_cannot_lead_elsewhere() {
    for (index, word) in [
        (r#"{"weight_map":{"a":"../model.safetensors"}}"#, "leads out"),
        (r#"{"weight_map":{"a":"/etc/model.safetensors"}}"#, "leads out"),
        (r#"{"weight_map":{"a":"C:\\x\\model.safetensors"}}"#, "leads out"),
        (r#"{"weight_map":{"a":"config.json"}}"#, "not the name of one"),
        (r#"{"weight_map":{"a":7}}"#, "not the name of one"),
        (r#"{"weight_map":{"a":"model-1.safetensors"}}"#, "is missing; model.safetensors.index.json names it"),
        (r#"{"weight_map":{}}"#, "weight_map is empty"),
        ("[]", "weight_map is missing"),
        ("{", "not valid JSON"),
    ] {
        let dir = whole("");
        fs_err::remove_file(dir.path().join("model.safetensors")).unwrap();
        fs_err::write(dir.path().join("model.safetensors.index.json"), index).unwrap();
        let e = error(dir.path());
        assert!(e.contains(word), "{index}: {e}");
    }
}

#[test]
fn configurations_that_make_no_sense_are_named() {
    let text = fs_err::read_to_string(whole("").path().join("config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut with = |key: &str, value: &str| {
        let before = config[key].clone();
        config[key] = serde_json::Value::from("VALUE");
        let changed = config.to_string().replace("\"VALUE\"", value);
        config[key] = before;
        changed
    };
    for (config, word) in [
        (with("hidden_size", "1000000000000"), "hidden_size is 1000000000000"),
        (with("vocab_size", "1000000000000"), "vocab_size"),
        (with("num_hidden_layers", "1000000000000"), "num_hidden_layers"),
        (with("num_hidden_layers", "4000000"), "is missing"),
        (with("max_position_embeddings", "4000000"), "has shape [40, 16] where [4000000, 16]"),
        (with("hidden_size", "-1"), "hidden_size"),
        (with("hidden_size", "NaN"), "not valid JSON"),
        (with("layer_norm_eps", "NaN"), "not valid JSON"),
        (with("layer_norm_eps", "1e999"), "config.json"),
        (with("model_type", "\"mamba\""), "mamba"),
    ] {
        let dir = whole("");
        fs_err::write(dir.path().join("config.json"), config).unwrap();
        let e = error(dir.path());
        assert!(e.contains(word), "{word}: {e}");
    }
    let other = whole("");
    let text = fs_err::read_to_string(other.path().join("tokenizer.json")).unwrap();
    let mut tokenizer: serde_json::Value = serde_json::from_str(&text).unwrap();
    tokenizer["model"]["vocab"]["elsewhere"] = 900.into();
    fs_err::write(other.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    assert!(error(other.path()).contains("its tokenizer has 901 tokens"), "{}", error(other.path()));
}

#[cfg(unix)]
#[test]
fn links_out_of_the_folder_are_refused() {
    let outside = whole("");
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let dir = whole("");
        fs_err::remove_file(dir.path().join(name)).unwrap();
        std::os::unix::fs::symlink(outside.path().join(name), dir.path().join(name)).unwrap();
        let e = error(dir.path());
        assert!(e.contains(name) && e.contains("link that leads out"), "{e}");
    }
}
