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

/// Loads a corpus. Files that cannot be read are listed in it. The bundled sample is always whole: no rules of ignored or hidden
/// files count in it.
///
/// # Errors
/// Cancelled; no path; a path that is not there; a tokenizer that cannot be opened.
pub fn load(request: &LoadRequest, env: &Environment, progress: &Progress) -> Result<Corpus, TaskError> {
    let words = WordTokens::bundled()
        .map_err(|source| TaskError::Model { attempted: "open the bundled tokenizer".to_owned(), source })?;
    let counter = BundledCounter(words);
    let mut options = request.options.clone();
    if is_sample(&request.paths, env) {
        (options.gitignore, options.hidden) = (false, false);
    }
    Ok(env.run(|| corpus::load(&request.paths, &options, &counter, progress))?)
}

/// Whether all paths are of the unpacked sample.
fn is_sample(paths: &[PathBuf], env: &Environment) -> bool {
    let homes = [sample_home(env), spare_home()];
    let is_of_sample = |path: &PathBuf| homes.iter().any(|home| corpus::sample::holds(home, path));
    !paths.is_empty() && paths.iter().all(is_of_sample)
}

/// Where the sample is unpacked.
fn sample_home(env: &Environment) -> PathBuf {
    env.cache_dir.clone().unwrap_or_else(spare_home)
}

/// Where it is unpacked when there is no cache folder that can be written.
fn spare_home() -> PathBuf {
    std::env::temp_dir().join("embedlens")
}

/// Unpacks the bundled sample where it is not yet, and returns its folders (texts, code, images) as roots.
///
/// # Errors
/// Neither the cache folder nor the system's folder for temporary files can be written.
pub fn sample_paths(env: &Environment) -> Result<Vec<PathBuf>, TaskError> {
    let unpacked = corpus::sample::unpack(&sample_home(env))
        .or_else(|_| corpus::sample::unpack(&spare_home()))
        .map_err(TaskError::file("unpack the sample"))?;
    let folders: Vec<PathBuf> =
        ["texts", "code", "images"].iter().map(|name| unpacked.join(name)).filter(|path| path.is_dir()).collect();
    Ok(if folders.is_empty() { vec![unpacked] } else { folders })
}

#[cfg(all(test, feature = "bundled-models"))]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_whole_whatever_the_options() {
        let dir = tempfile::tempdir().unwrap();
        let env = Environment { cache_dir: Some(dir.path().to_owned()), ..Environment::default() };
        fs_err::write(dir.path().join(".gitignore"), "*\n").unwrap();
        fs_err::create_dir(dir.path().join(".git")).unwrap();
        let paths = sample_paths(&env).unwrap();
        for hidden in [false, true] {
            let options = LoadOptions { gitignore: true, hidden, ..LoadOptions::default() };
            let corpus = load(&LoadRequest { paths: paths.clone(), options }, &env, &Progress::new()).unwrap();
            assert_eq!((corpus.items.len(), corpus.skipped.len()), (corpus::sample::file_count(), 0));
        }
        assert!(!is_sample(&[dir.path().to_owned()], &env));
    }
}
