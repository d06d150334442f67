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
    bert::{BertEmbedder, BertParts},
    config::bert_config,
    tokens::TextTokenizer,
};
use crate::models::{
    InputKind, ModelCard, ModelError, ModelId, ModelSource, Pooling, Precision,
    weights::{Weights, bad},
};

/// Largest JSON file read, in bytes: tokenizers of large vocabularies have some 20 MB.
const LARGEST_JSON: u64 = 256 << 20;

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
    normalize: bool,
    /// No modules.json: pooling is assumed.
    assumed: bool,
}

/// Opens the model in `folder`.
pub(in crate::models) fn open(folder: &Path, named: Named, precision: Precision) -> Result<BertEmbedder, ModelError> {
    let modules = read_modules(folder, &named.id)?;
    let base = folder.join(&modules.transformer);
    let shown = |name: &str| base.join(name).display().to_string();
    let config = bert_config(&named.id, &shown("config.json"), &read(&base.join("config.json"))?)?;
    let max_tokens = max_tokens(&base)?.unwrap_or(usize::MAX).min(config.max_position_embeddings);
    let tokenizer_path = [base.join("tokenizer.json"), folder.join("tokenizer.json")];
    let tokenizer_path = tokenizer_path.iter().find(|p| p.exists()).unwrap_or(&tokenizer_path[0]);
    let tokenizer = Arc::new(TextTokenizer::parse(&tokenizer_path.display().to_string(), &read(tokenizer_path)?)?);

    let bytes = read_weights(&base, &named.id)?;
    let weights = Weights::parse(&shown("model.safetensors"), &bytes)?;
    let weights_hash = blake3::hash(&bytes);
    let card = card(named, &modules, config.hidden_size, max_tokens, (bytes.len(), &weights_hash)).at(precision);
    BertEmbedder::new(BertParts { card, tokenizer, config, max_tokens, weights_hash }, &weights)
}

/// Card of the model in `folder` without reading its weights; `None` where [`open`] would turn it away for what can be seen from
/// outside. Its space is not known before it is opened.
pub(in crate::models) fn peek(folder: &Path, named: Named) -> Option<ModelCard> {
    let modules = read_modules(folder, &named.id).ok()?;
    let base = folder.join(&modules.transformer);
    let config = bert_config(&named.id, "config.json", &read(&base.join("config.json")).ok()?).ok()?;
    let bytes = fs_err::metadata(base.join("model.safetensors")).ok().filter(std::fs::Metadata::is_file)?.len();
    let tokenizer = [base.join("tokenizer.json"), folder.join("tokenizer.json")];
    tokenizer.iter().find(|path| path.is_file())?;
    let max_tokens = max_tokens(&base).ok()?.unwrap_or(usize::MAX).min(config.max_position_embeddings);
    let space = named.id.clone();
    let file = (usize::try_from(bytes).unwrap_or(usize::MAX), &blake3::Hash::from_bytes([0; 32]));
    Some(ModelCard { space, ..card(named, &modules, config.hidden_size, max_tokens, file) })
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
        "A BERT encoder from your computer. It has no modules.json, so mean pooling and length 1 are assumed: check its \
         documentation before you judge it by this."
    } else {
        "A sentence-transformers BERT encoder from your computer."
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
        pooling: modules.pooling,
        normalized: modules.normalize,
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
        return Ok(Modules { transformer: String::new(), pooling, normalize: true, assumed: true });
    }
    let shown = path.display().to_string();
    let json = read_json(&path)?;
    let list = json.as_array().ok_or_else(|| bad(&shown, "not a list of modules".to_owned()))?;
    let mut modules = Modules { transformer: String::new(), pooling: Pooling::Mean, normalize: false, assumed: false };
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
            "Normalize" => modules.normalize = true,
            other => return Err(unsupported(id, format!("{shown} has a module {other:?}"))),
        }
        seen.push(kind.to_owned());
    }
    let order: Vec<&str> = seen.iter().map(String::as_str).collect();
    if !matches!(order.as_slice(), ["Transformer", "Pooling"] | ["Transformer", "Pooling", "Normalize"]) {
        let order = order.join(", ");
        return Err(unsupported(id, format!("{shown} lists {order}; Transformer, Pooling and Normalize are run")));
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
        other => {
            let what = if other.is_empty() { "nothing".to_owned() } else { other.join(" and ") };
            Err(unsupported(id, format!("{} pools by {what}; mean, cls and max are run", path.display())))
        }
    }
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
