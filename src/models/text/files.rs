//! The small files of a model's folder, and where each really lies.
//!
//! Exists so that no name in a configuration and no link leads out of the folder: only links into the blobs of the hub's cache do,
//! as the hub's own client makes them. It reads no weights. Invariant: a path that comes out lies in the folder or among those blobs.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::models::{ModelError, weights::bad};

/// Largest JSON file read, in bytes: tokenizers of large vocabularies have some 20 MB.
const LARGEST_JSON: u64 = 256 << 20;

/// A model's folder.
#[derive(Clone, Debug)]
pub(in crate::models) struct Place {
    root: PathBuf,
    /// Real paths that files may lie in.
    allowed: Vec<PathBuf>,
}

impl Place {
    /// The folder `root`.
    pub(in crate::models) fn new(root: &Path) -> Result<Self, ModelError> {
        let real = |path: &Path| fs_err::canonicalize(path).map_err(|e| bad(&shown(path), e.to_string()));
        let mut allowed = vec![real(root)?];
        allowed.extend(blobs(root).or_else(|| blobs(&allowed[0])).and_then(|blobs| real(&blobs).ok()));
        Ok(Self { root: root.to_path_buf(), allowed })
    }

    /// The folder as the user named it.
    pub(in crate::models) fn root(&self) -> &Path {
        &self.root
    }

    /// How `name` is called in messages.
    pub(in crate::models) fn shown(&self, name: &str) -> String {
        shown(&self.root.join(name))
    }

    /// The path of file `name`, which may have folders in it; `None` where it is not there.
    ///
    /// # Errors
    /// A name or a link that leads out of the folder.
    pub(in crate::models) fn find(&self, name: &str) -> Result<Option<PathBuf>, ModelError> {
        if !leads_inside(name) {
            return Err(bad(&self.shown(name), "leads out of the model's folder".to_owned()));
        }
        let path = self.root.join(name);
        let Ok(real) = path.canonicalize() else { return Ok(None) };
        if !self.allowed.iter().any(|folder| real.starts_with(folder)) {
            let message = "is a link that leads out of the model's folder; put the file itself there".to_owned();
            return Err(bad(&shown(&path), message));
        }
        Ok(path.is_file().then_some(path))
    }

    /// The path of file `name`.
    pub(in crate::models) fn need(&self, name: &str) -> Result<PathBuf, ModelError> {
        self.find(name)?.ok_or_else(|| bad(&self.shown(name), "is missing".to_owned()))
    }

    /// The bytes of file `name`.
    pub(in crate::models) fn read(&self, name: &str) -> Result<Vec<u8>, ModelError> {
        read(&self.need(name)?)
    }

    /// The JSON in file `name`; `None` where it is not there.
    pub(in crate::models) fn json(&self, name: &str) -> Result<Option<Value>, ModelError> {
        let Some(path) = self.find(name)? else { return Ok(None) };
        let parsed = serde_json::from_slice(&read(&path)?);
        parsed.map(Some).map_err(|e| bad(&shown(&path), format!("not valid JSON: {e}")))
    }

    /// The JSON in file `name`, which must be there.
    pub(in crate::models) fn needed_json(&self, name: &str) -> Result<Value, ModelError> {
        self.json(name)?.ok_or_else(|| bad(&self.shown(name), "is missing".to_owned()))
    }
}

/// Whether a name only goes down from where it stands.
pub(in crate::models) fn leads_inside(name: &str) -> bool {
    !name.contains(['\\', '\0'])
        && Path::new(name).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir))
}

/// `folder/name`, where the folder may be "" or ".".
pub(in crate::models) fn within(folder: &str, name: &str) -> String {
    match folder.trim_end_matches('/') {
        "" | "." => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}

/// Where the files of a snapshot of the hub's cache lie (`models--ORG--NAME/{snapshots/COMMIT, blobs}`).
fn blobs(root: &Path) -> Option<PathBuf> {
    let snapshots = root.parent().filter(|folder| folder.ends_with("snapshots"))?;
    let model = snapshots.parent()?;
    model.file_name()?.to_str()?.starts_with("models--").then(|| model.join("blobs"))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    let size = fs_err::metadata(path).map_err(|e| bad(&shown(path), e.to_string()))?.len();
    if size > LARGEST_JSON {
        return Err(bad(&shown(path), format!("has {size} bytes; up to {LARGEST_JSON} make sense")));
    }
    fs_err::read(path).map_err(|e| bad(&shown(path), e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_only_go_down() {
        for name in ["", ".", "a", "1_Pooling/config.json", "./x"] {
            assert!(leads_inside(name), "{name}");
        }
        for name in ["..", "a/../../b", "/etc/passwd", "a\\..\\b", "a\0b"] {
            assert!(!leads_inside(name), "{name}");
        }
        assert_eq!(
            (within("", "x").as_str(), within(".", "x").as_str(), within("a/", "x").as_str()),
            ("x", "x", "a/x")
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_the_hubs_blobs_only() {
        let dir = tempfile::tempdir().unwrap();
        let model = dir.path().join("models--a--b");
        let snapshot = model.join("snapshots/c");
        fs_err::create_dir_all(&snapshot).unwrap();
        fs_err::create_dir_all(model.join("blobs")).unwrap();
        fs_err::write(model.join("blobs/1"), "{}").unwrap();
        fs_err::write(dir.path().join("secret"), "{}").unwrap();
        let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, snapshot.join(at)).unwrap();
        link("../../blobs/1", "config.json");
        link("../../../secret", "outside.json");
        link("/etc", "folder");
        let place = Place::new(&snapshot).unwrap();
        assert!(place.json("config.json").unwrap().is_some());
        for name in ["outside.json", "folder/hostname", "folder"] {
            let e = place.find(name).unwrap_err().to_string();
            assert!(e.contains(name) && e.contains("leads out"), "{e}");
        }
        assert!(place.find("nothing").unwrap().is_none());
        let plain = dir.path().join("plain");
        fs_err::create_dir(&plain).unwrap();
        std::os::unix::fs::symlink("../models--a--b/blobs/1", plain.join("config.json")).unwrap();
        assert!(Place::new(&plain).unwrap().find("config.json").is_err());
    }
}
