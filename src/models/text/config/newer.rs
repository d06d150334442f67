//! Configurations of encoders after BERT: `ModernBERT`, `NomicBERT`, Jina v2 and GTE.
//!
//! Each says much the same in words of its own, in two generations of files. Invariant: options that would change the result and cannot
//! be run are turned away, not passed over.

use serde_json::Value;

use super::{LARGEST, Reader, WIDEST};
use crate::models::{
    ModelError,
    encoder::{Activation, Family, Options, Reach, Shape},
    weights::bad,
};

/// Longest table of angles: far above every published encoder.
const LONGEST: u64 = 1 << 20;

impl Reader<'_> {
    /// The shape of an encoder of this kind; nothing where `architecture` is none.
    pub(super) fn newer(&self, architecture: &str) -> Result<Option<Shape>, ModelError> {
        let alibi = architecture == "bert" && self.word("position_embedding_type")? == Some("alibi");
        Ok(Some(match architecture {
            "modernbert" => self.modern()?,
            "nomic_bert" => self.nomic()?,
            "gte" | "new" => self.gte()?,
            "qwen3" => self.qwen3()?,
            _ if alibi => self.jina()?,
            _ => return Ok(None),
        }))
    }

    /// Sizes that all have, by their usual names.
    fn plain(&self, family: Family) -> Result<Shape, ModelError> {
        Ok(Shape {
            family,
            vocabulary: self.size("vocab_size", LARGEST)?,
            hidden: self.size("hidden_size", WIDEST)?,
            layers: self.size("num_hidden_layers", LARGEST)?,
            heads: self.size("num_attention_heads", LARGEST)?,
            between: self.size("intermediate_size", WIDEST)?,
            positions: self.size("max_position_embeddings", LONGEST)?,
            first_position: 0,
            token_types: 0,
            activation: Activation::Gelu,
            epsilon: self.epsilon("layer_norm_eps", 1e-12)?,
            distance_buckets: 0,
            options: Options { gated: true, ..Options::default() },
        })
    }

    fn modern(&self) -> Result<Shape, ModelError> {
        let mut shape = self.plain(Family::Modern)?;
        shape.activation = self.activation("hidden_activation", "gelu")?;
        shape.epsilon = self.epsilon("norm_eps", 1e-5)?;
        let every = self.optional_size("global_attn_every_n_layers", 3)?;
        let near = match self.object.get("layer_types") {
            None | Some(Value::Null) => (0..shape.layers).map(|layer| layer % every != 0).collect(),
            Some(list) => self.kinds(list, shape.layers)?,
        };
        let whole = self.theta("full_attention", "global_rope_theta", 160_000.0)?;
        let within = match self.object.get("local_rope_theta") {
            Some(Value::Null) => whole,
            _ => self.theta("sliding_attention", "local_rope_theta", 10_000.0)?,
        };
        let reach = Reach::Within(self.optional_size("local_attention", 128)? / 2);
        let thetas = Some([whole, within]);
        shape.options = Options { gated: true, reach, near: Some(near), thetas, ..Options::default() };
        self.even(&shape)?;
        Ok(shape)
    }

    /// Which layers look at what is near only.
    fn kinds(&self, list: &Value, layers: usize) -> Result<Vec<bool>, ModelError> {
        let kind = |kind: &Value| match kind.as_str() {
            Some("full_attention") => Some(false),
            Some("sliding_attention") => Some(true),
            _ => None,
        };
        let kinds = list.as_array().and_then(|list| list.iter().map(kind).collect::<Option<Vec<_>>>());
        kinds.filter(|kinds| kinds.len() == layers).ok_or_else(|| {
            bad(
                self.file,
                format!("layer_types is not full_attention or sliding_attention for each of {layers} layers"),
            )
        })
    }

    fn nomic(&self) -> Result<Shape, ModelError> {
        self.refuse("num_experts", "a mixture of experts")?;
        self.refuse("moe_every_n_layers", "a mixture of experts")?;
        for (key, what) in [
            ("prenorm", "norms before its layers"),
            ("parallel_block", "layers side by side"),
            ("rotary_emb_interleaved", "interleaved turnings"),
            ("rotary_emb_scale_base", "scaled turnings"),
            ("use_rms_norm", "norms without a mean"),
        ] {
            self.refuse(key, what)?;
        }
        // As transformers has it, or as the model's own code on the hub.
        if !self.object.contains_key("n_embd") {
            let mut shape = self.plain(Family::Nomic)?;
            shape.activation = self.activation("hidden_act", "silu")?;
            shape.token_types = self.optional_size("type_vocab_size", 2)?;
            let theta = self.theta("", "rope_theta", 1000.0)?;
            return self.turned(shape, theta);
        }
        if self.number("rotary_emb_fraction", 1.0)? != 1.0 {
            return self.unsupported("it turns a part of each head only".to_owned());
        }
        let hidden = self.size("n_embd", WIDEST)?;
        let mut positions = self.size("n_positions", LONGEST)?;
        // Beyond what it was trained for, such a model turns more slowly, which is not done here.
        if self.object.get("rotary_scaling_factor").is_some_and(|factor| !factor.is_null()) {
            positions = positions.min(self.optional_size("max_trained_positions", 2048)?);
        }
        let activation = match self.word("activation_function")?.unwrap_or("swiglu") {
            "swiglu" => Activation::Silu,
            "geglu" => Activation::Gelu,
            other => return self.unsupported(format!("its activation is {other}; this version runs swiglu and geglu")),
        };
        let shape = Shape {
            family: Family::Nomic,
            vocabulary: self.size("vocab_size", LARGEST)?,
            hidden,
            layers: self.size("n_layer", LARGEST)?,
            heads: self.size("n_head", LARGEST)?,
            between: match self.object.get("n_inner") {
                None | Some(Value::Null) => 4 * hidden,
                Some(_) => self.size("n_inner", WIDEST)?,
            },
            positions,
            first_position: 0,
            token_types: self.optional_size("type_vocab_size", 2)?,
            activation,
            epsilon: self.epsilon("layer_norm_epsilon", 1e-5)?,
            distance_buckets: 0,
            options: Options { gated: true, ..Options::default() },
        };
        let theta = self.number("rotary_emb_base", 10_000.0)?;
        self.turned(shape, theta)
    }

    fn gte(&self) -> Result<Shape, ModelError> {
        if self.object.get("rope_scaling").is_some_and(|scaling| !scaling.is_null()) {
            let message = "it stretches its turnings (rope_scaling), as its own code does and this version does not";
            return self.unsupported(message.to_owned());
        }
        self.refuse("logn_attention_scale", "attention scaled by the length")?;
        if let Some(kind) = self.word("layer_norm_type")?.filter(|kind| *kind != "layer_norm") {
            return self.unsupported(format!("its norms are {kind}; this version runs layer_norm here"));
        }
        let mut shape = self.plain(Family::Gte)?;
        shape.activation = self.activation("hidden_act", "gelu")?;
        shape.token_types = match self.object.get("type_vocab_size").and_then(Value::as_u64) {
            Some(0) => 0,
            _ => self.optional_size("type_vocab_size", 1)?,
        };
        let theta = self.theta("", "rope_theta", 160_000.0)?;
        self.turned(shape, theta)
    }

    fn qwen3(&self) -> Result<Shape, ModelError> {
        self.refuse("use_sliding_window", "layers that look at what is near only")?;
        let mut shape = self.plain(Family::Qwen3)?;
        shape.activation = self.activation("hidden_act", "silu")?;
        shape.epsilon = self.epsilon("rms_norm_eps", 1e-6)?;
        let heads = self.optional_size("num_key_value_heads", 32)?;
        let width = self.optional_size("head_dim", 128)?;
        if heads > shape.heads || shape.heads % heads != 0 || shape.heads.saturating_mul(width) > WIDEST as usize {
            let message = format!("{heads} heads of keys and {} of {width} values make no sense", shape.heads);
            return Err(bad(self.file, message));
        }
        if self.object.get("rope_scaling").is_some_and(|scaling| !scaling.is_null()) {
            return self
                .unsupported("it stretches its turnings (rope_scaling), which this version does not".to_owned());
        }
        shape.options.reach = Reach::Before;
        (shape.options.width, shape.options.key_heads) = (Some(width), Some(heads));
        let theta = self.theta("", "rope_theta", 1_000_000.0)?;
        self.turned(shape, theta)
    }

    fn jina(&self) -> Result<Shape, ModelError> {
        if let Some(kind) = self.word("feed_forward_type")?.filter(|kind| *kind != "geglu") {
            return self.unsupported(format!("its feed_forward_type is {kind}; this version runs geglu with alibi"));
        }
        let mut shape = self.plain(Family::Jina)?;
        shape.token_types = self.optional_size("type_vocab_size", 2)?;
        Ok(shape)
    }

    fn turned(&self, mut shape: Shape, theta: f32) -> Result<Shape, ModelError> {
        shape.options.thetas = Some([theta; 2]);
        self.even(&shape)?;
        Ok(shape)
    }

    /// Heads are turned by halves.
    fn even(&self, shape: &Shape) -> Result<(), ModelError> {
        let width = shape.width();
        if width.is_multiple_of(2) && width > 0 {
            return Ok(());
        }
        Err(bad(self.file, format!("heads of {width} values cannot be turned by halves")))
    }

    /// What positions are turned by: of `rope_parameters` (of the kind of layer `part`), or an older key.
    fn theta(&self, part: &str, key: &str, default: f32) -> Result<f32, ModelError> {
        let Some(all) = self.object.get("rope_parameters").filter(|all| !all.is_null()) else {
            return self.number(key, default);
        };
        let own = if part.is_empty() { Some(all) } else { all.get(part) };
        let Some(own) = own.and_then(Value::as_object) else {
            return Err(bad(self.file, "rope_parameters is not what turnings are told by".to_owned()));
        };
        let read = Reader { object: own, ..*self };
        match read.word("rope_type")? {
            None | Some("default") => read.number("rope_theta", default),
            Some(kind) => {
                self.unsupported(format!("its turnings are of the kind {kind}; this version runs default ones"))
            }
        }
    }

    fn number(&self, key: &str, default: f32) -> Result<f32, ModelError> {
        match self.object.get(key) {
            None | Some(Value::Null) => Ok(default),
            Some(value) => match value.as_f64() {
                Some(number) if number > 0.0 && number < 1e30 => Ok(number as f32),
                _ => Err(bad(self.file, format!("{key} is {value}, not a number above 0"))),
            },
        }
    }

    /// Turns away what is there and neither null, false nor 0.
    fn refuse(&self, key: &str, what: &str) -> Result<(), ModelError> {
        let none = |value: &Value| value.is_null() || *value == Value::Bool(false) || value.as_f64() == Some(0.0);
        match self.object.get(key) {
            Some(value) if !none(value) => {
                self.unsupported(format!("it has {what} ({key}), which this version does not run"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoder_shape;
    use super::*;

    fn read(json: &str) -> Result<Shape, String> {
        encoder_shape("m", "m/config.json", json.as_bytes()).map_err(|e| e.to_string())
    }

    #[test]
    fn the_hubs_own_files_are_read() {
        let nomic = r#"{"model_type":"nomic_bert","n_embd":768,"n_head":12,"n_inner":3072,"n_layer":12,"n_positions":8192,
            "vocab_size":30528,"type_vocab_size":2,"rotary_emb_base":1000,"rotary_emb_fraction":1.0,"layer_norm_epsilon":1e-12,
            "activation_function":"swiglu","prenorm":false,"rotary_emb_interleaved":false,"rotary_emb_scale_base":null,
            "rotary_scaling_factor":null,"max_trained_positions":2048,"use_rms_norm":false}"#;
        let shape = read(nomic).unwrap();
        assert_eq!(
            (shape.hidden, shape.heads, shape.between, shape.layers, shape.longest()),
            (768, 12, 3072, 12, 8192)
        );
        assert_eq!((shape.activation, shape.options.thetas), (Activation::Silu, Some([1000.0; 2])));
        let stretched = nomic.replace(r#""rotary_scaling_factor":null"#, r#""rotary_scaling_factor":2"#);
        assert_eq!(read(&stretched).unwrap().longest(), 2048);
        assert!(read(&nomic.replace(r#""prenorm":false"#, r#""prenorm":true"#)).unwrap_err().contains("prenorm"));
        let modern = r#"{"model_type":"modernbert","vocab_size":50368,"hidden_size":768,"num_hidden_layers":4,
            "num_attention_heads":12,"intermediate_size":1152,"max_position_embeddings":8192,"local_attention":128,
            "global_attn_every_n_layers":3,"global_rope_theta":160000.0,"local_rope_theta":10000.0}"#;
        let options = read(modern).unwrap().options;
        assert_eq!((options.reach, options.thetas), (Reach::Within(64), Some([160_000.0, 10_000.0])));
        assert_eq!(options.near, Some(vec![false, true, true, false]));
        for (change, word) in [
            (r#""layer_types":["full_attention"],"#, "layer_types"),
            (r#""rope_parameters":{"full_attention":{"rope_type":"yarn"}},"#, "yarn"),
            (r#""rope_parameters":5,"#, "rope_parameters"),
            (r#""hidden_activation":"mish","#, "mish"),
        ] {
            let e = read(&modern.replacen('{', &format!("{{{change}"), 1)).unwrap_err();
            assert!(e.contains(word), "{change}: {e}");
        }
        let jina = r#"{"model_type":"bert","position_embedding_type":"alibi","feed_forward_type":"reglu","vocab_size":5,
            "hidden_size":8,"num_hidden_layers":1,"num_attention_heads":2,"intermediate_size":8,"max_position_embeddings":9}"#;
        assert!(read(jina).unwrap_err().contains("reglu"));
        assert_eq!(read(&jina.replace("reglu", "geglu")).unwrap().family, Family::Jina);
        let gte = jina.replace(r#""bert""#, r#""new","rope_scaling":{"type":"ntk","factor":2.0}"#);
        assert!(read(&gte).unwrap_err().contains("rope_scaling"));
    }
}
