//! Links under control: what a walk that follows symbolic links may enter, and which of a file's paths counts.
//!
//! Without this, links that meet again make the walk exponential and a link to `/` walks the disk. Invariant: a folder is
//! entered at most once through links (and once by its own path), and a file is loaded once, by the path without links
//! where there is one.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{SkipReason, Skipped};

/// What one walk has met of links.
#[derive(Debug, Default)]
struct Seen {
    /// Links to folders that were entered, as they were walked.
    links: HashSet<PathBuf>,
    /// Real places of the folders that were entered through a link.
    entered: HashSet<PathBuf>,
    skipped: Vec<Skipped>,
}

/// Watches over the links of one walk; clones watch together.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkGuard(Arc<Mutex<Seen>>);

impl LinkGuard {
    /// Whether the walk of the folder `root` (its real place) may enter a folder. `is_link`: the path itself is a link.
    pub(super) fn may_enter(&self, folder: &Path, is_link: bool, root: &Path) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_link && !seen.is_below(folder) {
            return true;
        }
        let Ok(real) = fs_err::canonicalize(folder) else { return true };
        if is_link && root.starts_with(&real) {
            seen.skipped.push(Skipped { path: folder.to_owned(), reason: SkipReason::SymlinkLoop });
            return false;
        }
        if !seen.entered.insert(real) {
            seen.skipped.push(Skipped { path: folder.to_owned(), reason: SkipReason::LinkedBefore });
            return false;
        }
        if is_link {
            seen.links.insert(folder.to_owned());
        }
        true
    }

    /// The outermost link on the way to a path; `None` when there is none.
    pub(super) fn link_to(&self, path: &Path, is_link: bool) -> Option<PathBuf> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let outer = path.ancestors().filter(|&folder| seen.links.contains(folder)).last();
        outer.map(Path::to_owned).or_else(|| is_link.then(|| path.to_owned()))
    }

    /// What was not entered, and why.
    pub(super) fn take_skipped(&self) -> Vec<Skipped> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).skipped)
    }
}

impl Seen {
    fn is_below(&self, path: &Path) -> bool {
        !self.links.is_empty() && path.ancestors().any(|folder| self.links.contains(folder))
    }
}

/// Keeps each real file once: `files` come in the order of their roots, with the outermost link on their way. A path without
/// links is preferred, then an earlier root, then the earlier path. Returns the links whose files are loaded by another path.
pub(super) fn keep_once<T>(
    files: &mut Vec<T>,
    path: impl Fn(&T) -> &Path,
    link: impl Fn(&T) -> Option<&Path>,
) -> Vec<Skipped> {
    let mut order: Vec<usize> = (0..files.len()).collect();
    order.sort_by_key(|&at| link(&files[at]).is_some());
    let mut known = HashSet::new();
    let mut keep = vec![false; files.len()];
    let mut twice = BTreeSet::new();
    for at in order {
        let path = path(&files[at]);
        keep[at] = known.insert(fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
        if !keep[at] {
            twice.extend(link(&files[at]).map(Path::to_owned));
        }
    }
    let mut keep = keep.into_iter();
    files.retain(|_| keep.next().unwrap_or(true));
    twice.into_iter().map(|path| Skipped { path, reason: SkipReason::LoadedByAnotherPath }).collect()
}
