//! Finds a model by what the user calls it and opens it.
//!
//! Tried in this order: a bundled id or its short name, an existing folder, a name in the local hub cache. Nothing is
//! downloaded. Invariant: every failure says where was looked and what to do next.

use std::path::{Path, PathBuf};

use super::{
    Embedder, ModelCard, ModelError, ModelId, ModelSource, bundled, hub,
    text::folder::{self, Named},
};

/// How to open a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Never ask the network. This version never does, whatever is set here.
    pub offline: bool,
    /// The hub's cache folder; `None` for the one that the environment names (`HF_HUB_CACHE`, `HF_HOME`, …).
    pub hub_cache: Option<PathBuf>,
}

/// Cards of the models inside this program: none when built without the feature `bundled-models`.
pub fn cards() -> Vec<ModelCard> {
    bundled::cards()
}

/// Opens the model called `id`: a bundled id ("all-MiniLM-L6-v2") or its short name ("minilm", "static", "lite0",
/// "conse"), a folder, or `ORG/NAME` in the local hub cache. Takes up to a second for models of usual size.
///
/// # Errors
/// [`ModelError::NotFound`] with a hint when nothing of that name is here, [`ModelError::BadFile`] when a file makes no
/// sense, [`ModelError::Unsupported`] when this version cannot run the model.
pub fn open(id: &ModelId, options: &OpenOptions) -> Result<Box<dyn Embedder>, ModelError> {
    let name = id.0.trim();
    if let Some(full) = bundled::full_name(name) {
        return bundled::open(full);
    }
    let path = Path::new(name);
    if path.is_dir() {
        let named = Named { id: name.to_owned(), source: ModelSource::Folder(path.to_path_buf()) };
        return Ok(Box::new(folder::open(path, named)?));
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
    let named = Named { id: name.to_owned(), source: ModelSource::HubCache(snapshot.clone()) };
    Ok(Box::new(folder::open(&snapshot, named)?))
}

fn not_found(id: &str, hint: String) -> ModelError {
    ModelError::NotFound { id: id.to_owned(), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_say_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        let options = OpenOptions { offline: true, hub_cache: Some(empty.path().to_path_buf()) };
        let message = |id: &str| open(&ModelId(id.to_owned()), &options).err().unwrap().to_string();
        assert!(message("no-such-model").contains("ORG/NAME"));
        assert!(message("org/name").contains("huggingface-cli download org/name"), "{}", message("org/name"));
        for trick in ["../secret", "org/..", "a/b/c", "org/na me", "", ".", "/nowhere/at/all", "org/.hidden"] {
            message(trick);
        }
    }
}
