//! A whole model: what it holds, which of it is missing here, whether there is room, and then file after file.
//!
//! Invariant: a branch's name leads to a snapshot only once every file of it is there.

use std::path::{Path, PathBuf};

use super::cache::{Repo, free_bytes, missing};
use super::client::{About, Client};
use super::error::HubError;
use super::fetch::{Fetcher, Wanted};
use super::listing::{Listing, shards};
use super::names::{is_commit, is_hub_name, is_revision};
use super::options::HubOptions;
use crate::progress::Progress;

/// Bytes of a listing, and of a file that names others, at most.
const LONGEST_LISTING: u64 = 32 << 20;
/// Bytes that stay free on the disk.
const SPARE: u64 = 64 << 20;

/// A model that is in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Its name on the hub.
    pub id: String,
    /// The commit.
    pub commit: String,
    /// Its snapshot's folder.
    pub folder: PathBuf,
    /// Its files, by name below the folder, with their sizes in bytes.
    pub files: Vec<(String, u64)>,
    /// Bytes that came over the network now.
    pub fetched: u64,
}

/// Fetches the model `id` ("ORG/NAME") at `revision` (a branch, a tag or a commit; `None` for the main one) into the hub's cache, and
/// gives its snapshot's folder. What is there already is not fetched again, and what was begun is gone on with. `progress` counts bytes.
///
/// # Errors
/// [`HubError`]; where the network must not be asked, only if something is missing here.
pub fn download(
    id: &str,
    revision: Option<&str>,
    options: &HubOptions,
    progress: &Progress,
) -> Result<Downloaded, HubError> {
    if !is_hub_name(id) {
        let what = "a model's name on the hub: give ORG/NAME, as in BAAI/bge-small-en-v1.5";
        return Err(HubError::Name { name: id.to_owned(), what });
    }
    let revision = revision.unwrap_or("main");
    if !is_revision(revision) {
        let what = "a revision: give a branch, a tag or a commit";
        return Err(HubError::Name { name: revision.to_owned(), what });
    }
    let cache = options.cache.as_deref().ok_or_else(|| HubError::NoCache { id: id.to_owned() })?;
    let repo = Repo::new(cache, id);
    if let Some(why) = &options.offline {
        return offline(id, revision, cache, why);
    }
    let client = Client::new(id, options, progress);
    progress.stage(&format!("Asking {}", client.host()), "files", 0);
    let listing = client.small(&client.info_address(revision), About::Model(revision), LONGEST_LISTING)?;
    let listing = Listing::parse(id, &listing)?.ok_or_else(|| client.answer("something that is no list of files"))?;
    let fetcher = Fetcher { client: &client, repo: &repo, commit: &listing.commit };
    let (names, mut fetched) = plan(&fetcher, &listing)?;
    fetched += fetch_all(&fetcher, &listing, &names, cache)?;
    if revision != listing.commit {
        repo.write_ref(revision, &listing.commit)?;
    }
    let folder = repo.snapshot(&listing.commit);
    Ok(Downloaded { id: id.to_owned(), files: sizes(&folder, &names), commit: listing.commit, folder, fetched })
}

/// Names of the files to have, and the bytes fetched to learn them.
fn plan(fetcher: &Fetcher<'_>, listing: &Listing) -> Result<(Vec<String>, u64), HubError> {
    let (client, mut fetched) = (fetcher.client, 0);
    let mut guide = |name: &str| {
        let Some(listed) = listing.find(name) else { return no_file(client, name) };
        if listed.size.is_some_and(|size| size > LONGEST_LISTING) {
            return Err(client.answer(format!("that {name} is larger than such a file can be")));
        }
        if !fetcher.has(name) {
            fetched += fetcher.fetch(&fetcher.ask(listed)?)?;
        }
        Ok(fs_err::read(fetcher.repo.pointer(fetcher.commit, name))?)
    };
    let modules = listing.find("modules.json").map(|_| guide("modules.json")).transpose()?;
    let plan = listing.plan(client.id, modules.as_deref(), client.options.pickle, &client.page())?;
    let mut names = plan.files;
    for index in &plan.indexes {
        names.extend(shards(client.id, index, &guide(index)?)?);
    }
    Ok((names.into_iter().collect(), fetched))
}

/// Fetches those of `names` that the snapshot lacks.
fn fetch_all(fetcher: &Fetcher<'_>, listing: &Listing, names: &[String], cache: &Path) -> Result<u64, HubError> {
    let (client, progress) = (fetcher.client, fetcher.client.progress);
    let lacking: Vec<&String> = names.iter().filter(|name| !fetcher.has(name)).collect();
    progress.stage(&format!("Asking {}", client.host()), "files", lacking.len() as u64);
    let mut wanted: Vec<Wanted> = Vec::with_capacity(lacking.len());
    for name in lacking {
        progress.check()?;
        wanted.push(fetcher.ask(listing.find(name).map_or_else(|| no_file(client, name), Ok)?)?);
        progress.advance(1);
    }
    let left = wanted.iter().fold(0u64, |sum, wanted| sum.saturating_add(fetcher.left(wanted)));
    if let Some(free) = free_bytes(cache).filter(|&free| free < left.saturating_add(SPARE) && left > 0) {
        return Err(HubError::NoSpace { id: client.id.to_owned(), needed: left, free, folder: cache.to_path_buf() });
    }
    progress.stage(&format!("Downloading {}", client.id), "bytes", left);
    // Small files first: what is wrong with a model shows before its weights have come.
    wanted.sort_by_key(|wanted| wanted.size);
    let mut fetched = 0;
    for wanted in &wanted {
        fetched += fetcher.fetch(wanted)?;
    }
    Ok(fetched)
}

fn no_file<T>(client: &Client<'_>, name: &str) -> Result<T, HubError> {
    let endpoint = client.options.endpoint.clone();
    Err(HubError::NoFile { id: client.id.to_owned(), file: name.to_owned(), endpoint })
}

/// What is in the cache, where the network must not be asked.
fn offline(id: &str, revision: &str, cache: &Path, why: &str) -> Result<Downloaded, HubError> {
    let repo = Repo::new(cache, id);
    let commit = if is_commit(revision) { Some(revision.to_owned()) } else { repo.commit_of(revision) };
    let lacks = |missing: String| HubError::Offline {
        id: id.to_owned(),
        missing,
        cache: cache.to_path_buf(),
        why: why.to_owned(),
    };
    let commit = commit.ok_or_else(|| lacks(format!("revision {revision:?}")))?;
    let folder = repo.snapshot(&commit);
    if let Some(file) = missing(&folder) {
        return Err(lacks(format!("the file {file}")));
    }
    let names = files_below(&folder);
    Ok(Downloaded { id: id.to_owned(), files: sizes(&folder, &names), commit, folder, fetched: 0 })
}

/// Names of all files below a snapshot's folder, in order.
fn files_below(folder: &Path) -> Vec<String> {
    let (mut folders, mut names) = (vec![folder.to_path_buf()], Vec::new());
    while let Some(at) = folders.pop() {
        for entry in fs_err::read_dir(&at).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if let Ok(below) = path.strip_prefix(folder) {
                names.push(below.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    names.sort();
    names
}

fn sizes(folder: &Path, names: &[String]) -> Vec<(String, u64)> {
    let size = |name: &String| fs_err::metadata(folder.join(name)).map_or(0, |file| file.len());
    names.iter().map(|name| (name.clone(), size(name))).collect()
}
