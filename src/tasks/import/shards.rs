//! Vectors that lie in several files: which files are one set, and in which order.
//!
//! Looks at names only. Invariant: a folder is a set only where nothing else lies in it, so that a folder of texts or pictures stays one;
//! beside files that are numbered as Hugging Face numbers them (`train-00000-of-00002.parquet`) the data set's card may lie.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Endings of files that are sets, or parts of one, where they lie in a folder: tables of text may be texts there.
const ENDINGS: [&str; 4] = ["parquet", "npy", "npz", "vectors"];
/// Folders within folders that are looked into.
const DEEPEST: usize = 4;
/// Words for parts of a data set, in the order they are read in.
const SPLITS: [&[&str]; 3] = [&["train", "training"], &["validation", "valid", "val", "dev"], &["test", "testing"]];
/// Files that tell of a data set rather than being in it.
const CARDS: [&str; 8] = [
    "dataset_info.json",
    "dataset_infos.json",
    "state.json",
    "croissant.json",
    "readme.md",
    "readme.txt",
    "license",
    "license.txt",
];

/// A set of vectors: a file, a folder of files, or several files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorSet {
    /// What it is called: the file or folder, or `F/train-*-of-00002.parquet`.
    pub path: PathBuf,
    /// What was named: a folder, or files in their order.
    pub paths: Vec<PathBuf>,
}

impl VectorSet {
    /// All of what was named, as one set.
    pub fn one(paths: &[PathBuf]) -> Self {
        Self { path: shown(paths), paths: paths.to_vec() }
    }

    /// The last part of what it is called.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }
}

/// Files and folders of vectors as the sets they are: files that are numbered parts of one whole are one, anything else is one by itself.
pub fn vector_sets(paths: &[PathBuf]) -> Vec<VectorSet> {
    let mut keys: Vec<Option<(PathBuf, Number)>> = Vec::new();
    let mut groups: Vec<Vec<PathBuf>> = Vec::new();
    for path in paths {
        let folder = || path.parent().unwrap_or(Path::new("")).to_owned();
        let key = number(path).filter(|_| !path.is_dir()).map(|number| (folder(), Number { nth: 0, ..number }));
        match keys.iter().position(|other| key.is_some() && *other == key) {
            Some(place) => groups[place].push(path.clone()),
            None => {
                keys.push(key);
                groups.push(vec![path.clone()]);
            }
        }
    }
    groups.iter().map(|paths| VectorSet::one(paths)).collect()
}

/// The files that a folder of vectors holds, in order; `None` for a folder that holds anything else, or no vectors.
pub(in crate::tasks) fn files_of(folder: &Path) -> Option<Vec<PathBuf>> {
    let mut found = Found::default();
    let only_vectors = found.walk(folder, 0);
    let numbered = || found.files.iter().any(|path| number(path).is_some());
    if !only_vectors || found.files.is_empty() || (found.card && !numbered()) {
        return None;
    }
    let mut files = found.files;
    files.sort_by_cached_key(|path| {
        let split = split(path);
        (rank(&split), split, natural(path.strip_prefix(folder).unwrap_or(path)))
    });
    Some(files)
}

#[derive(Default)]
struct Found {
    files: Vec<PathBuf>,
    /// Whether something tells of the data set.
    card: bool,
}

impl Found {
    /// Gathers the files of a folder; false where something else lies in it.
    fn walk(&mut self, folder: &Path, depth: usize) -> bool {
        let Ok(entries) = fs_err::read_dir(folder) else { return false };
        for entry in entries {
            let Ok(path) = entry.map(|entry| entry.path()) else { return false };
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            let ending = path.extension().and_then(OsStr::to_str).map(str::to_lowercase).unwrap_or_default();
            if name.starts_with('.') || name == "_success" {
                continue;
            }
            if path.is_dir() {
                if depth == DEEPEST || !self.walk(&path, depth + 1) {
                    return false;
                }
            } else if stands_beside(&name) {
                continue;
            } else if ENDINGS.contains(&ending.as_str()) {
                self.files.push(path);
            } else if CARDS.contains(&name.as_str()) {
                self.card = true;
            } else {
                return false;
            }
        }
        true
    }
}

/// Whether a file tells of the vectors beside it.
fn stands_beside(name: &str) -> bool {
    let ends = [".metadata.jsonl", ".metadata.tsv", "_metadata.tsv", "-metadata.tsv", ".reduction.npz"];
    ["metadata.jsonl", "metadata.tsv", "meta.tsv"].contains(&name) || ends.iter().any(|end| name.ends_with(end))
}

/// What `train-00003-of-00010.parquet` says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    /// "train".
    pub(super) base: String,
    /// 3.
    pub(super) nth: u64,
    /// 10.
    pub(super) of: u64,
}

/// The number of a file among those that are one whole; older ones have a hash behind it.
pub(super) fn number(path: &Path) -> Option<Number> {
    let stem = path.file_stem()?.to_str()?;
    let (left, right) = stem.rsplit_once("-of-")?;
    let digits = right.find(|c: char| !c.is_ascii_digit()).unwrap_or(right.len());
    let rest = &right[digits..];
    let base = left.trim_end_matches(|c: char| c.is_ascii_digit());
    let nth = left[base.len()..].parse().ok()?;
    let of = right[..digits].parse().ok()?;
    let hash = rest.is_empty() || rest.starts_with('-');
    (hash && nth < of).then(|| Number { base: base.trim_end_matches(['-', '_', '.']).to_owned(), nth, of })
}

/// The part of a data set that a file belongs to, by its name or its folder's; empty where neither says.
pub(super) fn split(path: &Path) -> String {
    let words = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, folder) = (words(path.file_stem()), words(path.parent().and_then(Path::file_name)));
    let base = number(path).map(|number| number.base);
    let counted = !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_digit());
    let named = base.clone().unwrap_or_else(|| stem.clone());
    match () {
        () if rank(&named) < SPLITS.len() => named,
        () if counted || rank(&folder) < SPLITS.len() => folder,
        () => base.unwrap_or_default(),
    }
}

/// Where a part of a data set comes among the others.
fn rank(split: &str) -> usize {
    let split = split.to_lowercase();
    let says = |words: &&[&str]| split.split(['-', '_', '.']).any(|word| words.contains(&word));
    SPLITS.iter().position(says).unwrap_or(SPLITS.len())
}

/// A path in pieces that sort as people count: 2 before 10.
fn natural(path: &Path) -> Vec<(String, u64)> {
    let text = path.to_string_lossy();
    let mut pieces: Vec<(String, u64)> = vec![Default::default()];
    let mut in_digits = false;
    for c in text.chars() {
        if let Some(last) = pieces.last_mut()
            && let Some(digit) = c.to_digit(10)
        {
            last.1 = last.1.saturating_mul(10).saturating_add(digit.into());
            in_digits = true;
            continue;
        }
        if in_digits {
            pieces.push(Default::default());
            in_digits = false;
        }
        if let Some(last) = pieces.last_mut() {
            last.0.push(c);
        }
    }
    pieces
}

/// One sentence on each whole that lacks some of its numbered files.
pub(super) fn lacking(files: &[PathBuf]) -> Vec<String> {
    let mut wholes: Vec<(PathBuf, Number, Vec<u64>)> = Vec::new();
    for path in files {
        let Some(number) = number(path) else { continue };
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let same = |whole: &&mut (PathBuf, Number, Vec<u64>)| {
            whole.0 == folder && whole.1.base == number.base && whole.1.of == number.of
        };
        match wholes.iter_mut().find(same) {
            Some((_, _, there)) => there.push(number.nth),
            None => wholes.push((folder, number.clone(), vec![number.nth])),
        }
    }
    let told = |(_, number, there): (PathBuf, Number, Vec<u64>)| {
        let first = (0..number.of).find(|nth| !there.contains(nth))?;
        let (lack, of) = (number.of - there.len() as u64, number.of);
        let name = if number.base.is_empty() { "the set".to_owned() } else { number.base };
        Some(format!(
            "{lack} of the {of} files of {name} are not here, the first number {first:05}: fetch them to have all rows"
        ))
    };
    wholes.into_iter().filter_map(told).collect()
}

/// What several files are called.
fn shown(paths: &[PathBuf]) -> PathBuf {
    let [first, others @ ..] = paths else { return PathBuf::new() };
    if others.is_empty() {
        return first.clone();
    }
    let name = first.file_name().unwrap_or(first.as_os_str()).to_string_lossy();
    let whole = number(first).filter(|number| {
        others.iter().all(|other| super::shards::number(other).is_some_and(|other| other.base == number.base))
    });
    match whole {
        Some(Number { base, of, .. }) => {
            let ending = first.extension().unwrap_or_default().to_string_lossy();
            let joint = if base.is_empty() { "" } else { "-" };
            first.with_file_name(format!("{base}{joint}*-of-{of:05}.{ending}"))
        }
        None => first.with_file_name(format!("{name} and {} more", others.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            let path = dir.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "").unwrap();
        }
        dir
    }

    fn found(names: &[&str]) -> Option<Vec<String>> {
        let dir = folder(names);
        let shown = |path: PathBuf| path.strip_prefix(dir.path()).unwrap().to_string_lossy().replace('\\', "/");
        files_of(dir.path()).map(|files| files.into_iter().map(shown).collect())
    }

    #[test]
    fn a_folder_of_nothing_but_vectors_is_a_set_in_order() {
        let names = [
            "README.md",
            ".gitattributes",
            "data/test-00000-of-00001.parquet",
            "data/train-00001-of-00002.parquet",
            "data/train-00000-of-00002.parquet",
            "data/validation-00000-of-00001.parquet",
        ];
        let expected = [names[4], names[3], names[5], names[2]].map(ToOwned::to_owned);
        assert_eq!(found(&names).unwrap(), expected);
        let names = ["part_10.npy", "part_2.npy", "part_2.metadata.jsonl", "part_10.npy.reduction.npz"];
        assert_eq!(found(&names).unwrap(), ["part_2.npy", "part_10.npy"]);
        // A card beside a table that is numbered as no data set's is a text.
        assert_eq!(found(&["README.md", "table.parquet"]), None);
        for others in [&["note.md", "train-00000-of-00002.parquet"][..], &["a.npy", "a.jpg"], &["numbers.csv"], &[]] {
            assert_eq!(found(others), None, "{others:?}");
        }
    }

    #[test]
    fn parts_are_named_by_their_files_or_folders() {
        let named = |path: &str| split(Path::new(path));
        assert_eq!(named("data/train-00000-of-00002.parquet"), "train");
        assert_eq!(named("data/train-00000-of-00002-0123abcdef.parquet"), "train");
        assert_eq!(named("default/validation/0000.parquet"), "validation");
        assert_eq!(named("test/data-00000-of-00001.parquet"), "test");
        assert_eq!(named("en/unsupervised-00000-of-00001.parquet"), "unsupervised");
        assert_eq!((named("test.npy"), named("a/vectors.npy")), ("test".to_owned(), String::new()));
    }

    #[test]
    fn numbered_files_of_one_whole_are_one_set() {
        let paths = ["d/a-00000-of-00002.npy", "x.npy", "d/b-00000-of-00002.npy", "d/a-00001-of-00002.npy", "y.npy"];
        let sets = vector_sets(&paths.map(PathBuf::from));
        let shown: Vec<_> = sets.iter().map(|set| (set.name(), set.paths.len())).collect();
        let expected = [("a-*-of-00002.npy", 2), ("x.npy", 1), ("b-00000-of-00002.npy", 1), ("y.npy", 1)];
        assert_eq!(shown, expected.map(|(name, count)| (name.to_owned(), count)));
        assert_eq!(VectorSet::one(&["x.npy", "y.npy"].map(PathBuf::from)).name(), "x.npy and 1 more");
        let lacks =
            lacking(&["a-00000-of-00003.npy", "a-00002-of-00003.npy", "b-00000-of-00001.npy"].map(PathBuf::from));
        assert_eq!(lacks, ["1 of the 3 files of a are not here, the first number 00001: fetch them to have all rows"]);
    }
}
