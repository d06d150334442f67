//! Reads an encoder's `config.json` and turns away what this version cannot run, by name.
//!
//! Exists because the configuration in the wild differs by family and is wider than what can be run. Invariant: a [`Shape`] that comes
//! out can be built and run.

mod newer;

use serde_json::{Map, Value};

use crate::models::{
    ModelError,
    encoder::{Activation, Family, Options, Shape},
    weights::bad,
};

/// Largest size accepted for any dimension: far above every published encoder, and small enough to multiply safely.
pub(in crate::models) const LARGEST: u64 = 4_000_000;
/// Largest number of values that a token has between the products of a layer: sums of as many bytes' products fit 32 bits.
pub(in crate::models) const WIDEST: u64 = 65_536;

/// A configuration being read.
#[derive(Clone, Copy)]
pub(in crate::models) struct Reader<'a> {
    pub(in crate::models) id: &'a str,
    pub(in crate::models) file: &'a str,
    pub(in crate::models) object: &'a Map<String, Value>,
}

/// Parses `bytes`, the `config.json` called `file` of model `id`.
pub(in crate::models) fn encoder_shape(id: &str, file: &str, bytes: &[u8]) -> Result<Shape, ModelError> {
    let json: Value = serde_json::from_slice(bytes).map_err(|e| bad(file, format!("not valid JSON: {e}")))?;
    let Some(object) = json.as_object() else { return Err(bad(file, "not a JSON object".to_owned())) };
    let read = Reader { id, file, object };
    let architecture = read.word("model_type")?.unwrap_or("none named");
    if object.get("is_decoder") == Some(&Value::Bool(true)) {
        return read.unsupported("it is a decoder; this version runs encoders".to_owned());
    }
    if let Some(shape) = read.newer(architecture)? {
        read.check_heads(&shape)?;
        return Ok(shape);
    }
    let family = match architecture {
        // With vectors of words as long as its states, ELECTRA's encoder is BERT's.
        "electra" if object.get("embedding_size") == object.get("hidden_size") => Family::Bert,
        "electra" => {
            let message =
                "its vectors of words are shorter than its states (embedding_size), which this version does not run";
            return read.unsupported(message.to_owned());
        }
        "bert" => Family::Bert,
        "roberta" | "xlm-roberta" | "camembert" => Family::Roberta,
        "distilbert" => Family::DistilBert,
        "mpnet" => Family::Mpnet,
        other => {
            let run = "bert, roberta, xlm-roberta, camembert, distilbert, mpnet, electra, modernbert, nomic_bert, gte and qwen3";
            return read.unsupported(format!("its architecture is {other}; this version runs {run}"));
        }
    };
    if let Some(kind) = read.word("position_embedding_type")?
        && kind != "absolute"
    {
        return read.unsupported(format!("its position embeddings are {kind}; this version runs absolute ones"));
    }
    let own = family == Family::DistilBert;
    let name = |usual: &'static str, distilled: &'static str| if own { distilled } else { usual };
    let padding = object.get("pad_token_id").and_then(Value::as_u64).unwrap_or(1);
    let shape = Shape {
        family,
        vocabulary: read.size("vocab_size", LARGEST)?,
        hidden: read.size(name("hidden_size", "dim"), WIDEST)?,
        layers: read.size(name("num_hidden_layers", "n_layers"), LARGEST)?,
        heads: read.size(name("num_attention_heads", "n_heads"), LARGEST)?,
        between: read.size(name("intermediate_size", "hidden_dim"), WIDEST)?,
        positions: read.size("max_position_embeddings", LARGEST)?,
        first_position: match family {
            Family::Roberta => usize::try_from(padding).map_or(usize::MAX, |padding| padding.saturating_add(1)),
            Family::Mpnet => 2,
            _ => 0,
        },
        token_types: match family {
            Family::Bert => read.optional_size("type_vocab_size", 2)?,
            Family::Roberta => read.optional_size("type_vocab_size", 1)?,
            _ => 0,
        },
        activation: read.activation(name("hidden_act", "activation"), "gelu")?,
        epsilon: read.epsilon("layer_norm_eps", 1e-12)?,
        distance_buckets: match family {
            Family::Mpnet => read.optional_size("relative_attention_num_buckets", 32)?,
            _ => 0,
        },
        options: Options::default(),
    };
    read.check_heads(&shape)?;
    if shape.first_position >= shape.positions {
        let (first, all) = (shape.first_position, shape.positions);
        return Err(bad(file, format!("positions begin at {first}, and there are {all} (max_position_embeddings)")));
    }
    Ok(shape)
}

impl Reader<'_> {
    /// Heads share a token's values evenly.
    pub(in crate::models) fn check_heads(&self, shape: &Shape) -> Result<(), ModelError> {
        let (hidden, heads) = (shape.hidden, shape.heads);
        if shape.options.width.is_some() || hidden % heads == 0 {
            return Ok(());
        }
        Err(bad(self.file, format!("its {hidden} values a token cannot be divided among {heads} attention heads")))
    }

    /// Turns a model away.
    pub(in crate::models) fn unsupported<T>(&self, message: String) -> Result<T, ModelError> {
        Err(ModelError::Unsupported { id: self.id.to_owned(), message })
    }

    /// A word, or nothing where the key is missing or null.
    pub(in crate::models) fn word(&self, key: &str) -> Result<Option<&str>, ModelError> {
        match self.object.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(word)) => Ok(Some(word)),
            Some(other) => Err(bad(self.file, format!("{key} is {other}, not a word"))),
        }
    }

    /// A whole number from 1 to `most`.
    pub(in crate::models) fn size(&self, key: &str, most: u64) -> Result<usize, ModelError> {
        match self.object.get(key).and_then(Value::as_u64) {
            Some(n) if (1..=most).contains(&n) => Ok(n as usize),
            Some(n) => Err(bad(self.file, format!("{key} is {n}; 1 to {most} make sense"))),
            None => Err(bad(self.file, format!("{key} is missing or not a whole number"))),
        }
    }

    /// A whole number, or `default` where the key is missing.
    pub(in crate::models) fn optional_size(&self, key: &str, default: usize) -> Result<usize, ModelError> {
        match self.object.get(key) {
            None | Some(Value::Null) => Ok(default),
            Some(_) => self.size(key, LARGEST),
        }
    }

    /// An activation, or `default` where the key is missing.
    pub(in crate::models) fn activation(&self, key: &str, default: &str) -> Result<Activation, ModelError> {
        match self.word(key)?.unwrap_or(default) {
            "gelu" | "gelu_python" => Ok(Activation::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" | "gelu_accurate" => Ok(Activation::GeluTanh),
            "relu" => Ok(Activation::Relu),
            "silu" | "swish" => Ok(Activation::Silu),
            "quick_gelu" => Ok(Activation::QuickGelu),
            other => {
                let run = "gelu, its tanh form, quick_gelu, silu and relu";
                self.unsupported(format!("its activation is {other}; this version runs {run}"))
            }
        }
    }

    /// What is added to a variance, or `default` where the key is missing.
    pub(in crate::models) fn epsilon(&self, key: &str, default: f32) -> Result<f32, ModelError> {
        match self.object.get(key) {
            None => Ok(default),
            Some(value) => match value.as_f64() {
                Some(epsilon) if (0.0..1.0).contains(&epsilon) => Ok(epsilon as f32),
                _ => Err(bad(self.file, format!("{key} is not a number from 0 to 1"))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(change: &str) -> Result<Shape, String> {
        let mut json: Value = serde_json::from_str(
            r#"{"model_type":"bert","vocab_size":100,"hidden_size":8,"num_hidden_layers":2,"num_attention_heads":2,
                "intermediate_size":16,"max_position_embeddings":32,"hidden_act":"gelu","layer_norm_eps":1e-12}"#,
        )
        .unwrap();
        let change: Value = serde_json::from_str(change).unwrap();
        for (k, v) in change.as_object().unwrap() {
            json[k] = v.clone();
        }
        encoder_shape("m", "m/config.json", json.to_string().as_bytes()).map_err(|e| e.to_string())
    }

    #[test]
    fn activation_names_are_mapped() {
        for (name, want) in [
            ("gelu", Activation::Gelu),
            ("gelu_new", Activation::GeluTanh),
            ("gelu_pytorch_tanh", Activation::GeluTanh),
            ("relu", Activation::Relu),
        ] {
            assert_eq!(read(&format!(r#"{{"hidden_act":"{name}"}}"#)).unwrap().activation, want);
        }
    }

    #[test]
    fn what_cannot_run_is_named() {
        for (change, word) in [
            (r#"{"model_type":"deberta-v2"}"#, "deberta-v2"),
            (r#"{"is_decoder":true}"#, "decoder"),
            (r#"{"hidden_act":["gelu"]}"#, "hidden_act"),
            (r#"{"intermediate_size":70000}"#, "intermediate_size"),
            (r#"{"model_type":"roberta","pad_token_id":99}"#, "positions begin at 100"),
            (r#"{"hidden_act":"mish"}"#, "mish"),
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
        let e = encoder_shape("m", "m/config.json", b"{\"hidden_size\": NaN}").unwrap_err().to_string();
        assert!(e.contains("m/config.json"), "{e}");
    }
}
