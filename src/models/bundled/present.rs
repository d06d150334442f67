//! Opens the bundled models.

use std::sync::{Arc, OnceLock};

use super::{LITE0, MINILM, STATIC, cards};
use crate::models::{
    Embedder, ModelCard, ModelError, ModelId, Overrides, Precision,
    encoder::{Encoder, Kernel},
    text::{
        config::encoder_shape,
        encoder::{EncoderParts, TextEncoder},
        pool::{After, Pools},
        static_table::{StaticEmbedder, Table, TableParts},
        tokens::TextTokenizer,
    },
    vision::{
        embedder::{ConseEmbedder, Lite0Embedder},
        lite0::Lite0,
    },
    weights::Weights,
};

macro_rules! asset {
    ($path:literal) => {
        ($path, include_bytes!(concat!("../../../assets/models/", $path)).as_slice())
    };
}

/// A file's name and bytes.
type File = (&'static str, &'static [u8]);

static MINILM_CONFIG: File = asset!("all-MiniLM-L6-v2/config.json");
static MINILM_TOKENIZER: File = asset!("all-MiniLM-L6-v2/tokenizer.json");
static MINILM_WEIGHTS: File = asset!("all-MiniLM-L6-v2/model.safetensors");
static STATIC_WEIGHTS: File = asset!("all-MiniLM-L6-v2-static-256/model.safetensors");
static LITE0_CONFIG: File = asset!("efficientnet-lite0/config.json");
static LITE0_WEIGHTS: File = asset!("efficientnet-lite0/model.safetensors");
static CLASSES: File = asset!("conse-minilm-lite0/classes.txt");
static CLASS_VECTORS: File = asset!("conse-minilm-lite0/class-vectors.safetensors");

/// Bytes of a bundled model's weights.
pub(super) fn size(name: &str) -> u64 {
    let files: &[File] = match name {
        MINILM => &[MINILM_WEIGHTS],
        STATIC => &[STATIC_WEIGHTS],
        LITE0 => &[LITE0_WEIGHTS],
        _ => &[LITE0_WEIGHTS, CLASS_VECTORS],
    };
    files.iter().map(|f| f.1.len() as u64).sum()
}

/// Opens the bundled model called `name` (its full id) in `precision`.
pub(in crate::models) fn open(
    name: &str,
    precision: Precision,
    overrides: &Overrides,
) -> Result<Box<dyn Embedder>, ModelError> {
    let card = cards::card(name)?;
    if card.precision.is_none() && precision != Precision::F32 {
        let message = format!("it has no choice of precision; leave \"@{precision}\" out");
        return Err(ModelError::Unsupported { id: ModelId::named(name, precision).0, message });
    }
    let card = card.at(precision);
    match name {
        MINILM => minilm(card, overrides),
        STATIC => {
            let (weights, tokenizer) = (parse(STATIC_WEIGHTS)?, tokenizer()?);
            let table = weights.f16("embeddings", &[tokenizer.vocabulary(), card.dimensions])?;
            let parts = TableParts::plain(card, tokenizer, Table::Halves(table), hash(STATIC_WEIGHTS));
            Ok(Box::new(StaticEmbedder::new(parts)?))
        }
        LITE0 => Ok(Box::new(Lite0Embedder::new(card, network()?))),
        _ => {
            let vectors = parse(CLASS_VECTORS)?;
            Ok(Box::new(ConseEmbedder::new(card, network()?, &vectors, hash(CLASS_VECTORS))?))
        }
    }
}

fn minilm(card: ModelCard, overrides: &Overrides) -> Result<Box<dyn Embedder>, ModelError> {
    let shape = encoder_shape(&card.id.0, MINILM_CONFIG.0, MINILM_CONFIG.1)?;
    let max_tokens = card.context_tokens.unwrap_or_else(|| shape.longest());
    let after = if card.normalized { vec![After::Normalize] } else { Vec::new() };
    let kernel = Kernel::of(card.precision.unwrap_or_default());
    let (tokenizer, (weights_hash, encoder)) = rayon::join(tokenizer, || {
        rayon::join(|| hash(MINILM_WEIGHTS), || Encoder::new(kernel, shape, &parse(MINILM_WEIGHTS)?))
    });
    let (tokenizer, encoder) = (tokenizer?, encoder?);
    let pools = Pools::of(card.pooling);
    let parts = EncoderParts { card, tokenizer, encoder, max_tokens, pools, after, weights_hash }.with(overrides);
    Ok(Box::new(TextEncoder::new(parts)?))
}

/// The tokenizer of both text models.
pub(in crate::models) fn tokenizer() -> Result<Arc<TextTokenizer>, ModelError> {
    static SHARED: OnceLock<Result<Arc<TextTokenizer>, String>> = OnceLock::new();
    let load = || TextTokenizer::parse(MINILM_TOKENIZER.0, MINILM_TOKENIZER.1).map(Arc::new).map_err(|e| e.to_string());
    SHARED.get_or_init(load).clone().map_err(ModelError::Tokenizer)
}

/// The network of both picture models.
fn network() -> Result<Arc<Lite0>, ModelError> {
    static SHARED: OnceLock<Result<Arc<Lite0>, String>> = OnceLock::new();
    let load = || -> Result<Arc<Lite0>, ModelError> {
        let weights = parse(LITE0_WEIGHTS)?;
        let classes = String::from_utf8_lossy(CLASSES.1);
        Ok(Arc::new(Lite0::new(LITE0_CONFIG, &weights, &classes, hash(LITE0_WEIGHTS))?))
    };
    SHARED.get_or_init(|| load().map_err(|e| e.to_string())).clone().map_err(ModelError::Tensor)
}

fn parse(file: File) -> Result<Weights<'static>, ModelError> {
    Weights::parse(file.0, file.1)
}

/// Hash of a bundled file, worked out once a process.
fn hash(file: File) -> blake3::Hash {
    static MINI: OnceLock<blake3::Hash> = OnceLock::new();
    if file.0 == MINILM_WEIGHTS.0 { *MINI.get_or_init(|| blake3::hash(file.1)) } else { blake3::hash(file.1) }
}
