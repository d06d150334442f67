//! Text encoders of every family against sentence-transformers, on small models with random weights.
#![allow(clippy::unwrap_used)] // tests and their helpers

use std::path::{Path, PathBuf};

use embedlens::models::{Embedder, Input, ModelId, OpenOptions, Precision, open};
use npyz::NpyFile;

const FAMILIES: [&str; 16] = [
    "bert",
    "bert-relu-cls",
    "bert-tanh-max",
    "bert-dense",
    "bert-weighted",
    "bert-last",
    "roberta",
    "xlm-roberta",
    "distilbert",
    "mpnet",
    "modernbert",
    "nomic",
    "gte",
    "electra",
    "jina",
    "qwen3",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders").join(name)
}

struct Golden {
    texts: Vec<String>,
    ids: Vec<Vec<u32>>,
    vectors: Vec<Vec<f32>>,
}

fn golden(name: &str) -> Golden {
    let json: serde_json::Value =
        serde_json::from_slice(&fs_err::read(folder(name).join("expected.json")).unwrap()).unwrap();
    let file = fs_err::File::open(folder(name).join("expected.npy")).unwrap();
    let file = NpyFile::new(std::io::BufReader::new(file)).unwrap();
    let dim = file.shape()[1] as usize;
    Golden {
        texts: serde_json::from_value(json["texts"].clone()).unwrap(),
        ids: serde_json::from_value(json["input_ids"].clone()).unwrap(),
        vectors: file.into_vec::<f32>().unwrap().chunks(dim).map(<[f32]>::to_vec).collect(),
    }
}

fn opened(name: &str, precision: Precision) -> Box<dyn Embedder> {
    open(&ModelId(format!("{}@{precision}", folder(name).display())), &OpenOptions::default()).unwrap()
}

fn embedded(model: &mut dyn Embedder, texts: &[&str]) -> Vec<Vec<f32>> {
    let inputs: Vec<Input<'_>> = texts.iter().map(|text| Input::Text(text)).collect();
    let dim = model.card().dimensions;
    model.embed(&inputs).unwrap().values.chunks(dim).map(<[f32]>::to_vec).collect()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn every_family_gives_the_vectors_of_sentence_transformers() {
    for family in FAMILIES {
        let golden = golden(family);
        let mut model = opened(family, Precision::F32);
        for ((text, ids), want) in golden.texts.iter().zip(&golden.ids).zip(&golden.vectors) {
            let seen = model.explain(Input::Text(text)).unwrap();
            assert_eq!(&seen.ids, ids, "{family}: {text:?}");
            let off = largest_difference(&seen.vector, want);
            assert!(off < 1e-5, "{family}: {text:?} is {off} off");
            assert_eq!(embedded(model.as_mut(), &[text])[0], seen.vector, "{family}: {text:?}");
        }
    }
}

#[test]
fn a_text_has_the_same_bits_in_any_company() {
    for family in FAMILIES {
        let texts = golden(family).texts;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let many: Vec<&str> = texts.iter().copied().cycle().take(7 * texts.len()).collect();
        for precision in Precision::ALL {
            let mut model = opened(family, precision);
            let alone: Vec<Vec<f32>> = texts.iter().map(|text| embedded(model.as_mut(), &[text]).remove(0)).collect();
            for threads in [1, 2, 5] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let together = pool.install(|| embedded(model.as_mut(), &many));
                let same = together.iter().zip(alone.iter().cycle()).all(|(a, b)| a == b);
                assert!(same, "{family} {precision} on {threads} threads");
                let backwards: Vec<&str> = texts.iter().rev().copied().collect();
                let turned = pool.install(|| embedded(model.as_mut(), &backwards));
                assert!(turned.iter().rev().eq(alone.iter()), "{family} {precision} on {threads} threads, turned");
                let single = pool.install(|| embedded(model.as_mut(), &texts[5..6]));
                assert_eq!(single[0], alone[5], "{family} {precision} alone on {threads} threads");
            }
        }
    }
}

/// A copy of a fixture whose `config.json` is changed.
fn changed(name: &str, change: impl Fn(&mut serde_json::Value)) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs_err::read_dir(folder(name)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != "modules.json" {
            fs_err::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let mut json = serde_json::from_slice(&fs_err::read(dir.path().join("config.json")).unwrap()).unwrap();
    change(&mut json);
    fs_err::write(dir.path().join("config.json"), json.to_string()).unwrap();
    dir
}

fn opened_plainly(dir: &Path) -> Box<dyn Embedder> {
    open(&ModelId(dir.display().to_string()), &OpenOptions::default()).unwrap()
}

/// As the hub has it: keys of `NomicBERT`'s own code, and older keys of `ModernBERT`.
#[test]
fn older_configurations_give_the_same_vectors() {
    let renamed = |json: &mut serde_json::Value, pairs: &[(&str, &str)]| {
        let object = json.as_object_mut().unwrap();
        for (new, old) in pairs {
            let value = object.remove(*new).unwrap();
            object.insert((*old).to_owned(), value);
        }
    };
    let nomic = changed("nomic", |json| {
        let pairs = [
            ("hidden_size", "n_embd"),
            ("num_hidden_layers", "n_layer"),
            ("num_attention_heads", "n_head"),
            ("intermediate_size", "n_inner"),
            ("max_position_embeddings", "n_positions"),
            ("layer_norm_eps", "layer_norm_epsilon"),
        ];
        renamed(json, &pairs);
        json["rope_parameters"] = serde_json::Value::Null;
        json["rotary_emb_base"] = 1000.into();
        json["activation_function"] = "swiglu".into();
    });
    let modern = changed("modernbert", |json| {
        json["layer_types"] = serde_json::Value::Null;
        json["rope_parameters"] = serde_json::Value::Null;
        json["global_rope_theta"] = 160_000.0.into();
        json["local_rope_theta"] = 10_000.0.into();
    });
    for (name, dir) in [("nomic", nomic), ("modernbert", modern)] {
        let golden = golden(name);
        let mut model = opened_plainly(dir.path());
        for (text, want) in golden.texts.iter().zip(&golden.vectors) {
            let off = largest_difference(&embedded(model.as_mut(), &[text])[0], want);
            assert!(off < 1e-5, "{name}: {text:?} is {off} off");
        }
    }
}

/// `CodeBERT` and its like: RoBERTa behind a prefix, with a head for masked words, and no modules.json.
#[test]
fn a_plain_folder_with_prefixed_names_opens() {
    let dir = changed("roberta", |json| json["architectures"] = serde_json::json!(["RobertaForMaskedLM"]));
    let file = dir.path().join("model.safetensors");
    let bytes = fs_err::read(&file).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let head = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![1], &[0; 4]).unwrap();
    let renamed = tensors.iter().map(|(name, view)| (format!("roberta.{name}"), view));
    let renamed: Vec<_> = renamed.chain([("lm_head.bias".to_owned(), head)]).collect();
    fs_err::write(&file, safetensors::serialize(renamed, None).unwrap()).unwrap();
    let golden = golden("roberta");
    let mut model = opened_plainly(dir.path());
    for (text, want) in golden.texts.iter().zip(&golden.vectors) {
        assert!(largest_difference(&embedded(model.as_mut(), &[text])[0], want) < 1e-5, "{text:?}");
    }
}

#[test]
fn fewer_bits_point_the_same_way() {
    // Small random models are harder on bytes than trained ones: their few dimensions average little out.
    for (precision, least) in [(Precision::Bf16, 0.999), (Precision::Int8, 0.97)] {
        for family in FAMILIES {
            let golden = golden(family);
            let mut model = opened(family, precision);
            let texts: Vec<&str> = golden.texts.iter().map(String::as_str).collect();
            for ((text, got), want) in texts.iter().zip(embedded(model.as_mut(), &texts)).zip(&golden.vectors) {
                let near = cosine(&got, want);
                assert!(near > least, "{family} {precision} {text:?}: {near}");
            }
        }
    }
}

#[test]
fn a_batch_is_given_up_when_asked() {
    let mut model = opened("bert", Precision::F32);
    let text = "A map puts texts that say much the same thing near one another. ".repeat(9);
    let inputs = vec![Input::Text(text.as_str()); 64];
    assert_eq!(model.embed_until(&inputs, &|| true).unwrap(), None);
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let soon = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= 3;
    assert_eq!(model.embed_until(&inputs, &soon).unwrap(), None);
    let whole = model.embed_until(&inputs, &|| false).unwrap().unwrap();
    assert_eq!(whole.values.len(), 64 * model.card().dimensions);
}

/// candle's own BERT, with the weights of the model inside the program.
#[cfg(feature = "bundled-models")]
#[test]
fn minilm_gives_the_vectors_of_candles_bert() {
    use candle_core::{DType, Device, Tensor};
    use candle_nn::VarBuilder;
    use candle_transformers::models::bert::{BertModel, Config};

    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/models/all-MiniLM-L6-v2");
    let config: Config = serde_json::from_slice(&fs_err::read(assets.join("config.json")).unwrap()).unwrap();
    let weights = fs_err::read(assets.join("model.safetensors")).unwrap();
    let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu).unwrap();
    let candle = BertModel::load(weights, &config).unwrap();

    let long = "A map puts texts that say much the same thing near one another. ".repeat(20);
    let mut ours = open(&ModelId("minilm".to_owned()), &OpenOptions::default()).unwrap();
    for text in ["", "coffee", "How do I make a cup of coffee without a machine?", &long] {
        let seen = ours.explain(Input::Text(text)).unwrap();
        let count = seen.ids.len();
        let ids = Tensor::from_vec(seen.ids, (1, count), &Device::Cpu).unwrap();
        let states = candle.forward(&ids, &ids.zeros_like().unwrap(), None).unwrap();
        let mean: Vec<f32> = states.mean(1).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let length = mean.iter().map(|x| x * x).sum::<f32>().sqrt();
        let want: Vec<f32> = mean.iter().map(|x| x / length).collect();
        let off = largest_difference(&seen.vector, &want);
        assert!(off < 1e-5, "{text:?} is {off} off");
    }
}
