//! Finds a model by what the user calls it and opens it.
//!
//! Tried in this order: a bundled id or its short name, an existing folder, a name in the local hub cache. Nothing is
//! downloaded. Invariant: every failure says where was looked and what to do next.

use std::path::{Path, PathBuf};

use super::{
    Embedder, ModelCard, ModelError, ModelId, ModelSource, Overrides, Precision, bundled, hub,
    text::folder::{self, Named},
    vision,
};

/// How to open a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Never ask the network. Opening never does, whatever is set here; fetching is another matter ([`super::download`]).
    pub offline: bool,
    /// The hub's cache folder; `None` for the one that the environment names (`HF_HUB_CACHE`, `HF_HOME`, …).
    pub hub_cache: Option<PathBuf>,
    /// What is to be otherwise than the model's own files say; pictures are pooled as asked where the model reads no texts.
    pub overrides: Overrides,
    /// Read a folder that holds only pickle (`pytorch_model.bin`): its instructions are parsed, and none is run.
    pub pickle: bool,
}

/// Cards of the models inside this program: none when built without the feature `bundled-models`.
pub fn cards() -> Vec<ModelCard> {
    bundled::cards()
}

/// Cards of the models in the local hub cache that this version can open, as far as can be told without reading their weights.
/// Whatever else lies in the cache is passed over.
pub fn hub_cards(options: &OpenOptions) -> Vec<ModelCard> {
    let Some(cache) = options.hub_cache.clone().or_else(hub::cache_dir) else { return Vec::new() };
    let card = |name: String| {
        let snapshot = hub::snapshot(&cache, &name).ok()?;
        let named = || Named { id: name.clone(), source: ModelSource::HubCache(snapshot.clone()) };
        vision::folder::peek(&snapshot, named()).or_else(|| folder::peek(&snapshot, named()))
    };
    hub::names(&cache).into_iter().filter_map(card).collect()
}

/// Opens the model called `id`: a bundled id ("all-MiniLM-L6-v2") or its short name ("minilm", "static", "lite0",
/// "conse"), a folder, or `ORG/NAME` in the local hub cache; in the precision that it ends in ("minilm@int8"). Takes up to a second for models of usual size.
///
/// # Errors
/// [`ModelError::NotFound`] with a hint when nothing of that name is here, [`ModelError::BadFile`] when a file makes no
/// sense, [`ModelError::Unsupported`] when this version cannot run the model.
pub fn open(id: &ModelId, options: &OpenOptions) -> Result<Box<dyn Embedder>, ModelError> {
    let id = trimmed(id);
    let (name, precision) = id.parts();
    if let Some(full) = bundled::full_name(name) {
        return bundled::open(full, precision, &options.overrides);
    }
    let (path, source) = located(name, options)?;
    open_folder(&path, Named { id: name.to_owned(), source }, precision, options)
}

/// The folder of the model called `name`, which is no bundled one.
pub(super) fn located(name: &str, options: &OpenOptions) -> Result<(PathBuf, ModelSource), ModelError> {
    let path = Path::new(name);
    if path.is_dir() {
        return Ok((path.to_path_buf(), ModelSource::Folder(path.to_path_buf())));
    }
    if path.is_file() {
        return Err(not_found(
            name,
            "that is a file; give the folder that holds config.json and model.safetensors".into(),
        ));
    }
    if !hub::is_hub_name(name) {
        let bundled = cards().into_iter().map(|c| c.id.0).collect::<Vec<_>>().join(", ");
        let bundled = if bundled.is_empty() { "none".to_owned() } else { bundled };
        let hint = format!("no folder of that name, and not a bundled model ({bundled}) or a hub name like ORG/NAME");
        return Err(not_found(name, hint));
    }
    let cache = options.hub_cache.clone().or_else(hub::cache_dir);
    let cache =
        cache.ok_or_else(|| not_found(name, "there is no home folder to look for the hub's cache in".into()))?;
    let snapshot = hub::snapshot(&cache, name)?;
    Ok((snapshot.clone(), ModelSource::HubCache(snapshot)))
}

/// A picture model where the folder holds one, else a text model.
fn open_folder(
    path: &Path,
    named: Named,
    precision: Precision,
    options: &OpenOptions,
) -> Result<Box<dyn Embedder>, ModelError> {
    let again = Named { id: named.id.clone(), source: named.source.clone() };
    match vision::folder::open(path, again, precision, options)? {
        Some(model) => Ok(model),
        None => folder::open(path, named, precision, options),
    }
}

/// The hub's name ("ORG/NAME") of a model that is nowhere on this computer, or not whole; `None` for what is here and for what is no such
/// name.
pub fn to_fetch(id: &ModelId, options: &OpenOptions) -> Option<String> {
    let id = trimmed(id);
    let (name, _) = id.parts();
    if bundled::full_name(name).is_some() || Path::new(name).exists() || !hub::is_hub_name(name) {
        return None;
    }
    let cache = options.hub_cache.clone().or_else(hub::cache_dir);
    let here = cache.is_some_and(|cache| hub::snapshot(&cache, name).is_ok());
    (!here).then(|| name.to_owned())
}

/// The one id of a model that has several names: the full id of a bundled model, else the name as it is. Its precision follows
/// ("@int8"), except `f32`, which is meant where none is named.
pub fn canonical(id: &ModelId) -> ModelId {
    let id = trimmed(id);
    let (name, precision) = id.parts();
    ModelId::named(bundled::full_name(name).unwrap_or(name), precision)
}

fn trimmed(id: &ModelId) -> ModelId {
    ModelId(id.0.trim().to_owned())
}

fn not_found(id: &str, hint: String) -> ModelError {
    ModelError::NotFound { id: id.to_owned(), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_lead_to_the_full_id() {
        let canonical = |name: &str| canonical(&ModelId(name.to_owned())).0;
        assert_eq!(canonical(" MiniLM "), "all-MiniLM-L6-v2");
        assert_eq!(canonical("ALL-minilm-l6-v2"), "all-MiniLM-L6-v2");
        assert_eq!(canonical("./models/minilm"), "./models/minilm");
        assert_eq!(canonical("minilm@int8"), "all-MiniLM-L6-v2@int8");
        assert_eq!(canonical("MiniLM@f32 "), "all-MiniLM-L6-v2");
        assert_eq!(canonical("./folder@bf16"), "./folder@bf16");
        assert_eq!(canonical("./folder@int8@f32"), "./folder@int8@f32");
    }

    #[test]
    fn the_hub_cache_lists_what_can_be_opened_and_passes_over_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let model = |folder: &str, config: &str, weights: bool| {
            let snapshot = dir.path().join(folder).join("snapshots/c");
            fs_err::create_dir_all(&snapshot).unwrap();
            fs_err::create_dir_all(dir.path().join(folder).join("refs")).unwrap();
            fs_err::write(dir.path().join(folder).join("refs/main"), "c").unwrap();
            fs_err::write(snapshot.join("config.json"), config).unwrap();
            fs_err::write(snapshot.join("tokenizer.json"), "{}").unwrap();
            if weights {
                fs_err::write(snapshot.join("model.safetensors"), "weights").unwrap();
            }
        };
        let bert = r#"{"model_type":"bert","vocab_size":100,"hidden_size":8,"num_hidden_layers":2,"num_attention_heads":2,
            "intermediate_size":16,"max_position_embeddings":32,"hidden_act":"gelu"}"#;
        model("models--org--small-bert", bert, true);
        model("models--org--no-weights", bert, false);
        model("models--org--other", r#"{"model_type":"mpnet"}"#, true);
        model("models--org--odd", "not json", true);
        model("datasets--org--data", bert, true);
        model("models--bad name--x", bert, true);
        fs_err::write(dir.path().join("models--a--file"), "a file").unwrap();
        let cards =
            hub_cards(&OpenOptions { offline: true, hub_cache: Some(dir.path().to_owned()), ..OpenOptions::default() });
        let found: Vec<_> = cards.iter().map(|card| (card.id.0.as_str(), card.dimensions, card.size_bytes)).collect();
        assert_eq!(found, [("org/small-bert", 8, 7)]);
        assert!(matches!(cards[0].source, ModelSource::HubCache(_)));
        let nowhere =
            OpenOptions { offline: true, hub_cache: Some(dir.path().join("nowhere")), ..OpenOptions::default() };
        assert!(hub_cards(&nowhere).is_empty());
    }

    #[test]
    fn unknown_names_say_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        let options =
            OpenOptions { offline: true, hub_cache: Some(empty.path().to_path_buf()), ..OpenOptions::default() };
        let message = |id: &str| open(&ModelId(id.to_owned()), &options).err().unwrap().to_string();
        assert!(message("no-such-model").contains("ORG/NAME"));
        assert!(message("org/name").contains("embedlens models download org/name"), "{}", message("org/name"));
        for trick in ["../secret", "org/..", "a/b/c", "org/na me", "", ".", "/nowhere/at/all", "org/.hidden"] {
            message(trick);
        }
    }
}
