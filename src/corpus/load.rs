//! Loading: from chosen folders and files to a corpus.
//!
//! Only orders the work (find, read in parallel, number, hash); what a file is and how it is cut is decided in the
//! neighbouring modules. Invariant: the same files, options and counter give the same corpus at any number of threads.

use std::path::PathBuf;

use rayon::prelude::*;

use super::read::{Outcome, Reader};
use super::walk::{Found, find};
use super::{Chunk, Corpus, CountTokens, Item, ItemId, LoadOptions, SkipReason, Skipped};
use crate::progress::{Cancelled, Progress};

/// Why nothing could be loaded at all. The fault of a single file is never one of these: it lands in
/// [`Corpus::skipped`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Stopped by the user.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// No folder and no file was named.
    #[error("nothing to load: name at least one folder or file")]
    NoRoots,
    /// The folder or file that was named is not there, nor any other that was.
    #[error("there is no folder or file \"{}\": check the spelling, or whether the disk it lies on is mounted", .path.display())]
    MissingRoot {
        /// The path as it was given.
        path: PathBuf,
    },
}

/// Loads folders and files into a corpus.
///
/// `roots` may coincide, nest, be links, or be single files; no file is loaded twice. Files that cannot be read or make
/// no sense are listed in [`Corpus::skipped`] with the reason. An existing but empty folder gives an empty corpus.
/// Stages of `progress`: "Finding files" (total not known), "Reading files".
///
/// # Errors
/// [`LoadError`]: cancelled, no root given, or none of the roots exists (one that does not among others is listed).
pub fn load(
    roots: &[PathBuf],
    options: &LoadOptions,
    tokens: &dyn CountTokens,
    progress: &Progress,
) -> Result<Corpus, LoadError> {
    let (files, mut skipped) = find(roots, options, progress)?;
    progress.stage("Reading files", "files", files.len() as u64);
    let reader = Reader { options, tokens };
    let outcomes = read_all(&reader, &files, progress)?;

    let mut corpus = Corpus { roots: roots.to_vec(), options: options.clone(), ..Corpus::default() };
    for (found, outcome) in files.into_iter().zip(outcomes) {
        match outcome {
            Outcome::Read(item, chunks) => add(&mut corpus, *item, chunks),
            Outcome::Rows(rows, lost) => {
                rows.into_iter().for_each(|(item, chunks)| add(&mut corpus, item, chunks));
                skipped.extend(lost.map(|reason| Skipped { path: found.path, reason }));
            }
            Outcome::Skipped(reason) => skipped.push(Skipped { path: found.path, reason }),
            Outcome::Later => {
                let reason = SkipReason::Unreadable { message: "it was left unread".to_owned() };
                skipped.push(Skipped { path: found.path, reason });
            }
        }
    }
    skipped.sort_by(|a, b| a.path.cmp(&b.path));
    skipped.dedup();
    corpus.skipped = skipped;
    corpus.revision = revision(&corpus, tokens);
    Ok(corpus)
}

/// Reads all files in parallel, then the few very large pictures one after the other, so that memory stays bounded.
fn read_all(reader: &Reader<'_>, files: &[Found], progress: &Progress) -> Result<Vec<Outcome>, Cancelled> {
    let read = |found: &Found| -> Result<Outcome, Cancelled> {
        progress.check()?;
        let outcome = reader.read(found, false);
        if !matches!(outcome, Outcome::Later) {
            progress.advance(1);
        }
        Ok(outcome)
    };
    let mut outcomes = files.par_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    for (found, outcome) in files.iter().zip(&mut outcomes) {
        if matches!(outcome, Outcome::Later) {
            progress.check()?;
            *outcome = reader.read(found, true);
            progress.advance(1);
        }
    }
    Ok(outcomes)
}

/// Adds an item and its chunks at the end.
fn add(corpus: &mut Corpus, item: Item, chunks: Vec<Chunk>) {
    let id = ItemId(corpus.items.len() as u32);
    corpus.items.push(item);
    corpus.chunks.extend(chunks.into_iter().map(|chunk| Chunk { item: id, ..chunk }));
}

/// The revision: a hash over what decides which rows there are and what they say. Where the folders lie on the disk
/// does not count.
fn revision(corpus: &Corpus, tokens: &dyn CountTokens) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut field = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    field(b"embedlens corpus 1");
    field(tokens.fingerprint().as_bytes());
    field(format!("{:?}", corpus.options).as_bytes());
    for item in &corpus.items {
        field(item.shown_path.as_bytes());
        field(item.label.as_bytes());
        field(&item.hash);
    }
    let mut ranges = Vec::with_capacity(corpus.chunks.len() * 20);
    for chunk in &corpus.chunks {
        ranges.extend_from_slice(&chunk.item.0.to_le_bytes());
        ranges.extend_from_slice(&(chunk.start as u64).to_le_bytes());
        ranges.extend_from_slice(&(chunk.end as u64).to_le_bytes());
    }
    field(&ranges);
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::testing::WordCount;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join("notes").join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn paths_labels_and_order_are_as_promised() {
        let dir = folder(&[("soups/hot/lentil.md", "# Lentil"), ("soups.txt", "list"), ("a.txt", "first")]);
        let corpus = load(&[dir.path().join("notes")], &LoadOptions::default(), &WordCount, &Progress::new()).unwrap();
        let seen: Vec<_> = corpus.items.iter().map(|item| (item.shown_path.as_str(), item.label.as_str())).collect();
        let expected =
            [("notes/a.txt", "notes"), ("notes/soups/hot/lentil.md", "soups/hot"), ("notes/soups.txt", "notes")];
        assert_eq!(seen, expected);
        assert_eq!(corpus.chunks.len(), 3);
    }

    #[test]
    fn roots_that_nest_or_coincide_load_once() {
        let dir = folder(&[("soups/a.txt", "one"), ("b.txt", "two")]);
        let notes = dir.path().join("notes");
        let roots = [notes.join("soups"), notes.clone(), notes.join("soups/../soups"), notes.join("b.txt")];
        let corpus = load(&roots, &LoadOptions::default(), &WordCount, &Progress::new()).unwrap();
        assert_eq!(corpus.items.len(), 2);
        assert_eq!(corpus.items[1].shown_path, "notes/soups/a.txt");
    }

    #[test]
    fn a_missing_root_is_named() {
        let error = load(&[PathBuf::from("no/such")], &LoadOptions::default(), &WordCount, &Progress::new());
        assert!(error.unwrap_err().to_string().contains("no/such"));
        let none = load(&[], &LoadOptions::default(), &WordCount, &Progress::new());
        assert_eq!(none.unwrap_err(), LoadError::NoRoots);
    }

    #[test]
    fn cancelling_stops() {
        let dir = folder(&[("a.txt", "one")]);
        let progress = Progress::new();
        progress.cancel();
        let result = load(&[dir.path().to_path_buf()], &LoadOptions::default(), &WordCount, &progress);
        assert_eq!(result.unwrap_err(), LoadError::Cancelled(Cancelled));
    }

    #[test]
    fn the_revision_follows_content_options_and_place_in_the_folder_only() {
        let revision_of = |files: &[(&str, &str)], options: &LoadOptions| {
            let dir = folder(files);
            load(&[dir.path().join("notes")], options, &WordCount, &Progress::new()).unwrap().revision
        };
        let options = LoadOptions::default();
        let base = revision_of(&[("a.txt", "one")], &options);
        assert_eq!(base, revision_of(&[("a.txt", "one")], &options));
        assert_ne!(base, revision_of(&[("a.txt", "two")], &options));
        assert_ne!(base, revision_of(&[("b.txt", "one")], &options));
        assert_ne!(base, revision_of(&[("a.txt", "one")], &LoadOptions { chunk_tokens: 90, ..options }));
    }
}
