//! The hub's cache on this computer, in the layout of Python's `huggingface_hub`: what is in it, and how files come into it.
//!
//! `models--ORG--NAME/{refs/BRANCH, blobs/ETAG, snapshots/COMMIT/FILE → ../../blobs/ETAG}`. Knows no network. Invariants: a
//! name can only lead to a folder inside the cache, and whatever is under `blobs`, `snapshots` or `refs` is whole.

use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fs_err as fs;

use super::HubError;
use super::names::{is_hub_name, is_plain_path};
use crate::models::ModelError;
use crate::progress::Progress;

/// Files of weights, one of which a model without `modules.json` must have.
const WEIGHTS: [&str; 3] = ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"];

/// One model's folder in the cache.
pub(super) struct Repo {
    root: PathBuf,
    locks: PathBuf,
}

/// Holds a blob for this process until dropped.
pub(super) struct BlobLock {
    /// `None` where the file system has no locks: then the unfinished file has a name of its own.
    file: Option<fs::File>,
}

impl Repo {
    /// The folder of the model `id`, which must be a hub name.
    pub(super) fn new(cache: &Path, id: &str) -> Self {
        let folder = format!("models--{}", id.replace('/', "--"));
        Self { locks: cache.join(".locks").join(&folder), root: cache.join(folder) }
    }

    /// Where the snapshots are.
    pub(super) fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    /// The snapshot folder of a commit.
    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.snapshots().join(commit)
    }

    /// A file of a snapshot.
    pub(super) fn pointer(&self, commit: &str, name: &str) -> PathBuf {
        self.snapshot(commit).join(name)
    }

    /// The content called `etag`.
    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.root.join("blobs").join(etag)
    }

    /// Where the content called `etag` stands while it comes in.
    pub(super) fn part(&self, etag: &str, lock: &BlobLock) -> PathBuf {
        let own = if lock.file.is_some() { String::new() } else { format!(".{}", std::process::id()) };
        self.root.join("blobs").join(format!("{etag}{own}.incomplete"))
    }

    /// The commit that a branch or tag stood at when it was last fetched.
    pub(super) fn commit_of(&self, revision: &str) -> Option<String> {
        let commit = fs::read_to_string(self.root.join("refs").join(revision)).ok()?;
        let commit = commit.trim();
        (is_plain_path(commit) && !commit.contains('/')).then(|| commit.to_owned())
    }

    /// Says which commit a branch or tag stands at.
    pub(super) fn write_ref(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        let path = self.root.join("refs").join(revision);
        if self.commit_of(revision).as_deref() != Some(commit) {
            let beside = make_room(&path)?;
            fs::write(&beside, commit)?;
            fs::rename(&beside, &path)?;
        }
        Ok(())
    }

    /// Waits until no other process fetches `etag` and holds it. The lock is the one that Python's client takes.
    pub(super) fn lock(&self, etag: &str, progress: &Progress) -> Result<BlobLock, HubError> {
        fs::create_dir_all(&self.locks)?;
        fs::create_dir_all(self.root.join("blobs"))?;
        let file = fs::File::create(self.locks.join(format!("{etag}.lock")))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(BlobLock { file: Some(file) }),
                Err(TryLockError::WouldBlock) => {
                    progress.detail("waiting for another program that fetches the same");
                    progress.check()?;
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(TryLockError::Error(_)) => return Ok(BlobLock { file: None }),
            }
        }
    }

    /// Makes `name` of `commit` stand for the content `etag`: a relative link, or where there are none a second name or a copy.
    pub(super) fn link(&self, commit: &str, name: &str, etag: &str) -> Result<(), HubError> {
        let (pointer, blob) = (self.pointer(commit, name), self.blob(etag));
        let beside = make_room(&pointer)?;
        let up = "../".repeat(2 + name.matches('/').count());
        if symlink(&format!("{up}blobs/{etag}"), &beside).is_err() && fs::hard_link(&blob, &beside).is_err() {
            fs::copy(&blob, &beside)?;
        }
        fs::rename(&beside, &pointer)?;
        // Two names of one file are not renamed onto each other.
        let _ = fs::remove_file(&beside);
        Ok(())
    }
}

/// Counts the names given, so that no two threads get the same.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Makes the folder of `path` and gives a name beside it that nobody else uses.
fn make_room(path: &Path) -> Result<PathBuf, HubError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()));
    // One may be left of a process of the same number that was killed.
    let _ = fs::remove_file(&beside);
    Ok(beside)
}

#[cfg(unix)]
fn symlink(to: &str, at: &Path) -> std::io::Result<()> {
    fs::os::unix::fs::symlink(to, at)
}

#[cfg(windows)]
fn symlink(to: &str, at: &Path) -> std::io::Result<()> {
    fs::os::windows::fs::symlink_file(to.replace('/', "\\"), at)
}

#[cfg(not(any(unix, windows)))]
fn symlink(_: &str, _: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Bytes free for this user on the disk of `folder`, or of the nearest folder above that exists; `None` where it cannot be told.
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|folder| folder.is_dir())?;
    #[cfg(unix)]
    {
        let disk = rustix::fs::statvfs(there).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = there;
        None
    }
}

/// The snapshot folder of `name` (main revision), if it can be told from its files that the model is there.
pub(in crate::models) fn snapshot(cache: &Path, name: &str) -> Result<PathBuf, ModelError> {
    let repo = Repo::new(cache, name);
    let not_found = |what: String| {
        let hint = format!(
            "{what}; fetch it with `embedlens models download {name}` or in the window's Models dialog, or give a folder that holds the model"
        );
        ModelError::NotFound { id: name.to_owned(), hint }
    };
    let Some(commit) = repo.commit_of("main") else {
        return Err(not_found(format!("the hub's cache {} holds no main revision of it", cache.display())));
    };
    let folder = repo.snapshot(&commit);
    match missing(&folder) {
        None => Ok(folder),
        Some(file) => Err(not_found(format!("its snapshot {} lacks {file}", folder.display()))),
    }
}

/// The first file that a model in `folder` cannot do without and that is not there.
///
/// A model in a subfolder names it in `modules.json`; the folder's reader then says which of its files is missing.
pub(super) fn missing(folder: &Path) -> Option<&'static str> {
    let has = |name: &str| folder.join(name).is_file();
    if !has("config.json") {
        return if has("modules.json") { None } else { Some("config.json") };
    }
    if WEIGHTS.iter().any(|name| has(name)) { None } else { Some(WEIGHTS[0]) }
}

/// Names of the models that have a folder in the cache, in order; odd folders are passed over.
pub(in crate::models) fn names(cache: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(cache) else { return Vec::new() };
    let name_of = |entry: fs::DirEntry| {
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
    fn a_ref_cannot_lead_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let repo = dir.path().join("models--a--b");
        fs::create_dir_all(repo.join("refs")).unwrap();
        fs::create_dir_all(repo.join("snapshots/c")).unwrap();
        for file in ["config.json", "model.safetensors"] {
            fs::write(dir.path().join(file), "{}").unwrap();
        }
        for trick in ["../..", "..", "c/../../..", "/", ".", ""] {
            fs::write(repo.join("refs/main"), trick).unwrap();
            assert!(snapshot(dir.path(), "a/b").is_err(), "{trick}");
        }
        fs::write(repo.join("refs/main"), "c\n").unwrap();
        for file in ["config.json", "model.safetensors"] {
            let e = snapshot(dir.path(), "a/b").unwrap_err().to_string();
            assert!(e.contains(file) && e.contains("embedlens models download a/b"), "{e}");
            fs::write(repo.join("snapshots/c").join(file), "").unwrap();
        }
        assert_eq!(snapshot(dir.path(), "a/b").unwrap(), repo.join("snapshots/c"));
    }

    #[test]
    fn files_are_links_to_their_content() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo::new(dir.path(), "a/b");
        let lock = repo.lock("e1", &Progress::new()).unwrap();
        fs::write(repo.part("e1", &lock), "content").unwrap();
        fs::rename(repo.part("e1", &lock), repo.blob("e1")).unwrap();
        for name in ["config.json", "1_Pooling/config.json", "config.json"] {
            repo.link("c", name, "e1").unwrap();
            assert_eq!(fs::read_to_string(repo.pointer("c", name)).unwrap(), "content");
        }
        #[cfg(unix)]
        assert_eq!(fs::read_link(repo.pointer("c", "1_Pooling/config.json")).unwrap(), Path::new("../../../blobs/e1"));
        let left: Vec<_> = fs::read_dir(repo.snapshot("c")).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left.len(), 2, "{left:?}");
        repo.write_ref("main", "c").unwrap();
        assert_eq!(repo.commit_of("main").unwrap(), "c");
    }

    #[test]
    fn a_held_blob_is_waited_for_until_cancelled() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo::new(dir.path(), "a/b");
        let held = repo.lock("e1", &Progress::new()).unwrap();
        let progress = Progress::new();
        progress.cancel();
        assert!(matches!(repo.lock("e1", &progress), Err(HubError::Cancelled(_))));
        drop(held);
        assert!(repo.lock("e1", &Progress::new()).is_ok());
    }
}
