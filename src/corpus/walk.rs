//! Finding the files: a walk over the roots under the rules of [`LoadOptions`].
//!
//! Opens no file: pipes, sockets and devices are recognised by their type and listed. Invariant: the files come back in
//! order of path, components compared byte by byte, each real file at most once over all roots (hard links are files of
//! their own).

use std::io;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use super::links::{LinkGuard, keep_once};
use super::{LoadError, LoadOptions, SkipReason, Skipped};
use crate::progress::Progress;

/// Name of the file whose patterns (in the syntax of `.gitignore`) keep files out of a corpus and nothing else.
pub const IGNORE_FILE: &str = ".embedignore";

/// Folders in which version control keeps its own state.
const VERSION_CONTROL: [&str; 4] = [".git", ".hg", ".svn", ".jj"];

/// A regular file that was found.
#[derive(Debug)]
pub(super) struct Found {
    /// Where it is, beginning with its root as it was given.
    pub path: PathBuf,
    /// See [`super::Item::shown_path`].
    pub shown_path: String,
    /// See [`super::Item::label`].
    pub label: String,
    /// The outermost link on its way; `None` when there is none.
    pub link: Option<PathBuf>,
    /// It was named itself, not found in a folder.
    pub is_root: bool,
}

/// A root with its real place.
struct Root<'a> {
    given: &'a Path,
    real: PathBuf,
    is_file: bool,
}

/// Finds the files below all roots, and what could not be walked.
pub(super) fn find(
    roots: &[PathBuf],
    options: &LoadOptions,
    progress: &Progress,
) -> Result<(Vec<Found>, Vec<Skipped>), LoadError> {
    progress.stage("Finding files", "files", 0);
    progress.check()?;
    if roots.is_empty() {
        return Err(LoadError::NoRoots);
    }
    let (mut places, mut skipped) = places(roots)?;
    // An outer folder comes before what it holds, so that nested roots show under the outer one's name.
    places.sort_by(|a, b| a.real.cmp(&b.real).then_with(|| a.given.cmp(b.given)));
    places.dedup_by(|a, b| a.real == b.real);

    let mut files = Vec::new();
    for root in &places {
        walk(root, options, progress, (&mut files, &mut skipped))?;
    }
    if places.len() > 1 || files.iter().any(|file: &Found| file.link.is_some()) {
        skipped.extend(keep_once(&mut files, |file| &file.path, |file| file.link.as_deref()));
    }
    leave_out_own_files(&mut files, &mut skipped);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((files, skipped))
}

/// The roots that are there; what is not is listed, and fails only when nothing is there at all.
fn places(roots: &[PathBuf]) -> Result<(Vec<Root<'_>>, Vec<Skipped>), LoadError> {
    let (mut places, mut skipped, mut missing) = (Vec::new(), Vec::new(), None);
    for given in roots {
        match place(given) {
            Ok(root) => places.push(root),
            Err(error) => {
                let gone = error.kind() == io::ErrorKind::NotFound;
                if gone {
                    missing.get_or_insert(given);
                }
                let reason = if gone { SkipReason::Missing } else { reason_of(&error) };
                skipped.push(Skipped { path: given.clone(), reason });
            }
        }
    }
    match missing {
        Some(path) if places.is_empty() => Err(LoadError::MissingRoot { path: path.clone() }),
        _ => Ok((places, skipped)),
    }
}

/// Resolves a root.
fn place(given: &Path) -> io::Result<Root<'_>> {
    let real = fs_err::canonicalize(given)?;
    let is_file = !fs_err::metadata(&real)?.is_dir();
    Ok(Root { given, real, is_file })
}

/// Takes out what `embed` and `project` wrote into the folder, so that their output is not the next run's input. A file that
/// was named itself stays.
fn leave_out_own_files(files: &mut Vec<Found>, skipped: &mut Vec<Skipped>) {
    files.retain(|file| {
        let beside = (!file.is_root).then(|| written_beside(&file.path)).flatten();
        if let Some(name) = &beside {
            skipped.push(Skipped { path: file.path.clone(), reason: SkipReason::OwnOutput { beside: name.clone() } });
        }
        beside.is_none()
    });
}

/// The file beside which Embedlens wrote this one: the vectors of `X.metadata.jsonl` or `X.metadata.tsv`, or the rows of `X.tsv`.
fn written_beside(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let stem = [".metadata.jsonl", ".metadata.tsv"].iter().find_map(|end| name.strip_suffix(end));
    let others: Vec<String> = match (stem, name.strip_suffix(".tsv")) {
        (Some(stem), _) => ["npy", "tsv", "parquet"].iter().map(|end| format!("{stem}.{end}")).collect(),
        (None, Some(stem)) => vec![format!("{stem}.metadata.tsv")],
        (None, None) => return None,
    };
    others.into_iter().find(|other| path.with_file_name(other).is_file())
}

/// Walks one root.
fn walk(
    root: &Root<'_>,
    options: &LoadOptions,
    progress: &Progress,
    (files, skipped): (&mut Vec<Found>, &mut Vec<Skipped>),
) -> Result<(), LoadError> {
    let guard = LinkGuard::default();
    for entry in builder(root, options, &guard).build() {
        progress.check()?;
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let (path, reason) = fault(&error, root.given);
                skipped.push(Skipped { path, reason });
                continue;
            }
        };
        let Some(kind) = entry.file_type() else { continue };
        // The root itself may be a link that is not to be followed elsewhere.
        let is_file = kind.is_file() || (entry.depth() == 0 && root.is_file && root.real.is_file());
        if is_file {
            let link = guard.link_to(entry.path(), entry.path_is_symlink() && entry.depth() > 0);
            files.push(Found { link, ..found(root, entry) });
            progress.advance(1);
        } else if !kind.is_dir() && !kind.is_symlink() {
            skipped.push(Skipped { path: entry.into_path(), reason: SkipReason::NotAFile });
        }
    }
    skipped.extend(guard.take_skipped());
    Ok(())
}

/// The walk's rules.
fn builder(root: &Root<'_>, options: &LoadOptions, guard: &LinkGuard) -> WalkBuilder {
    let rules = options.gitignore;
    let mut builder = WalkBuilder::new(root.given);
    builder
        .standard_filters(false)
        .hidden(!options.hidden)
        .ignore(rules)
        .git_ignore(rules)
        .require_git(false)
        // Rules of outer folders count inside a repository only: a lone "*" in a home folder would hide everything.
        .parents(rules && root.real.ancestors().any(|folder| folder.join(".git").exists()))
        .follow_links(options.follow_links)
        // Of two links to one folder the first in this order is followed, on every file system.
        .sort_by_file_name(std::ffi::OsStr::cmp);
    if rules {
        builder.add_custom_ignore_filename(IGNORE_FILE);
    }
    let (guard, real) = (guard.clone(), root.real.clone());
    builder.filter_entry(move |entry| {
        if entry.depth() == 0 || !entry.file_type().is_some_and(|kind| kind.is_dir()) {
            return true;
        }
        let is_kept_state = rules && VERSION_CONTROL.iter().any(|&name| entry.file_name() == name);
        !is_kept_state && guard.may_enter(entry.path(), entry.path_is_symlink(), &real)
    });
    builder
}

/// Names a file as it will be shown.
fn found(root: &Root<'_>, entry: DirEntry) -> Found {
    let path = entry.into_path();
    let name_of =
        |path: &Path| path.file_name().map_or_else(|| lossy(path), |name| name.to_string_lossy().into_owned());
    // A link keeps the name it was given under; "." and ".." have only their real one.
    let root_name = root.given.file_name().map_or_else(|| name_of(&root.real), |_| name_of(root.given));
    if root.is_file {
        let label = root.real.parent().map(name_of).unwrap_or_default();
        return Found { path, shown_path: root_name, label, link: None, is_root: true };
    }
    let inside = lossy(path.strip_prefix(root.given).unwrap_or(&path));
    let label = inside.rsplit_once('/').map_or_else(|| root_name.clone(), |(folders, _)| folders.to_owned());
    let shown_path = format!("{}/{inside}", root_name.trim_end_matches('/'));
    Found { path, shown_path, label, link: None, is_root: false }
}

/// A path with `/` between its parts; bytes that are no UTF-8 are replaced.
fn lossy(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// What the walker could not enter, and why.
fn fault(error: &ignore::Error, path: &Path) -> (PathBuf, SkipReason) {
    match error {
        ignore::Error::WithPath { path, err } => fault(err, path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => fault(err, path),
        ignore::Error::Loop { child, .. } => (child.clone(), SkipReason::SymlinkLoop),
        ignore::Error::Io(error) => (path.to_path_buf(), reason_at(path, error)),
        other => (path.to_path_buf(), SkipReason::Unreadable { message: other.to_string() }),
    }
}

/// The reason for an error at a path, telling links to nothing and links in a circle apart.
fn reason_at(path: &Path, error: &io::Error) -> SkipReason {
    let is_link = fs_err::symlink_metadata(path).is_ok_and(|data| data.file_type().is_symlink());
    match fs_err::metadata(path) {
        Err(again) if is_link && again.kind() == io::ErrorKind::NotFound => SkipReason::BrokenLink,
        Err(again) if is_link && is_loop(&again) => SkipReason::SymlinkLoop,
        _ => reason_of(error),
    }
}

/// The reason for an error of the file system.
pub(super) fn reason_of(error: &io::Error) -> SkipReason {
    match error.kind() {
        io::ErrorKind::PermissionDenied => SkipReason::NoPermission,
        io::ErrorKind::NotFound => SkipReason::Unreadable { message: "it was gone when it was its turn".to_owned() },
        _ if is_loop(error) => SkipReason::SymlinkLoop,
        // The path stands beside the message already: only the system's own words.
        _ => SkipReason::Unreadable { message: cause(error).unwrap_or(error).to_string() },
    }
}

/// The system's error inside one that was wrapped with its path.
fn cause(error: &io::Error) -> Option<&io::Error> {
    std::error::Error::source(error).and_then(|source| source.downcast_ref())
}

/// Whether the system gave up on a circle of links.
fn is_loop(error: &io::Error) -> bool {
    let code = error.raw_os_error().or_else(|| cause(error).and_then(io::Error::raw_os_error));
    cfg!(unix) && code == Some(rustix::io::Errno::LOOP.raw_os_error())
}
