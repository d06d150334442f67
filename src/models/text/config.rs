//! Reads a BERT model's `config.json` and turns away what this version cannot run, by name.
//!
//! Exists because the configuration in the wild is wider than candle's type: activations have several names, and sizes of
//! zero would divide by zero deep inside. Invariant: a [`Config`] that comes out can be built and run.

use candle_transformers::models::bert::Config;
use serde_json::Value;

use crate::models::{ModelError, weights::bad};

/// Largest size accepted for any dimension: far above every published encoder, and small enough to multiply safely.
const LARGEST: u64 = 4_000_000;

/// Parses `bytes`, the `config.json` called `file` of model `id`.
pub(in crate::models) fn bert_config(id: &str, file: &str, bytes: &[u8]) -> Result<Config, ModelError> {
    let mut json: Value = serde_json::from_slice(bytes).map_err(|e| bad(file, format!("not valid JSON: {e}")))?;
    let unsupported = |message: String| Err(ModelError::Unsupported { id: id.to_owned(), message });
    let Some(object) = json.as_object_mut() else { return Err(bad(file, "not a JSON object".to_owned())) };

    let architecture = object.get("model_type").and_then(Value::as_str).unwrap_or("none named");
    if architecture != "bert" {
        return unsupported(format!("its architecture is {architecture}; this version runs bert"));
    }
    if let Some(kind) = object.get("position_embedding_type").and_then(Value::as_str)
        && kind != "absolute"
    {
        return unsupported(format!("its position embeddings are {kind}; this version runs absolute ones"));
    }
    let act = object.get("hidden_act").and_then(Value::as_str).unwrap_or("gelu").to_owned();
    let act = match act.as_str() {
        "gelu" | "gelu_python" => "gelu",
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" | "gelu_accurate" | "geluapproximate" => "geluapproximate",
        "relu" => "relu",
        other => {
            return unsupported(format!("its activation is {other}; this version runs gelu, its tanh form, and relu"));
        }
    };
    object.insert("hidden_act".to_owned(), act.into());
    let numbers = [("hidden_dropout_prob", 0.1), ("initializer_range", 0.02), ("layer_norm_eps", 1e-12)];
    for (key, default) in numbers {
        object.entry(key).or_insert(default.into());
    }
    for (key, default) in [("pad_token_id", 0), ("type_vocab_size", 2)] {
        object.entry(key).or_insert(default.into());
    }
    // Fields that decide nothing here and are not always numbers or flags in the wild.
    object.insert("classifier_dropout".to_owned(), Value::Null);
    object.insert("use_cache".to_owned(), Value::Bool(false));
    check_sizes(file, object)?;
    serde_json::from_value(json).map_err(|e| bad(file, e.to_string()))
}

fn check_sizes(file: &str, object: &serde_json::Map<String, Value>) -> Result<(), ModelError> {
    let size = |key: &str| match object.get(key).and_then(Value::as_u64) {
        Some(n) if (1..=LARGEST).contains(&n) => Ok(n),
        Some(n) => Err(bad(file, format!("{key} is {n}; 1 to {LARGEST} make sense"))),
        None => Err(bad(file, format!("{key} is missing or not a whole number"))),
    };
    for key in ["vocab_size", "num_hidden_layers", "intermediate_size", "max_position_embeddings", "type_vocab_size"] {
        size(key)?;
    }
    let (hidden, heads) = (size("hidden_size")?, size("num_attention_heads")?);
    if hidden % heads != 0 {
        return Err(bad(file, format!("hidden_size {hidden} cannot be divided among {heads} attention heads")));
    }
    match object.get("layer_norm_eps").and_then(Value::as_f64) {
        Some(eps) if (0.0..1.0).contains(&eps) => Ok(()),
        _ => Err(bad(file, "layer_norm_eps is not a number from 0 to 1".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use candle_transformers::models::bert::HiddenAct;

    use super::*;

    fn read(change: &str) -> Result<Config, String> {
        let mut json: Value = serde_json::from_str(
            r#"{"model_type":"bert","vocab_size":100,"hidden_size":8,"num_hidden_layers":2,"num_attention_heads":2,
                "intermediate_size":16,"max_position_embeddings":32,"hidden_act":"gelu","layer_norm_eps":1e-12}"#,
        )
        .unwrap();
        let change: Value = serde_json::from_str(change).unwrap();
        for (k, v) in change.as_object().unwrap() {
            json[k] = v.clone();
        }
        bert_config("m", "m/config.json", json.to_string().as_bytes()).map_err(|e| e.to_string())
    }

    #[test]
    fn activation_names_are_mapped() {
        for (name, want) in [
            ("gelu", HiddenAct::Gelu),
            ("gelu_new", HiddenAct::GeluApproximate),
            ("gelu_pytorch_tanh", HiddenAct::GeluApproximate),
            ("relu", HiddenAct::Relu),
        ] {
            assert_eq!(read(&format!(r#"{{"hidden_act":"{name}"}}"#)).unwrap().hidden_act, want);
        }
    }

    #[test]
    fn what_cannot_run_is_named() {
        for (change, word) in [
            (r#"{"model_type":"mpnet"}"#, "mpnet"),
            (r#"{"hidden_act":"swish"}"#, "swish"),
            (r#"{"position_embedding_type":"relative_key"}"#, "relative_key"),
            (r#"{"num_attention_heads":0}"#, "num_attention_heads"),
            (r#"{"num_attention_heads":3}"#, "divided"),
            (r#"{"hidden_size":99999999999999}"#, "hidden_size"),
            (r#"{"vocab_size":-1}"#, "vocab_size"),
            (r#"{"layer_norm_eps":"NaN"}"#, "layer_norm_eps"),
        ] {
            let e = read(change).unwrap_err();
            assert!(e.contains(word), "{change}: {e}");
        }
        let e = bert_config("m", "m/config.json", b"{\"hidden_size\": NaN}").unwrap_err().to_string();
        assert!(e.contains("m/config.json"), "{e}");
    }
}
