//! The sample corpus inside the binary: a few hundred texts, functions and pictures to begin with.
//!
//! `build.rs` packs `assets/sample` into one blob; here it is unpacked into a folder like any other, so that loading
//! knows no special case. Invariant: the returned folder is complete; a half-written one is never seen under its name.

use std::io;
use std::path::{Path, PathBuf};

/// The packed files: their number, then for each the length of its path, the path, the length of its bytes, the bytes.
/// Lengths are u32, low byte first; paths have `/` between their parts.
static BLOB: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sample.bin"));

/// How many files the sample has; 0 in a build without `assets/sample`.
pub fn file_count() -> usize {
    Files::new(BLOB).count()
}

/// Writes the sample under `dir` once and returns its folder, `dir/sample-<hash>/sample`.
///
/// A folder that is complete is left as it is; a damaged one is made anew. Two programs may do this at the same time.
///
/// # Errors
/// The file system's error with the path, when the folder cannot be written.
pub fn unpack(dir: &Path) -> Result<PathBuf, io::Error> {
    unpack_blob(BLOB, dir)
}

/// Whether a path lies in the sample that [`unpack`] wrote under `dir`.
pub fn holds(dir: &Path, path: &Path) -> bool {
    let real = |path: &Path| fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real(path).starts_with(real(dir).join(name_of(BLOB)).join("sample"))
}

/// Name of the folder that a blob is unpacked in.
fn name_of(blob: &[u8]) -> String {
    format!("sample-{}", &blake3::hash(blob).to_hex()[..8])
}

fn unpack_blob(blob: &[u8], dir: &Path) -> Result<PathBuf, io::Error> {
    let name = name_of(blob);
    let home = dir.join(&name);
    let folder = home.join("sample");
    if is_complete(blob, &folder) {
        return Ok(folder);
    }
    let fresh = dir.join(format!(".{name}-{}", std::process::id()));
    remove(&fresh)?;
    fs_err::create_dir_all(fresh.join("sample"))?;
    for (path, bytes) in Files::new(blob) {
        let path = fresh.join("sample").join(path);
        if let Some(parent) = path.parent() {
            fs_err::create_dir_all(parent)?;
        }
        fs_err::write(path, bytes)?;
    }
    // A damaged folder goes out of the way; a complete one that another program made meanwhile is as good.
    if !is_complete(blob, &folder) {
        remove(&home)?;
    }
    let moved = fs_err::rename(&fresh, &home);
    if is_complete(blob, &folder) {
        remove(&fresh)?;
        return Ok(folder);
    }
    moved.map(|()| folder)
}

/// Whether every file stands in the folder with its size, and no other file.
fn is_complete(blob: &[u8], folder: &Path) -> bool {
    let mut files = 0;
    for (path, bytes) in Files::new(blob) {
        files += 1;
        let size = fs_err::metadata(folder.join(path)).map(|data| data.len());
        if size.ok() != Some(bytes.len() as u64) {
            return false;
        }
    }
    folder.is_dir() && count_files(folder) == files
}

fn count_files(folder: &Path) -> usize {
    let entries = ignore::WalkBuilder::new(folder).standard_filters(false).build();
    entries
        .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_type().is_some_and(|kind| kind.is_file())))
        .count()
}

fn remove(folder: &Path) -> Result<(), io::Error> {
    match fs_err::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Walks through a blob; ends early where it makes no sense.
struct Files<'a> {
    left: usize,
    rest: &'a [u8],
}

impl<'a> Files<'a> {
    fn new(blob: &'a [u8]) -> Self {
        let mut files = Self { left: 0, rest: blob };
        files.left = files.number().unwrap_or(0);
        files
    }

    fn number(&mut self) -> Option<usize> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(u32::from_le_bytes(*bytes) as usize)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }
}

impl<'a> Iterator for Files<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let path = std::str::from_utf8(self.bytes()?).ok()?;
        Some((path, self.bytes()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(files: &[(&str, &str)]) -> Vec<u8> {
        let mut blob = (files.len() as u32).to_le_bytes().to_vec();
        for part in files.iter().flat_map(|(path, text)| [path, text]) {
            blob.extend((part.len() as u32).to_le_bytes());
            blob.extend(part.as_bytes());
        }
        blob
    }

    #[test]
    fn a_sample_is_written_once_and_mended() {
        let dir = tempfile::tempdir().unwrap();
        let blob = blob(&[("texts/a.txt", "alpha"), ("code/b.rs", "fn b() {}")]);
        let folder = unpack_blob(&blob, dir.path()).unwrap();
        assert!(folder.ends_with("sample"));
        assert_eq!(fs_err::read_to_string(folder.join("texts/a.txt")).unwrap(), "alpha");
        assert_eq!(unpack_blob(&blob, dir.path()).unwrap(), folder);
        fs_err::write(folder.join("code/b.rs"), "short").unwrap();
        fs_err::write(folder.join("more.txt"), "stray").unwrap();
        unpack_blob(&blob, dir.path()).unwrap();
        assert_eq!(fs_err::read_to_string(folder.join("code/b.rs")).unwrap(), "fn b() {}");
        assert!(!folder.join("more.txt").exists());
        assert_eq!(fs_err::read_dir(dir.path()).unwrap().count(), 1, "no temporary folder stays");
    }

    #[test]
    fn the_built_in_sample_unpacks() {
        let dir = tempfile::tempdir().unwrap();
        let folder = unpack(dir.path()).unwrap();
        assert_eq!(count_files(&folder), file_count());
    }
}
