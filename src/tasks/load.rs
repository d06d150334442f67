//! Loading: folders and files into a corpus, cut by the bundled tokenizer.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Environment, TaskError};
use crate::corpus::{self, Corpus, CountTokens, LoadOptions};
use crate::models::WordTokens;
use crate::progress::Progress;

/// What to load, and how.
#[derive(Clone, Debug, Default)]
pub struct LoadRequest {
    /// Folders and files.
    pub paths: Vec<PathBuf>,
    /// How they are read and cut.
    pub options: LoadOptions,
}

/// The bundled tokenizer as the chunker's counter.
struct BundledCounter(Arc<WordTokens>);

impl CountTokens for BundledCounter {
    fn fingerprint(&self) -> String {
        self.0.fingerprint().to_owned()
    }

    fn token_ends(&self, text: &str) -> Vec<usize> {
        self.0.token_ends(text)
    }
}

/// Loads a corpus. Files that cannot be read are listed in it.
///
/// # Errors
/// Cancelled; no path; a path that is not there; a tokenizer that cannot be opened.
pub fn load(request: &LoadRequest, env: &Environment, progress: &Progress) -> Result<Corpus, TaskError> {
    let words = WordTokens::bundled()
        .map_err(|source| TaskError::Model { attempted: "open the bundled tokenizer".to_owned(), source })?;
    let counter = BundledCounter(words);
    Ok(env.run(|| corpus::load(&request.paths, &request.options, &counter, progress))?)
}

/// Unpacks the bundled sample where it is not yet, and returns its folders (texts, code, images) as roots.
///
/// # Errors
/// Neither the cache folder nor the system's folder for temporary files can be written.
pub fn sample_paths(env: &Environment) -> Result<Vec<PathBuf>, TaskError> {
    let dir = env.cache_dir.clone().unwrap_or_else(|| std::env::temp_dir().join("embedlens"));
    let unpacked = corpus::sample::unpack(&dir)
        .or_else(|_| corpus::sample::unpack(&std::env::temp_dir().join("embedlens")))
        .map_err(TaskError::file("unpack the sample"))?;
    let folders: Vec<PathBuf> =
        ["texts", "code", "images"].iter().map(|name| unpacked.join(name)).filter(|path| path.is_dir()).collect();
    Ok(if folders.is_empty() { vec![unpacked] } else { folders })
}
