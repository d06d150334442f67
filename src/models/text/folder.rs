//! Opens a text model from a folder: the sentence-transformers layout, or a plain BERT folder.
//!
//! Reads `modules.json`, the pooling's and the transformer's configuration, the tokenizer and the weights, and refuses by
//! name what this version cannot run. Invariant: no file outside the folder is read, and every error names its file.

use std::{
    path::{Component, Path},
    sync::Arc,
};

use serde_json::Value;

use super::{
    config::encoder_shape,
    encoder::{EncoderParts, TextEncoder, check_vocabulary},
    pool::{After, Dense},
    tokens::TextTokenizer,
};
use crate::models::{
    InputKind, ModelCard, ModelError, ModelId, ModelSource, Pooling, Precision, Prompts, Similarity,
    encoder::{Activation, Encoder, Kernel},
    weights::{Weights, bad},
};

/// Largest JSON file read, in bytes: tokenizers of large vocabularies have some 20 MB.
const LARGEST_JSON: u64 = 256 << 20;

/// Largest size of a dense module.
const LARGEST_DENSE: u64 = 65_536;

/// What the model is called and where it comes from.
pub(in crate::models) struct Named {
    pub(in crate::models) id: String,
    pub(in crate::models) source: ModelSource,
}

/// How the modules after the transformer treat its token vectors.
struct Modules {
    /// Folder of the transformer inside the model's folder; "" for the folder itself.
    transformer: String,
    pooling: Pooling,
    /// What follows pooling: `None` brings to length 1, a name is the folder of a dense module.
    after: Vec<Option<String>>,
    /// No modules.json: pooling is assumed.
    assumed: bool,
}

/// Opens the model in `folder`.
pub(in crate::models) fn open(folder: &Path, named: Named, precision: Precision) -> Result<TextEncoder, ModelError> {
    let modules = read_modules(folder, &named.id)?;
    let base = folder.join(&modules.transformer);
    let shown = |name: &str| base.join(name).display().to_string();
    let shape = encoder_shape(&named.id, &shown("config.json"), &read(&base.join("config.json"))?)?;
    let max_tokens = max_tokens(&base)?.unwrap_or(usize::MAX).min(shape.longest());
    let tokenizer_path = [base.join("tokenizer.json"), folder.join("tokenizer.json")];
    let tokenizer_path = tokenizer_path.iter().find(|p| p.exists()).unwrap_or(&tokenizer_path[0]);
    let (kernel, hidden, vocabulary) = (Kernel::of(precision), shape.hidden, shape.vocabulary);
    let file = shown("model.safetensors");
    let (tokenizer, weights) = rayon::join(
        || TextTokenizer::parse(&tokenizer_path.display().to_string(), &read(tokenizer_path)?),
        || {
            let bytes = read_weights(&base, &named.id)?;
            let pack = || Encoder::new(kernel, shape, &Weights::parse(&file, &bytes)?);
            let (hash, encoder) = rayon::join(|| blake3::hash(&bytes), pack);
            Ok::<_, ModelError>((encoder?, hash, bytes.len()))
        },
    );
    let tokenizer = Arc::new(tokenizer?);
    check_vocabulary(&named.id, &tokenizer, vocabulary)?;
    let (encoder, mut weights_hash, size) = weights?;
    let (mut after, mut dimensions) = (Vec::new(), hidden);
    for step in &modules.after {
        match step {
            None => after.push(After::Normalize),
            Some(at) => {
                let (dense, hash) = read_dense(&folder.join(at), &named.id, dimensions)?;
                dimensions = dense.bias.len();
                weights_hash = blake3::hash(&[*weights_hash.as_bytes(), *hash.as_bytes()].concat());
                after.push(After::Dense(dense));
            }
        }
    }
    let card = card(named, &modules, dimensions, max_tokens, (size, &weights_hash)).at(precision);
    TextEncoder::new(EncoderParts { card, tokenizer, encoder, max_tokens, after, weights_hash })
}

/// Card of the model in `folder` without reading its weights; `None` where [`open`] would turn it away for what can be seen from
/// outside. Its space is not known before it is opened.
pub(in crate::models) fn peek(folder: &Path, named: Named) -> Option<ModelCard> {
    let modules = read_modules(folder, &named.id).ok()?;
    let base = folder.join(&modules.transformer);
    let shape = encoder_shape(&named.id, "config.json", &read(&base.join("config.json")).ok()?).ok()?;
    let bytes = fs_err::metadata(base.join("model.safetensors")).ok().filter(std::fs::Metadata::is_file)?.len();
    let tokenizer = [base.join("tokenizer.json"), folder.join("tokenizer.json")];
    tokenizer.iter().find(|path| path.is_file())?;
    let max_tokens = max_tokens(&base).ok()?.unwrap_or(usize::MAX).min(shape.longest());
    let mut dimensions = shape.hidden;
    for at in modules.after.iter().flatten() {
        dimensions = dense_config(&folder.join(at), &named.id, dimensions).ok()?.1;
    }
    let space = named.id.clone();
    let file = (usize::try_from(bytes).unwrap_or(usize::MAX), &blake3::Hash::from_bytes([0; 32]));
    Some(ModelCard { space, ..card(named, &modules, dimensions, max_tokens, file) })
}

fn card(
    named: Named,
    modules: &Modules,
    dimensions: usize,
    max_tokens: usize,
    file: (usize, &blake3::Hash),
) -> ModelCard {
    let id = ModelId(named.id);
    let name = Path::new(&id.0).file_name().map_or_else(|| id.0.clone(), |n| n.to_string_lossy().into_owned());
    let about = if modules.assumed {
        "A text encoder from your computer. It has no modules.json, so mean pooling and length 1 are assumed: check its \
         documentation before you judge it by this."
    } else {
        "A sentence-transformers text encoder from your computer."
    };
    ModelCard {
        space: format!("{name} {}", &file.1.to_hex()[..12]),
        text_query_model: Some(id.clone()),
        id,
        name,
        input: InputKind::Text,
        dimensions,
        context_tokens: Some(max_tokens),
        precision: Some(Precision::F32),
        runs_as: None,
        prompts: Prompts::default(),
        similarity: Similarity::default(),
        remarks: Vec::new(),
        pooling: modules.pooling,
        normalized: matches!(modules.after.last(), Some(None)),
        licence: "not stated in the folder".to_owned(),
        source: named.source,
        size_bytes: file.0 as u64,
        about: about.to_owned(),
        strengths: Vec::new(),
        weaknesses: vec![format!("Sees the first {max_tokens} tokens of a text only")],
        best_for: "See the model's own documentation; prompts it may want (\"query: \") are not added.".to_owned(),
    }
}

fn read_modules(folder: &Path, id: &str) -> Result<Modules, ModelError> {
    let path = folder.join("modules.json");
    if !path.exists() {
        let pooling = Pooling::Mean;
        return Ok(Modules { transformer: String::new(), pooling, after: vec![None], assumed: true });
    }
    let shown = path.display().to_string();
    let json = read_json(&path)?;
    let list = json.as_array().ok_or_else(|| bad(&shown, "not a list of modules".to_owned()))?;
    let mut modules = Modules { transformer: String::new(), pooling: Pooling::Mean, after: Vec::new(), assumed: false };
    let mut seen = Vec::new();
    for module in list {
        let text = |key: &str| module.get(key).and_then(Value::as_str).unwrap_or_default();
        let (kind, at) = (text("type").rsplit('.').next().unwrap_or_default(), text("path"));
        if Path::new(at).components().any(|c| !matches!(c, Component::Normal(_))) {
            return Err(bad(&shown, format!("the path {at:?} leads out of the folder")));
        }
        match kind {
            "Transformer" => modules.transformer = at.to_owned(),
            "Pooling" => modules.pooling = read_pooling(&folder.join(at).join("config.json"), id)?,
            "Normalize" => modules.after.push(None),
            "Dense" => modules.after.push(Some(at.to_owned())),
            other => return Err(unsupported(id, format!("{shown} has a module {other:?}"))),
        }
        seen.push(kind.to_owned());
    }
    let order: Vec<&str> = seen.iter().map(String::as_str).collect();
    let runs = matches!(order.as_slice(), ["Transformer", "Pooling", rest @ ..] if !rest.contains(&"Transformer") && !rest.contains(&"Pooling"));
    if !runs {
        let order = order.join(", ");
        let message = format!("{shown} lists {order}; Transformer, Pooling, then Dense and Normalize are run");
        return Err(unsupported(id, message));
    }
    Ok(modules)
}

fn read_pooling(path: &Path, id: &str) -> Result<Pooling, ModelError> {
    let json = read_json(path)?;
    let flags = json.as_object().ok_or_else(|| bad(&path.display().to_string(), "not a JSON object".to_owned()))?;
    let mut modes: Vec<&str> = flags
        .iter()
        .filter(|(k, v)| k.starts_with("pooling_mode_") && **v == Value::Bool(true))
        .map(|(k, _)| k.trim_start_matches("pooling_mode_"))
        .collect();
    if modes.is_empty() {
        modes.extend(flags.get("pooling_mode").and_then(Value::as_str));
    }
    match modes.as_slice() {
        ["mean_tokens" | "mean"] => Ok(Pooling::Mean),
        ["cls_token" | "cls"] => Ok(Pooling::Cls),
        ["max_tokens" | "max"] => Ok(Pooling::Max),
        ["weightedmean_tokens" | "weightedmean"] => Ok(Pooling::WeightedMean),
        ["lasttoken"] => Ok(Pooling::Last),
        other => {
            let what = if other.is_empty() { "nothing".to_owned() } else { other.join(" and ") };
            Err(unsupported(
                id,
                format!("{} pools by {what}; mean, cls, max, weightedmean and lasttoken are run", path.display()),
            ))
        }
    }
}

/// The activation of the dense module in `folder`, its outputs, and whether it has a bias.
fn dense_config(folder: &Path, id: &str, inputs: usize) -> Result<(Activation, usize, bool), ModelError> {
    let path = folder.join("config.json");
    let (json, shown) = (read_json(&path)?, path.display().to_string());
    let size = |key: &str| json.get(key).and_then(Value::as_u64).filter(|size| (1..=LARGEST_DENSE).contains(size));
    let (Some(from), Some(to)) = (size("in_features"), size("out_features")) else {
        return Err(bad(&shown, format!("in_features and out_features must be whole numbers up to {LARGEST_DENSE}")));
    };
    if from != inputs as u64 {
        return Err(bad(&shown, format!("takes {from} values where the steps before it give {inputs}")));
    }
    let name = json.get("activation_function").and_then(Value::as_str).unwrap_or("Tanh");
    let activation = match name.rsplit('.').next().unwrap_or_default() {
        "Tanh" => Activation::Tanh,
        "Identity" => Activation::None,
        "ReLU" => Activation::Relu,
        other => {
            return Err(unsupported(
                id,
                format!("{shown} has the activation {other}; Tanh, Identity and ReLU are run"),
            ));
        }
    };
    Ok((activation, to as usize, json.get("bias").and_then(Value::as_bool).unwrap_or(true)))
}

/// The dense module in `folder`, and the hash of its weights.
fn read_dense(folder: &Path, id: &str, inputs: usize) -> Result<(Dense, blake3::Hash), ModelError> {
    let (activation, outputs, has_bias) = dense_config(folder, id, inputs)?;
    let bytes = read_weights(folder, id)?;
    let weights = Weights::parse(&folder.join("model.safetensors").display().to_string(), &bytes)?;
    let weight = weights.f32("linear.weight", &[outputs, inputs])?;
    let bias = if has_bias { weights.f32("linear.bias", &[outputs])? } else { vec![0.0; outputs] };
    Ok((Dense { weight, bias, activation }, blake3::hash(&bytes)))
}

/// The length that the folder sets: `sentence_bert_config.json`, else `tokenizer_config.json`.
fn max_tokens(base: &Path) -> Result<Option<usize>, ModelError> {
    for (file, key) in [("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length")]
    {
        let path = base.join(file);
        if path.exists()
            && let Some(n) = read_json(&path)?.get(key).and_then(Value::as_u64)
        {
            return Ok(Some(usize::try_from(n).unwrap_or(usize::MAX)));
        }
    }
    Ok(None)
}

fn read_weights(base: &Path, id: &str) -> Result<Vec<u8>, ModelError> {
    let path = base.join("model.safetensors");
    if path.exists() {
        return fs_err::read(&path).map_err(|e| bad(&path.display().to_string(), e.to_string()));
    }
    let other = |name: &str| base.join(name).exists();
    if other("model.safetensors.index.json") {
        return Err(unsupported(
            id,
            "its weights are in several files (model.safetensors.index.json); one is read".into(),
        ));
    }
    if other("pytorch_model.bin") {
        let what = "it has pytorch_model.bin only, which can carry code; convert it to model.safetensors";
        return Err(unsupported(id, what.to_owned()));
    }
    Err(missing(&path))
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    let shown = path.display().to_string();
    if !path.exists() {
        return Err(missing(path));
    }
    let size = fs_err::metadata(path).map_err(|e| bad(&shown, e.to_string()))?.len();
    if size > LARGEST_JSON {
        return Err(bad(&shown, format!("has {size} bytes; up to {LARGEST_JSON} make sense")));
    }
    fs_err::read(path).map_err(|e| bad(&shown, e.to_string()))
}

fn read_json(path: &Path) -> Result<Value, ModelError> {
    let bytes = read(path)?;
    serde_json::from_slice(&bytes).map_err(|e| bad(&path.display().to_string(), format!("not valid JSON: {e}")))
}

fn missing(path: &Path) -> ModelError {
    bad(&path.display().to_string(), "is missing".to_owned())
}

fn unsupported(id: &str, message: String) -> ModelError {
    ModelError::Unsupported { id: id.to_owned(), message }
}
