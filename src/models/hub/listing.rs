//! What a model on the hub holds, and which of its files are wanted.
//!
//! Wanted is what this program reads: configurations, tokenizer, modules and one form of weights. The same weights in other forms
//! (for ONNX, TensorFlow, Flax) never are. Invariant: every name in a listing is a plain path.

use std::collections::BTreeSet;

use serde_json::Value;

use super::error::HubError;
use super::names::{is_commit, is_plain_path};

/// Names of the files wanted wherever a module is.
const WANTED: [&str; 16] = [
    "config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
    "preprocessor_config.json",
    "processor_config.json",
    "router_config.json",
];
/// Weights and the index of weights in several files: those that are safe, and those that are pickled.
const SAFE: [&str; 2] = ["model.safetensors", "model.safetensors.index.json"];
const PICKLED: [&str; 2] = ["pytorch_model.bin", "pytorch_model.bin.index.json"];

/// A file of a model on the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    /// Bytes, where the hub tells.
    pub(super) size: Option<u64>,
    /// Its content's name, where the hub tells: SHA-256 of a large file, git's SHA-1 of a small one.
    pub(super) etag: Option<String>,
}

/// What a model holds at one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) commit: String,
    pub(super) files: Vec<Listed>,
}

/// What is to be fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Names of files.
    pub(super) files: BTreeSet<String>,
    /// Those of them that name further files: indexes of weights in several files.
    pub(super) indexes: Vec<String>,
}

impl Listing {
    /// Reads the hub's answer; `None` where it is no listing.
    ///
    /// # Errors
    /// [`HubError::BadName`] for a name that leads out of the model's folder.
    pub(super) fn parse(id: &str, bytes: &[u8]) -> Result<Option<Self>, HubError> {
        let Ok(Value::Object(info)) = serde_json::from_slice(bytes) else { return Ok(None) };
        let commit = info.get("sha").and_then(Value::as_str).filter(|commit| is_commit(commit));
        let (Some(commit), Some(siblings)) = (commit, info.get("siblings").and_then(Value::as_array)) else {
            return Ok(None);
        };
        let mut files = Vec::with_capacity(siblings.len());
        for sibling in siblings {
            let Some(name) = sibling.get("rfilename").and_then(Value::as_str) else { return Ok(None) };
            checked(id, name)?;
            let large = sibling.get("lfs");
            let text = |of: Option<&Value>| of.and_then(Value::as_str).map(str::to_owned);
            files.push(Listed {
                name: name.to_owned(),
                size: sibling.get("size").or_else(|| large?.get("size")).and_then(Value::as_u64),
                etag: text(large.and_then(|large| large.get("sha256"))).or_else(|| text(sibling.get("blobId"))),
            });
        }
        Ok(Some(Self { commit: commit.to_owned(), files }))
    }

    pub(super) fn find(&self, name: &str) -> Option<&Listed> {
        self.files.iter().find(|file| file.name == name)
    }

    /// What to fetch. `modules`: the content of `modules.json`, where there is one.
    ///
    /// # Errors
    /// [`HubError::OnlyPickle`] and [`HubError::NoWeights`] where there are no weights that may be taken; [`HubError::BadName`] for a
    /// module outside the model's folder.
    pub(super) fn plan(&self, id: &str, modules: Option<&[u8]>, pickle: bool, page: &str) -> Result<Plan, HubError> {
        let folders = match modules {
            Some(bytes) => module_folders(id, bytes)?,
            None => vec![String::new()],
        };
        let (mut plan, mut weights, mut only_pickled) = (Plan::default(), false, None);
        for file in &self.files {
            let (folder, name) = file.name.rsplit_once('/').unwrap_or(("", &file.name));
            let module = folders.iter().any(|module| module == folder);
            if (folder.is_empty() || module) && is_wanted(name, folder.is_empty()) {
                plan.files.insert(file.name.clone());
            }
        }
        for folder in &folders {
            let named = |name: &&&str| self.find(&in_folder(folder, name)).is_some();
            let pickled = PICKLED.iter().find(named);
            let found = SAFE.iter().find(named).or_else(|| pickled.filter(|_| pickle));
            match (found, pickled) {
                (Some(found), _) => {
                    weights = true;
                    let name = in_folder(folder, found);
                    if found.ends_with(".index.json") {
                        plan.indexes.push(name.clone());
                    }
                    plan.files.insert(name);
                }
                (None, Some(pickled)) => only_pickled = Some(in_folder(folder, pickled)),
                (None, None) => {}
            }
        }
        match only_pickled {
            Some(file) => Err(HubError::OnlyPickle { id: id.to_owned(), file }),
            None if !weights => Err(HubError::NoWeights { id: id.to_owned(), page: page.to_owned() }),
            None => Ok(plan),
        }
    }
}

/// The files that an index of weights names, as paths below the model's folder.
///
/// # Errors
/// [`HubError::BadName`] for one outside; [`HubError::Checksum`] where it is no index.
pub(super) fn shards(id: &str, index: &str, bytes: &[u8]) -> Result<BTreeSet<String>, HubError> {
    let folder = index.rsplit_once('/').map_or("", |(folder, _)| folder);
    let damaged = || HubError::Checksum { id: id.to_owned(), file: index.to_owned(), what: "no index".to_owned() };
    let parsed: Value = serde_json::from_slice(bytes).map_err(|_| damaged())?;
    let map = parsed.get("weight_map").and_then(Value::as_object).ok_or_else(damaged)?;
    let mut files = BTreeSet::new();
    for file in map.values() {
        let name = file.as_str().ok_or_else(damaged)?;
        checked(id, name)?;
        files.insert(in_folder(folder, name));
    }
    Ok(files)
}

/// The folders of the modules that `modules.json` names, each once; "" is the model's own.
fn module_folders(id: &str, bytes: &[u8]) -> Result<Vec<String>, HubError> {
    let modules: Vec<Value> = serde_json::from_slice(bytes).unwrap_or_default();
    let mut folders = Vec::new();
    for module in &modules {
        let path = module.get("path").and_then(Value::as_str).unwrap_or_default();
        let path = path.trim_end_matches('/');
        let path = if path == "." { "" } else { path };
        if !path.is_empty() {
            checked(id, path)?;
        }
        if !folders.iter().any(|folder| folder == path) {
            folders.push(path.to_owned());
        }
    }
    // What is no list of modules is told by the folder's reader; the model's own folder then holds it all.
    Ok(if folders.is_empty() { vec![String::new()] } else { folders })
}

fn is_wanted(name: &str, at_the_top: bool) -> bool {
    let sentence = name.starts_with("sentence_") && name.ends_with("_config.json");
    let licence = at_the_top && (name == "README.md" || name.to_ascii_uppercase().starts_with("LICEN"));
    WANTED.contains(&name) || sentence || licence
}

fn in_folder(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn checked(id: &str, name: &str) -> Result<(), HubError> {
    if is_plain_path(name) { Ok(()) } else { Err(HubError::BadName { id: id.to_owned(), file: name.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(names: &[&str]) -> Listing {
        let files = names.iter().map(|&name| Listed { name: name.to_owned(), size: Some(1), etag: None });
        Listing { commit: "c".repeat(40), files: files.collect() }
    }

    fn planned(names: &[&str], modules: Option<&str>, pickle: bool) -> Result<Vec<String>, String> {
        let plan = listing(names).plan("o/n", modules.map(str::as_bytes), pickle, "page");
        plan.map(|plan| plan.files.into_iter().collect()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_listing_is_read_with_sizes_and_names() {
        let text = r#"{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[
            {"rfilename":"config.json","size":7,"blobId":"aa"},
            {"rfilename":"model.safetensors","size":9,"blobId":"bb","lfs":{"sha256":"cc","size":9,"pointerSize":1}},
            {"rfilename":"x"}]}"#;
        let listing = Listing::parse("o/n", text.as_bytes()).unwrap().unwrap();
        let told: Vec<_> = listing.files.iter().map(|f| (f.size, f.etag.as_deref())).collect();
        assert_eq!(told, [(Some(7), Some("aa")), (Some(9), Some("cc")), (None, None)]);
        for odd in ["", "[]", "{}", r#"{"sha":"../x","siblings":[]}"#, r#"{"sha":"0123456789","siblings":[{}]}"#] {
            assert_eq!(Listing::parse("o/n", odd.as_bytes()).unwrap(), None, "{odd}");
        }
        for trick in ["../x", "/etc/x", "a/../../x", r"..\\x", "C:x"] {
            let text = format!(r#"{{"sha":"0123456789","siblings":[{{"rfilename":"{trick}"}}]}}"#);
            assert!(matches!(Listing::parse("o/n", text.as_bytes()), Err(HubError::BadName { .. })), "{trick}");
        }
    }

    #[test]
    fn one_form_of_weights_is_wanted() {
        let all = [
            "README.md",
            "LICENSE",
            "config.json",
            "tokenizer.json",
            "vocab.txt",
            "model.safetensors",
            "pytorch_model.bin",
            "tf_model.h5",
            "flax_model.msgpack",
            "rust_model.ot",
            "onnx/model.onnx",
            "onnx/config.json",
            "openvino/openvino_model.bin",
            "train_script.py",
            "data_config.json",
            ".gitattributes",
        ];
        let wanted = ["LICENSE", "README.md", "config.json", "model.safetensors", "tokenizer.json", "vocab.txt"];
        assert_eq!(planned(&all, None, true).unwrap(), wanted);
        assert_eq!(planned(&["config.json", "pytorch_model.bin"], None, true).unwrap().len(), 2);
        assert!(planned(&["config.json", "pytorch_model.bin"], None, false).unwrap_err().contains("--pickle"));
        assert!(planned(&["config.json", "onnx/model.onnx"], None, true).unwrap_err().contains("no weights"));
    }

    #[test]
    fn modules_name_their_folders() {
        let modules =
            r#"[{"idx":0,"path":"","type":"x.Transformer"},{"idx":1,"path":"1_Pooling"},{"idx":2,"path":"2_Dense"}]"#;
        let all = [
            "modules.json",
            "config.json",
            "sentence_bert_config.json",
            "model.safetensors",
            "1_Pooling/config.json",
            "2_Dense/config.json",
            "2_Dense/model.safetensors",
            "2_Dense/pytorch_model.bin",
            "3_Other/config.json",
        ];
        assert_eq!(planned(&all, Some(modules), false).unwrap().len(), 7);
        let below = r#"[{"path":"0_Transformer"},{"path":"1_Pooling"}]"#;
        let all = ["modules.json", "pytorch_model.bin", "0_Transformer/model.safetensors", "0_Transformer/config.json"];
        assert_eq!(planned(&all, Some(below), false).unwrap().len(), 3);
        assert!(planned(&all, Some(r#"[{"path":"../.."}]"#), false).unwrap_err().contains("outside"));
    }

    #[test]
    fn weights_in_several_files_are_named_by_their_index() {
        let all = ["config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors"];
        let plan = listing(&all).plan("o/n", None, false, "").unwrap();
        assert_eq!(plan.indexes, ["model.safetensors.index.json"]);
        let index = r#"{"weight_map":{"a":"one.safetensors","b":"two.safetensors","c":"one.safetensors"}}"#;
        let files = shards("o/n", "0_T/model.safetensors.index.json", index.as_bytes()).unwrap();
        assert_eq!(files.into_iter().collect::<Vec<_>>(), ["0_T/one.safetensors", "0_T/two.safetensors"]);
        for bad in ["", "{}", r#"{"weight_map":{"a":1}}"#, r#"{"weight_map":{"a":"../x"}}"#] {
            assert!(shards("o/n", "i", bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
