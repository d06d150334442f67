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
    pool::{After, Dense, Pools},
    settings::{self, Settings},
    static_folder,
    static_table::StaticEmbedder,
    tokens::TextTokenizer,
    vocabulary,
};
use crate::models::{
    Embedder, InputKind, ModelCard, ModelError, ModelId, ModelSource, OpenOptions, Pooling, Precision, catalogue,
    encoder::{Encoder, Kernel},
    weights::{WeightFiles, bad, tensor_shape, weights_size},
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
    /// Tokens of the longest text; `None` where there is no limit.
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
    let (modules, table) = laid_out(&place, &named.id)?;
    match &modules.first {
        First::Transformer(base) => open_encoder(&place, base, (named, precision), &modules, options),
        First::Table(base) => {
            if precision != Precision::F32 {
                let message = format!("it has no choice of precision; leave \"@{precision}\" out");
                return Err(modules::unsupported(&named.id, message));
            }
            open_table(&place, base, named, (&modules, table), options)
        }
    }
}

/// How a table is averaged.
#[derive(Clone, Copy)]
struct Averaged {
    drop_unknown: bool,
    max_tokens: Option<usize>,
    dimensions: Option<usize>,
}

/// How the folder is put together, and how a table in it is averaged.
fn laid_out(place: &Place, id: &str) -> Result<(Modules, Averaged), ModelError> {
    if let Some(own) = static_folder::model2vec(place)? {
        let first = First::Table(String::new());
        let modules = Modules { first, pools: Pools::of(Pooling::Mean), steps: own.steps(), assumed: false };
        let averaged = Averaged { drop_unknown: true, max_tokens: own.max_tokens, dimensions: own.dimensions };
        return Ok((modules, averaged));
    }
    let averaged = Averaged { drop_unknown: false, max_tokens: None, dimensions: None };
    Ok((assumed(modules::modules(place, id)?, id), averaged))
}

fn open_table(
    place: &Place,
    base: &str,
    named: Named,
    (modules, averaged): (&Modules, Averaged),
    options: &OpenOptions,
) -> Result<Box<dyn Embedder>, ModelError> {
    let id = named.id.clone();
    let (tokenizer, read) = rayon::join(
        || static_folder::tokenizer(place, base),
        || {
            let files = WeightFiles::open(place, base, &id, options.pickle)?;
            let table = static_folder::read(&files, &place.shown(&within(base, "model.safetensors")))?;
            Ok::<_, ModelError>((table, files.hash(), files.size()))
        },
    );
    let (table, hash, size) = read?;
    let (after, dimensions, hash) = read_steps(place, modules, (&id, options.pickle), (table.width, hash))?;
    let facts = Facts {
        modules,
        settings: settings::settings(place)?,
        licence: settings::licence(place),
        dimensions,
        max_tokens: averaged.max_tokens,
        size: size as u64,
        hash: &hash,
    };
    let parts = table.parts(card(named, facts), tokenizer?, after, (averaged.drop_unknown, hash));
    Ok(Box::new(StaticEmbedder::new(parts.with(&options.overrides))?))
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
    let (tokenizer, weights) = rayon::join(
        || tokenizer(place, base, reading.lower_case),
        || {
            let files = WeightFiles::open(place, base, &id, options.pickle)?;
            let pack = || Encoder::new(kernel, shape, &files.weights()?);
            let (hash, encoder) = rayon::join(|| files.hash(), pack);
            Ok::<_, ModelError>((encoder?, hash, files.size()))
        },
    );
    let (tokenizer, remark) = tokenizer?;
    let tokenizer = Arc::new(tokenizer);
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
    let mut card = card(named, facts).at(precision);
    card.remarks.extend(remark);
    let pools = modules.pools.clone();
    let parts = EncoderParts { card, tokenizer, encoder, max_tokens, pools, after, weights_hash };
    Ok(Box::new(TextEncoder::new(parts.with(&options.overrides))?))
}

/// Card of the model in `folder` without reading its weights; `None` where [`open`] would turn it away for what can be seen from
/// outside. Its space is not known before it is opened.
pub(in crate::models) fn peek(folder: &Path, named: Named) -> Option<ModelCard> {
    let place = Place::new(folder).ok()?;
    let (modules, averaged) = laid_out(&place, &named.id).ok()?;
    let (First::Transformer(base) | First::Table(base)) = &modules.first;
    let (width, max_tokens) = if let First::Transformer(_) = modules.first {
        let config = place.read(&within(base, "config.json")).ok()?;
        let shape = encoder_shape(&named.id, "config.json", &config).ok()?;
        let most = settings::reading(&place, base).ok()?.max_tokens.unwrap_or(usize::MAX).min(shape.longest());
        (modules.pools.width(shape.hidden), Some(most))
    } else {
        let own = || tensor_shape(&place, base, &["embeddings", "embedding.weight"])?.get(1).copied();
        (averaged.dimensions.or_else(own)?, averaged.max_tokens)
    };
    let size = weights_size(&place, base)?;
    let tokenizer = tokenizer_file(&place, base).ok()?.is_some() || vocabulary::is_there(&place, base);
    if !tokenizer {
        return None;
    }
    let mut dimensions = width;
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
        max_tokens,
        size,
        hash: &blake3::Hash::from_bytes([0; 32]),
    };
    let space = named.id.clone();
    Some(ModelCard { space, ..card(named, facts) })
}

/// What the catalogue knows of a model whose folder does not say how it pools.
fn assumed(modules: Modules, id: &str) -> Modules {
    match catalogue::known(id).filter(|_| modules.assumed) {
        None => modules,
        Some(known) => Modules {
            pools: known.pooling.map_or_else(|| modules.pools.clone(), Pools::of),
            steps: if known.normalized { vec![Step::Normalize] } else { Vec::new() },
            ..modules
        },
    }
}

const TOKENIZER: &str = "tokenizer.json";

/// The tokenizer's own file: beside the transformer, or at the top.
fn tokenizer_file(place: &Place, base: &str) -> Result<Option<String>, ModelError> {
    for name in [within(base, TOKENIZER), TOKENIZER.to_owned()] {
        if place.find(&name)?.is_some() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The tokenizer, from its own file or from the vocabulary of an older checkpoint, and what a user should know of it.
fn tokenizer(place: &Place, base: &str, lower: bool) -> Result<(TextTokenizer, Option<String>), ModelError> {
    if let Some(name) = tokenizer_file(place, base)? {
        return Ok((TextTokenizer::parse_for(&place.shown(&name), &place.read(&name)?, lower)?, None));
    }
    if let Some(written) = vocabulary::written(place, base)? {
        return Ok((TextTokenizer::parse_for(&written.file, &written.bytes, lower)?, written.remark));
    }
    place.need(&within(base, TOKENIZER))?;
    Err(bad(TOKENIZER, "is missing".to_owned()))
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
    let Facts { modules, mut settings, licence, dimensions, max_tokens, size, hash } = facts;
    let id = ModelId(named.id);
    let name = Path::new(&id.0).file_name().map_or_else(|| id.0.clone(), |n| n.to_string_lossy().into_owned());
    let known = catalogue::known(&id.0);
    let mut remarks = Vec::new();
    match known {
        _ if !modules.assumed => {}
        Some(known) => remarks.push(format!(
            "No modules.json: pooling ({}) and length are those that the catalogue has for {}.",
            modules.pools.name().to_lowercase(),
            known.id
        )),
        None => remarks.push(
            "No modules.json: mean pooling and length 1 are assumed; compare with the model's own documentation."
                .into(),
        ),
    }
    if let Some((known, prompts)) = known.and_then(|known| Some((known, known.prompts()?)))
        && settings.prompts.is_empty()
    {
        settings.prompts = prompts.clone();
        remarks.push(format!("Its folder names no prompts: those that the catalogue has for {} are used.", known.id));
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
    let order = matches!(modules.first, First::Table(_)).then(|| "Does not see the order of words".to_owned());
    let card = ModelCard {
        space: format!("{name} {}", &hash.to_hex()[..12]),
        text_query_model: Some(id.clone()),
        id,
        name,
        input: InputKind::Text,
        dimensions,
        context_tokens: max_tokens,
        precision: matches!(modules.first, First::Transformer(_)).then_some(Precision::F32),
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
            .chain(order)
            .collect(),
        best_for: "See the model's own documentation.".to_owned(),
    };
    match known {
        Some(known) => known.fill(card),
        None => card,
    }
}
