//! Reads a picture model's `config.json` and turns away what this version cannot run, by name.
//!
//! Exists because CLIP, SigLIP, ViT and DINOv2 say the same things in other words and leave out what is usual. Invariant: the sizes
//! that come out can be built and run.

use serde_json::{Map, Value};

use super::{resize::Filter, settings::Defaults};
use crate::models::{
    ModelError,
    encoder::{Family, Grid, Options, Reach, Shape},
    text::config::{LARGEST, Reader, WIDEST},
    weights::bad,
};

/// Most patches a side: far above every published tower.
const MOST_PATCHES: usize = 256;

/// Kinds of picture models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::models) enum Kind {
    /// OpenAI's: the class token, projected; texts by their end.
    Clip,
    /// Google's: attention pooling; texts filled up to one length, by their last token.
    Siglip,
    /// A tower alone.
    Vit,
    /// A tower alone, with a scale for what each half of a layer adds.
    Dino,
    /// The same with further states of no place.
    DinoRegisters,
}

/// How a model looks.
pub(in crate::models) struct Look {
    pub(super) kind: Kind,
    pub(super) vision: Shape,
    /// The table of positions is for so many patches a side.
    pub(super) table: Grid,
    /// States of no place beside the class token.
    pub(super) registers: usize,
    pub(super) text: Option<Words>,
    /// Values of a projected vector; `None` where vectors are as the towers give them.
    pub(super) projection: Option<usize>,
}

/// The half that reads texts.
pub(in crate::models) struct Words {
    pub(super) shape: Shape,
    /// CLIP's: the token by which a text is told. 2 stands for the greatest id, as it once was.
    pub(super) end: u64,
    /// SigLIP's: what texts are filled up with, unless the tokenizer says.
    pub(super) fill: u64,
}

impl Kind {
    /// Kind of an architecture, where it is one of these.
    pub(super) fn of(architecture: &str) -> Option<Self> {
        Some(match architecture {
            "clip" => Self::Clip,
            "siglip" => Self::Siglip,
            "vit" => Self::Vit,
            "dinov2" => Self::Dino,
            "dinov2_with_registers" => Self::DinoRegisters,
            _ => return None,
        })
    }

    /// How pictures are made ready where the folder does not say.
    pub(super) fn defaults(self, image: u64) -> Defaults {
        let (half, filter) = ([0.5; 3], Filter::Bicubic);
        match self {
            Self::Clip => Defaults {
                name: "CLIPImageProcessor",
                filter,
                mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
                std: [0.268_629_54, 0.261_302_58, 0.275_777_11],
                crops: true,
                sides: [image, image],
            },
            Self::Siglip => Defaults {
                name: "SiglipImageProcessor",
                filter,
                mean: half,
                std: half,
                crops: false,
                sides: [image; 2],
            },
            Self::Vit => Defaults {
                name: "ViTImageProcessor",
                filter: Filter::Bilinear,
                mean: half,
                std: half,
                crops: false,
                sides: [image; 2],
            },
            Self::Dino | Self::DinoRegisters => Defaults {
                name: "BitImageProcessor",
                filter,
                mean: [0.485, 0.456, 0.406],
                std: [0.229, 0.224, 0.225],
                crops: true,
                sides: [256, 224],
            },
        }
    }
}

/// Reads `config.json`, called `file`, of the model `id`.
pub(in crate::models) fn look(id: &str, file: &str, json: &Value) -> Result<Look, ModelError> {
    let Some(object) = json.as_object() else { return Err(bad(file, "not a JSON object".to_owned())) };
    let read = Reader { id, file, object };
    let architecture = read.word("model_type")?.unwrap_or("none named");
    let Some(kind) = Kind::of(architecture) else {
        return read.unsupported(format!("its architecture is {architecture}, no picture model of this version"));
    };
    let none = Map::new();
    let part = |key: &str| match object.get(key) {
        None => Ok(&none),
        Some(Value::Object(part)) => Ok(part),
        Some(_) => Err(bad(file, format!("{key} is not an object"))),
    };
    match kind {
        Kind::Clip | Kind::Siglip => {
            let clip = kind == Kind::Clip;
            let (vision, text) = (part("vision_config")?, part("text_config")?);
            let (vision, text) = (Reader { object: vision, ..read }, Reader { object: text, ..read });
            let (vision, table) = tower(&vision, kind)?;
            let words = words(&text, clip)?;
            let projection = if clip {
                read.optional_size("projection_dim", 512)?
            } else {
                text.optional_size("projection_size", words.shape.hidden)?
            };
            if !clip && projection != vision.hidden {
                let message = format!("its texts have {projection} values and its pictures {}", vision.hidden);
                return Err(bad(file, message));
            }
            Ok(Look { kind, vision, table, registers: 0, text: Some(words), projection: Some(projection) })
        }
        _ => {
            let (vision, table) = tower(&read, kind)?;
            let registers = if kind == Kind::DinoRegisters { read.optional_size("num_register_tokens", 4)? } else { 0 };
            Ok(Look { kind, vision, table, registers, text: None, projection: None })
        }
    }
}

/// The tower of pictures, and the patches its positions are for.
fn tower(read: &Reader<'_>, kind: Kind) -> Result<(Shape, Grid), ModelError> {
    let hidden = sized(read, "hidden_size", 768)?;
    let dino = matches!(kind, Kind::Dino | Kind::DinoRegisters);
    let gated = dino && read.object.get("use_swiglu_ffn") == Some(&Value::Bool(true));
    let (family, activation, epsilon) = match kind {
        Kind::Clip => (Family::ClipVision, "quick_gelu", 1e-5),
        Kind::Siglip => (Family::ClipVision, "gelu_pytorch_tanh", 1e-6),
        Kind::Vit => (Family::Vit, "gelu", 1e-12),
        Kind::Dino | Kind::DinoRegisters => (Family::Dino, "gelu", 1e-6),
    };
    let between = match dino {
        false => sized(read, "intermediate_size", 3072)?,
        true => {
            let ratio = read.object.get("mlp_ratio").map_or(Some(4.0), Value::as_f64);
            let ratio = ratio.filter(|ratio| (0.1..=16.0).contains(ratio));
            let ratio = ratio.ok_or_else(|| bad(read.file, "mlp_ratio is not a number from 0.1 to 16".to_owned()))?;
            let all = (hidden as f64 * ratio) as usize;
            if gated { (all * 2 / 3).next_multiple_of(8) } else { all.max(1) }
        }
    };
    let (image, patch) = (
        one(read, "image_size", 224)?,
        one(read, "patch_size", if dino { 14 } else { 16 + 16 * usize::from(kind == Kind::Clip) })?,
    );
    let side = image / patch;
    if side == 0 || side > MOST_PATCHES || patch > 1024 {
        return Err(bad(read.file, format!("pictures of {image} pixels in patches of {patch} make no sense")));
    }
    if read.optional_size("num_channels", 3)? != 3 {
        return read.unsupported("its pictures do not have three colours".to_owned());
    }
    let activation =
        if gated { crate::models::encoder::Activation::Silu } else { read.activation("hidden_act", activation)? };
    let shape = Shape {
        family,
        vocabulary: 1,
        hidden,
        layers: sized(read, "num_hidden_layers", 12)?,
        heads: sized(read, "num_attention_heads", 12)?,
        between,
        positions: side * side + 1,
        first_position: 0,
        token_types: 0,
        activation,
        epsilon: read.epsilon("layer_norm_eps", epsilon)?,
        distance_buckets: 0,
        options: Options { gated, ..Options::default() },
    };
    read.check_heads(&shape)?;
    Ok((shape, Grid { side, patch, hidden }))
}

/// The tower of texts.
fn words(read: &Reader<'_>, clip: bool) -> Result<Words, ModelError> {
    let (activation, epsilon) = if clip { ("quick_gelu", 1e-5) } else { ("gelu_pytorch_tanh", 1e-6) };
    let shape = Shape {
        family: Family::ClipText,
        vocabulary: sized(read, "vocab_size", if clip { 49_408 } else { 32_000 })?,
        hidden: sized(read, "hidden_size", if clip { 512 } else { 768 })?,
        layers: sized(read, "num_hidden_layers", 12)?,
        heads: sized(read, "num_attention_heads", if clip { 8 } else { 12 })?,
        between: sized(read, "intermediate_size", if clip { 2048 } else { 3072 })?,
        positions: sized(read, "max_position_embeddings", if clip { 77 } else { 64 })?,
        first_position: 0,
        token_types: 0,
        activation: read.activation("hidden_act", activation)?,
        epsilon: read.epsilon("layer_norm_eps", epsilon)?,
        distance_buckets: 0,
        options: Options { reach: if clip { Reach::Before } else { Reach::All }, ..Options::default() },
    };
    read.check_heads(&shape)?;
    let token = |key: &str, default: u64| match read.object.get(key) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value.as_u64().ok_or_else(|| bad(read.file, format!("{key} is {value}, not a token"))),
    };
    Ok(Words { end: token("eos_token_id", 49_407)?, fill: token("pad_token_id", 1)?, shape })
}

/// A size that sums of bytes' products fit 32 bits with.
fn sized(read: &Reader<'_>, key: &str, default: usize) -> Result<usize, ModelError> {
    let most = if key == "vocab_size" { LARGEST } else { WIDEST };
    if read.object.contains_key(key) { read.size(key, most) } else { Ok(default) }
}

/// A side; a pair of equal ones is one.
fn one(read: &Reader<'_>, key: &str, default: usize) -> Result<usize, ModelError> {
    match read.object.get(key) {
        Some(Value::Array(pair)) if pair.len() == 2 && pair[0] == pair[1] => {
            let object = Map::from_iter([(key.to_owned(), pair[0].clone())]);
            Reader { object: &object, ..*read }.size(key, WIDEST)
        }
        Some(Value::Array(pair)) => read.unsupported(format!("its {key} is {pair:?}, not a square")),
        _ => sized(read, key, default),
    }
}
