//! The hub's cache on this computer: which folder it is, and the snapshot of a model in it.
//!
//! Reads only what an earlier download left there (`models--ORG--NAME/snapshots/COMMIT`); never the network. Invariant:
//! a name can only lead to a folder inside the cache.

use std::path::{Path, PathBuf};

use hf_hub::{Cache, Repo, RepoType};

use super::ModelError;

/// Files that a model cannot do without.
const NEEDED: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

/// The cache folder that the environment names, in the hub client's own order.
pub(super) fn cache_dir() -> Option<PathBuf> {
    resolve(|key| std::env::var_os(key).filter(|v| !v.is_empty()).map(PathBuf::from))
}

fn resolve(var: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    var("HF_HUB_CACHE")
        .or_else(|| var("HUGGINGFACE_HUB_CACHE"))
        .or_else(|| Some(var("HF_HOME")?.join("hub")))
        .or_else(|| Some(var("XDG_CACHE_HOME")?.join("huggingface/hub")))
        .or_else(|| Some(var("HOME").or_else(|| var("USERPROFILE"))?.join(".cache/huggingface/hub")))
}

/// Whether `name` has the form `ORG/NAME` with nothing in it that could lead elsewhere.
pub(super) fn is_hub_name(name: &str) -> bool {
    let part = |p: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !p.is_empty() && p.len() <= 96 && !p.starts_with(['.', '-']) && !p.contains("..") && p.chars().all(plain)
    };
    name.split_once('/').is_some_and(|(org, model)| part(org) && part(model))
}

/// The snapshot folder of `name` (main revision) with all needed files.
pub(super) fn snapshot(cache: &Path, name: &str) -> Result<PathBuf, ModelError> {
    let repo = Cache::new(cache.to_path_buf()).repo(Repo::new(name.to_owned(), RepoType::Model));
    let not_found = |what: String| {
        let hint =
            format!("{what}; get it with `huggingface-cli download {name}`, or give a folder that holds the model");
        ModelError::NotFound { id: name.to_owned(), hint }
    };
    let Some(first) = ["config.json", "modules.json"].iter().find_map(|f| repo.get(f)) else {
        return Err(not_found(format!("no snapshot of it with config.json in the hub's cache {}", cache.display())));
    };
    let Some(folder) = first.parent() else { return Err(not_found("its snapshot has no folder".to_owned())) };
    let base = cache.join(format!("models--{}", name.replace('/', "--"))).join("snapshots");
    if folder.parent() != Some(base.as_path()) || folder.ends_with("..") {
        return Err(not_found(format!("refs/main in {} names no snapshot", base.display())));
    }
    // A model in a subfolder names it in modules.json; the folder reader then says which file is missing.
    if repo.get("modules.json").is_none() || repo.get("config.json").is_some() {
        for file in NEEDED {
            if repo.get(file).is_none() {
                return Err(not_found(format!("its snapshot {} lacks {file}", folder.display())));
            }
        }
    }
    Ok(folder.to_path_buf())
}

/// Names of the models that have a folder in the cache, in order; odd folders are passed over.
pub(super) fn names(cache: &Path) -> Vec<String> {
    let Ok(entries) = fs_err::read_dir(cache) else { return Vec::new() };
    let name_of = |entry: fs_err::DirEntry| {
        let folder = entry.file_name().into_string().ok()?;
        let name = folder.strip_prefix("models--")?.replacen("--", "/", 1);
        is_hub_name(&name).then_some(name)
    };
    let mut names: Vec<String> = entries.flatten().filter_map(name_of).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_folder_follows_the_order() {
        let all = [
            ("HF_HUB_CACHE", "a", "a"),
            ("HUGGINGFACE_HUB_CACHE", "b", "b"),
            ("HF_HOME", "c", "c/hub"),
            ("XDG_CACHE_HOME", "d", "d/huggingface/hub"),
            ("HOME", "e", "e/.cache/huggingface/hub"),
        ];
        for skip in 0..all.len() {
            let set = &all[skip..];
            let got = resolve(|key| set.iter().find(|s| s.0 == key).map(|s| PathBuf::from(s.1)));
            assert_eq!(got.unwrap(), PathBuf::from(set[0].2));
        }
        assert_eq!(resolve(|_| None), None);
    }

    #[test]
    fn names_cannot_lead_elsewhere() {
        for good in ["sentence-transformers/all-MiniLM-L6-v2", "BAAI/bge-large-en-v1.5", "a/b"] {
            assert!(is_hub_name(good), "{good}");
        }
        for bad in ["a", "a/b/c", "../b", "a/..", "a/b..c", "/b", "a/", "a b/c", "a\\b/c", ".a/b", "-x/y", "é/b"] {
            assert!(!is_hub_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_ref_cannot_lead_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let repo = dir.path().join("models--a--b");
        fs_err::create_dir_all(repo.join("refs")).unwrap();
        fs_err::create_dir_all(repo.join("snapshots/c")).unwrap();
        fs_err::write(dir.path().join("config.json"), "{}").unwrap();
        for trick in ["../..", "..", "c/../../.."] {
            fs_err::write(repo.join("refs/main"), trick).unwrap();
            assert!(snapshot(dir.path(), "a/b").is_err(), "{trick}");
        }
        fs_err::write(repo.join("refs/main"), "c").unwrap();
        for (n, file) in NEEDED.iter().enumerate() {
            let e = snapshot(dir.path(), "a/b").unwrap_err().to_string();
            assert!(e.contains(file) && e.contains("huggingface-cli download a/b"), "{n}: {e}");
            fs_err::write(repo.join("snapshots/c").join(file), "").unwrap();
        }
        assert_eq!(snapshot(dir.path(), "a/b").unwrap(), repo.join("snapshots/c"));
    }
}
