//! Vectors on disk, so that the same text or picture is embedded once.
//!
//! An SQLite index says where each row's vector lies in append-only segment files. Several processes may use one cache at
//! once, each writing segments of its own. The cache is never the only copy of anything: whatever is damaged is set aside
//! under `damaged/`, told in the [`CacheReport`], and its sound rows are kept. Invariant: a vector that is handed out
//! has the bytes that were stored (each row carries a checksum).

mod index;
mod key;
mod lookup;
mod repair;
mod salvage;
mod segment;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use fs_err as fs;

use index::Index;
pub use key::{KeyMaker, RowKey};
pub use lookup::{CachedRow, Found};
use segment::Kind;
pub use writer::CacheWriter;

/// What the cache has to tell the user: damage found and what became of it. Empty when all was well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheReport {
    /// Whole sentences, in the order they happened.
    pub messages: Vec<String>,
}

/// Why the cache could not be used. The work goes on without it.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The file system said no.
    #[error("the cache cannot be used: {0}")]
    Io(#[from] std::io::Error),
    /// The index said no.
    #[error("the cache's index {path} cannot be used: {source}")]
    Index {
        /// The index file.
        path: PathBuf,
        /// SQLite's words.
        source: rusqlite::Error,
    },
}

/// The vectors of one model in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelSpace(Kind);

impl ModelSpace {
    /// `dim` values a vector, made by the model with this fingerprint.
    pub fn new(dim: usize, fingerprint: &str) -> Self {
        Self(Kind { dim: dim as u32, model: *blake3::hash(fingerprint.as_bytes()).as_bytes() })
    }
}

/// An open cache.
#[derive(Debug)]
pub struct VectorCache {
    dir: PathBuf,
    index: Mutex<Index>,
    messages: Mutex<Vec<String>>,
}

impl VectorCache {
    /// Opens the cache in `dir`, making the folder where it is missing. A damaged index is set aside and a new one begun.
    ///
    /// # Errors
    /// The folder cannot be made or written to, or the index stays locked by another process for ten seconds.
    pub fn open(dir: &Path) -> Result<Self, CacheError> {
        fs::create_dir_all(dir)?;
        let _lock = repair::lock(dir)?;
        let mut messages = Vec::new();
        let index = match Index::open(dir) {
            Err(error) if index::is_damage(&error) => {
                let (index, told) = repair::renew_index(dir, &error)?;
                messages.extend(told);
                index
            }
            other => other.map_err(|source| CacheError::Index { path: dir.join(index::FILE), source })?,
        };
        messages.extend(repair::remove_left_overs(dir, &index));
        Ok(Self { dir: dir.to_owned(), index: Mutex::new(index), messages: Mutex::new(messages) })
    }

    /// What there was to tell since it was opened.
    pub fn report(&self) -> CacheReport {
        CacheReport { messages: self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone() }
    }

    /// The folder it lies in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, message: String) {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }

    fn index_error(&self, source: rusqlite::Error) -> CacheError {
        CacheError::Index { path: self.dir.join(index::FILE), source }
    }
}

/// Milliseconds since 1970.
fn unix_millis() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis())
}
