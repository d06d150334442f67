//! The items behind rows of vectors: their texts as the file has them, their pictures where they still are.
//!
//! Invariant: a row that nothing is known of is still an item, called by its number.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::FileRows;
use crate::corpus::{self, Chunk, Content, Corpus, CountTokens, Item, ItemId, LoadOptions, Modality, TableColumns};
use crate::models::WordTokens;
use crate::progress::Progress;
#[cfg(feature = "parquet")]
use crate::tasks::format::{Format, format_of};
#[cfg(feature = "parquet")]
use crate::tasks::import;
use crate::tasks::{Environment, Imported, RowInfo, TaskError};

/// Tokens are counted in so many rows between two looks at whether the user has had enough.
const SLICE: usize = 4096;

/// A corpus with an item a row of a file.
pub(super) fn corpus(
    (path, file): (&Path, &Imported),
    roots: &[PathBuf],
    options: &LoadOptions,
    (env, progress): (&Environment, &Progress),
) -> Result<Corpus, TaskError> {
    let mut rows: Vec<&RowInfo> = file.rows.iter().chain(file.left_out.iter().map(|(row, _)| row)).collect();
    rows.sort_by_key(|row| row.row);
    let pictures = pictures(&rows, &file.files, options, (env, progress))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let labelled = rows.iter().any(|row| !row.label.is_empty());
    let maker = Maker { path, name: &name, labelled, pictures: &pictures, files: &file.files };
    progress.stage("Reading rows", "rows", rows.len() as u64);
    let mut made = Vec::with_capacity(rows.len());
    for slice in rows.chunks(SLICE) {
        progress.check()?;
        made.extend(env.run(|| slice.par_iter().map(|row| maker.make(row)).collect::<Vec<_>>()));
        progress.advance(slice.len() as u64);
    }
    let (items, mut chunks): (Vec<Item>, Vec<Chunk>) = made.into_iter().unzip();
    chunks.iter_mut().enumerate().for_each(|(row, chunk)| chunk.item = ItemId(row as u32));
    count_tokens(&items, &mut chunks, (env, progress))?;
    let revision = revision(&items);
    let held = |row: usize| items[row].text().is_some();
    let table: Option<Arc<dyn TableColumns>> = Some(Arc::new(env.run(|| FileRows::new(&rows, held))));
    Ok(Corpus { roots: roots.to_vec(), items, chunks, skipped: Vec::new(), options: options.clone(), revision, table })
}

/// What every item is made with.
struct Maker<'a> {
    /// Where a row lies of which no file is known.
    path: &'a Path,
    /// The files of the set, with their first rows.
    files: &'a [(PathBuf, usize)],
    name: &'a str,
    /// Whether any row has a label.
    labelled: bool,
    /// Pictures by the row of the file, with what the file calls them.
    pictures: &'a HashMap<usize, (String, Item)>,
}

impl Maker<'_> {
    fn make(&self, row: &RowInfo) -> (Item, Chunk) {
        let label = match (row.label.as_str(), self.labelled) {
            ("", false) => self.name.to_owned(),
            ("", true) => "no label".to_owned(),
            (label, _) => label.to_owned(),
        };
        let picture = self.pictures.get(&row.row);
        let called = match picture {
            Some((called, _)) if row.path.is_empty() => called,
            _ => &row.path,
        };
        // The last part of a path or address that is not empty.
        let name = called.rsplit(['/', '\\']).find(|part| !part.trim().is_empty());
        let name = name.map_or_else(|| format!("row {}", row.row), |name| name.trim().to_owned());
        let folder = if self.labelled { format!("{}/{label}", self.name) } else { self.name.to_owned() };
        let picture = picture.map(|(_, item)| item);
        let modality = match (row.modality.as_str(), picture) {
            (_, Some(_)) => Modality::Image,
            ("code", _) => Modality::Code,
            _ => Modality::Text,
        };
        let content =
            picture.map_or_else(|| Content::Text(row.text.as_str().into()), |picture| picture.content.clone());
        let item = Item {
            path: picture
                .map_or_else(|| file_of(self.files, row.row).unwrap_or(self.path).to_owned(), |own| own.path.clone()),
            shown_path: format!("{folder}/{name}"),
            label,
            modality,
            kind: match (row.kind.as_str(), picture) {
                ("", Some(picture)) => picture.kind.clone(),
                ("", None) => "row".to_owned(),
                (kind, _) => kind.to_owned(),
            },
            language: None,
            encoding: None,
            size: if row.size > 0 { row.size } else { picture.map_or(row.text.len() as u64, |picture| picture.size) },
            modified: row.modified.and_then(|at| std::time::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(at))),
            hash: picture.map_or_else(|| *blake3::hash(row.text.as_bytes()).as_bytes(), |picture| picture.hash),
            content,
        };
        let end = item.text().map_or(0, str::len);
        let lines = if end == 0 { (0, 0) } else { (1, row.text.lines().count().max(1) as u32) };
        (item, Chunk { item: ItemId(0), start: 0, end, lines, name: None, tokens: row.tokens })
    }
}

/// The file that a row lies in.
fn file_of(files: &[(PathBuf, usize)], row: usize) -> Option<&Path> {
    let at = files.partition_point(|&(_, first)| first <= row).checked_sub(1)?;
    Some(&files[at].0)
}

/// The pictures of rows, by the row: those inside the files, and those of rows that are pictures, where their path still leads to one,
/// from where the program runs or from the folder of the file.
fn pictures(
    rows: &[&RowInfo],
    files: &[(PathBuf, usize)],
    options: &LoadOptions,
    (env, progress): (&Environment, &Progress),
) -> Result<HashMap<usize, (String, Item)>, TaskError> {
    let mut wanted: HashMap<usize, (String, PathBuf)> = HashMap::new();
    let mut known: HashMap<(&str, &Path), Option<PathBuf>> = HashMap::new();
    for row in rows.iter().filter(|row| row.is_image() && !row.path.is_empty()) {
        let folder = file_of(files, row.row).and_then(Path::parent).unwrap_or(Path::new(""));
        let real = known.entry((row.path.as_str(), folder)).or_insert_with(|| {
            let places = [PathBuf::from(&row.path), folder.join(&row.path)];
            places.iter().find_map(|place| fs_err::canonicalize(place).ok())
        });
        if let Some(real) = real {
            wanted.insert(row.row, (row.path.clone(), real.clone()));
        }
    }
    for (file, first) in files {
        let found = inside(file, (env, progress))?;
        wanted.extend(found.into_iter().map(|(row, picture)| (first + row, picture)));
    }
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let mut paths: Vec<PathBuf> = wanted.values().map(|(_, path)| path.clone()).collect();
    paths.sort();
    paths.dedup();
    // The file names its pictures itself: no rules of ignored or hidden files apply.
    let options = LoadOptions { gitignore: false, hidden: true, ..options.clone() };
    let loaded = env.run(|| corpus::load(&paths, &options, &NoTokens, progress))?;
    let by_path: HashMap<PathBuf, Item> = loaded
        .items
        .into_iter()
        .filter(|item| item.modality == Modality::Image)
        .map(|item| (item.path.clone(), item))
        .collect();
    let found = wanted.into_iter().filter_map(|(row, (name, real))| Some((row, (name, by_path.get(&real)?.clone()))));
    Ok(found.collect())
}

/// The pictures that lie inside a file, kept in the cache from now on: what they are called and where they lie, by the row. Without a
/// cache there is no place for them.
fn inside(
    file: &Path,
    (env, progress): (&Environment, &Progress),
) -> Result<HashMap<usize, (String, PathBuf)>, TaskError> {
    #[cfg(feature = "parquet")]
    if let (Some(cache), Some(Format::Parquet)) = (&env.cache_dir, format_of(file)) {
        let found = import::inside(file, &cache.join("pictures"), progress)?;
        return Ok(found.into_iter().map(|found| (found.row, (found.name, found.path))).collect());
    }
    let _ = (file, env, progress);
    Ok(HashMap::new())
}

/// Counts nothing: for pictures.
struct NoTokens;

impl CountTokens for NoTokens {
    fn fingerprint(&self) -> String {
        String::new()
    }

    fn token_ends(&self, _text: &str) -> Vec<usize> {
        Vec::new()
    }
}

/// Counts the tokens of texts where the file did not say.
fn count_tokens(
    items: &[Item],
    chunks: &mut [Chunk],
    (env, progress): (&Environment, &Progress),
) -> Result<(), TaskError> {
    if chunks.iter().all(|chunk| chunk.tokens > 0 || chunk.end == 0) {
        return Ok(());
    }
    let words: Arc<WordTokens> = WordTokens::bundled()
        .map_err(|source| TaskError::Model { attempted: "open the bundled tokenizer".to_owned(), source })?;
    progress.stage("Counting tokens", "rows", chunks.len() as u64);
    for (items, chunks) in items.chunks(SLICE).zip(chunks.chunks_mut(SLICE)) {
        progress.check()?;
        env.run(|| {
            items.par_iter().zip(chunks.par_iter_mut()).filter(|(_, chunk)| chunk.tokens == 0).for_each(
                |(item, chunk)| {
                    chunk.tokens = item.text().map_or(0, |text| words.token_ends(text).len() as u32);
                },
            );
        });
        progress.advance(items.len() as u64);
    }
    Ok(())
}

/// A hash over what the rows are and say.
fn revision(items: &[Item]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"embedlens rows 1");
    for item in items {
        for field in [item.shown_path.as_bytes(), item.label.as_bytes(), &item.hash] {
            hasher.update(&(field.len() as u64).to_le_bytes());
            hasher.update(field);
        }
    }
    *hasher.finalize().as_bytes()
}
