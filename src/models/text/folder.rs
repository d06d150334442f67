//! Opens a text model from a folder: the sentence-transformers layout, a plain encoder's, or a table of token vectors.
//!
//! Puts together what [`modules`](super::modules), [`settings`](super::settings), the tokenizer and the weights say, and refuses by name
//! what this version cannot run. Invariant: no file outside the folder is read, and every error names its file.

use std::{path::Path, sync::Arc};

use super::{
    config::encoder_shape,
    encoder::{EncoderParts, TextEncoder, check_vocabulary},
    files::{Place, within},
    modules::{self, First, Modules, Step},
    pool::{After, Dense},
    settings::{self, Settings},
    tokens::TextTokenizer,
};
use crate::models::{
    Embedder, InputKind, ModelCard, ModelError, ModelId, ModelSource, OpenOptions, Pooling, Precision,
    encoder::{Encoder, Kernel},
    weights::{WeightFiles, weights_size},
};

/// What the model is called and where it comes from.
pub(in crate::models) struct Named {
    pub(in crate::models) id: String,
    pub(in crate::models) source: ModelSource,
}

/// What a card says that is known only once the files are read.
struct Facts<'a> {
    modules: &'a Modules,
    settings: Settings,
    licence: Option<String>,
    dimensions: usize,
    /// `None` for a table.
    max_tokens: Option<usize>,
    size: u64,
    hash: &'a blake3::Hash,
}

/// Opens the model in `folder`.
pub(in crate::models) fn open(
    folder: &Path,
    named: Named,
    precision: Precision,
    options: &OpenOptions,
) -> Result<Box<dyn Embedder>, ModelError> {
    let place = Place::new(folder)?;
    let modules = modules::modules(&place, &named.id)?;
    match &modules.first {
        First::Transformer(base) => open_encoder(&place, base, (named, precision), &modules, options),
        First::Table(_) => Err(modules::unsupported(&named.id, "tables are not read".to_owned())),
    }
}

fn open_encoder(
    place: &Place,
    base: &str,
    (named, precision): (Named, Precision),
    modules: &Modules,
    options: &OpenOptions,
) -> Result<Box<dyn Embedder>, ModelError> {
    let id = named.id.clone();
    let config = within(base, "config.json");
    let shape = encoder_shape(&id, &place.shown(&config), &place.read(&config)?)?;
    let reading = settings::reading(place, base)?;
    let settings = settings::settings(place)?;
    let max_tokens = reading.max_tokens.unwrap_or(usize::MAX).min(shape.longest());
    let (kernel, hidden, vocabulary) = (Kernel::of(precision), shape.hidden, shape.vocabulary);
    let tokenizer_file = tokenizer_file(place, base)?;
    let (tokenizer, weights) = rayon::join(
        || {
            let bytes = place.read(&tokenizer_file)?;
            TextTokenizer::parse_for(&place.shown(&tokenizer_file), &bytes, reading.lower_case)
        },
        || {
            let files = WeightFiles::open(place, base, &id, options.pickle)?;
            let pack = || Encoder::new(kernel, shape, &files.weights()?);
            let (hash, encoder) = rayon::join(|| files.hash(), pack);
            Ok::<_, ModelError>((encoder?, hash, files.size()))
        },
    );
    let tokenizer = Arc::new(tokenizer?);
    check_vocabulary(&id, &tokenizer, vocabulary)?;
    let (encoder, weights_hash, size) = weights?;
    let (after, dimensions, weights_hash) =
        read_steps(place, modules, (&id, options.pickle), (modules.pools.width(hidden), weights_hash))?;
    let facts = Facts {
        modules,
        settings,
        licence: settings::licence(place),
        dimensions,
        max_tokens: Some(max_tokens),
        size: size as u64,
        hash: &weights_hash,
    };
    let card = card(named, facts).at(precision);
    let pools = modules.pools.clone();
    let parts = EncoderParts { card, tokenizer, encoder, max_tokens, pools, after, weights_hash };
    Ok(Box::new(TextEncoder::new(parts.with(&options.overrides))?))
}

/// Card of the model in `folder` without reading its weights; `None` where [`open`] would turn it away for what can be seen from
/// outside. Its space is not known before it is opened.
pub(in crate::models) fn peek(folder: &Path, named: Named) -> Option<ModelCard> {
    let place = Place::new(folder).ok()?;
    let modules = modules::modules(&place, &named.id).ok()?;
    let First::Transformer(base) = &modules.first else { return None };
    let config = place.read(&within(base, "config.json")).ok()?;
    let shape = encoder_shape(&named.id, "config.json", &config).ok()?;
    let size = weights_size(&place, base)?;
    tokenizer_file(&place, base).ok()?;
    let reading = settings::reading(&place, base).ok()?;
    let mut dimensions = modules.pools.width(shape.hidden);
    for step in &modules.steps {
        match step {
            Step::Dense(at) => dimensions = modules::dense(&place, at, &named.id, dimensions).ok()?.outputs,
            Step::Norm(at) => modules::layer_norm(&place, at, dimensions).ok()?,
            Step::Normalize => {}
        }
    }
    let facts = Facts {
        modules: &modules,
        settings: settings::settings(&place).ok()?,
        licence: settings::licence(&place),
        dimensions,
        max_tokens: Some(reading.max_tokens.unwrap_or(usize::MAX).min(shape.longest())),
        size,
        hash: &blake3::Hash::from_bytes([0; 32]),
    };
    let space = named.id.clone();
    Some(ModelCard { space, ..card(named, facts) })
}

/// The tokenizer lies beside the transformer, or at the top.
fn tokenizer_file(place: &Place, base: &str) -> Result<String, ModelError> {
    const FILE: &str = "tokenizer.json";
    let own = within(base, FILE);
    for name in [own.as_str(), FILE] {
        if place.find(name)?.is_some() {
            return Ok(name.to_owned());
        }
    }
    place.need(&own).map(|_| own.clone())
}

/// Reads what follows pooling; also the values of the vector that comes out, and the hash of all weights.
fn read_steps(
    place: &Place,
    modules: &Modules,
    (id, pickle): (&str, bool),
    (mut width, mut hash): (usize, blake3::Hash),
) -> Result<(Vec<After>, usize, blake3::Hash), ModelError> {
    let mut after = Vec::new();
    for step in &modules.steps {
        let at = match step {
            Step::Normalize => {
                after.push(After::Normalize);
                continue;
            }
            Step::Dense(at) | Step::Norm(at) => at,
        };
        let files = || WeightFiles::open(place, at, id, pickle);
        let own = if let Step::Dense(_) = step {
            let config = modules::dense(place, at, id, width)?;
            let (files, outputs) = (files()?, config.outputs);
            let weights = files.weights()?;
            let weight = weights.f32("linear.weight", &[outputs, width])?;
            let bias = if config.bias { weights.f32("linear.bias", &[outputs])? } else { vec![0.0; outputs] };
            after.push(After::Dense(Dense { weight, bias, curve: config.curve }));
            width = outputs;
            files.hash()
        } else {
            modules::layer_norm(place, at, width)?;
            let files = files()?;
            let weights = files.weights()?;
            let (scale, shift) = (weights.f32("norm.weight", &[width])?, weights.f32("norm.bias", &[width])?);
            after.push(After::Norm { scale, shift });
            files.hash()
        };
        hash = blake3::hash(&[*hash.as_bytes(), *own.as_bytes()].concat());
    }
    Ok((after, width, hash))
}

fn card(named: Named, facts: Facts<'_>) -> ModelCard {
    let Facts { modules, settings, licence, dimensions, max_tokens, size, hash } = facts;
    let id = ModelId(named.id);
    let name = Path::new(&id.0).file_name().map_or_else(|| id.0.clone(), |n| n.to_string_lossy().into_owned());
    let mut remarks = Vec::new();
    if modules.assumed {
        remarks.push(
            "No modules.json: mean pooling and length 1 are assumed; compare with the model's own documentation."
                .into(),
        );
    }
    if modules.pools.shown() == Pooling::Several {
        remarks.push(format!("Its vectors are several poolings side by side: {}.", modules.pools.name()));
    }
    if !modules.pools.with_prompt && !settings.prompts.is_empty() {
        remarks.push("The tokens of its prompts are left out of pooling.".to_owned());
    }
    remarks.extend(settings.remarks);
    let about = match (&modules.first, modules.assumed) {
        (First::Table(_), _) => "A table of token vectors from your computer.",
        (_, true) => "A text encoder from your computer.",
        (_, false) => "A sentence-transformers text encoder from your computer.",
    };
    ModelCard {
        space: format!("{name} {}", &hash.to_hex()[..12]),
        text_query_model: Some(id.clone()),
        id,
        name,
        input: InputKind::Text,
        dimensions,
        context_tokens: max_tokens,
        precision: max_tokens.map(|_| Precision::F32),
        runs_as: None,
        prompts: settings.prompts,
        similarity: settings.similarity,
        remarks,
        pooling: modules.pools.shown(),
        normalized: matches!(modules.steps.last(), Some(Step::Normalize)),
        licence: licence.unwrap_or_else(|| "not stated in the folder".to_owned()),
        source: named.source,
        size_bytes: size,
        about: about.to_owned(),
        strengths: Vec::new(),
        weaknesses: max_tokens
            .map(|tokens| format!("Sees the first {tokens} tokens of a text only"))
            .into_iter()
            .collect(),
        best_for: "See the model's own documentation.".to_owned(),
    }
}
