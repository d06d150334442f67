//! Whole files kept beside the vector cache: neighbour graphs, and layouts that are under way.
//!
//! Each is written under another name and then renamed, so that a kill leaves the old one or the new one. Knows nothing of what the
//! files hold, and is never the only copy of anything: when the folder grows too large, what was used longest ago goes. Invariant: what
//! is handed out has the bytes that were put there, under that name (a checksum over both).

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs_err as fs;

use crate::vectors::replace_file;

const MAGIC: &[u8; 8] = b"EMBLKEPT";
const VERSION: u32 = 1;
/// Bytes before the content: magic, version, four unused, length, BLAKE3.
const HEADER: usize = 56;
/// After this long, what a killed writer left behind is taken away.
const LEFT_OVER: Duration = Duration::from_secs(3600);

/// A folder of kept files with a limit in bytes.
#[derive(Clone, Debug)]
pub struct Shelf {
    dir: PathBuf,
    limit: u64,
}

/// A file on the shelf that is not what was put there.
#[derive(Debug, thiserror::Error)]
#[error("{} is damaged: {reason}", path.display())]
pub struct Damaged {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl Shelf {
    /// The shelf in `dir`, of at most `limit` bytes. Makes no folder before the first file.
    pub fn new(dir: PathBuf, limit: u64) -> Self {
        Self { dir, limit }
    }

    /// Where a file of that name lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Puts a file there, in the place of one of the same name. What is larger than the shelf is not put.
    ///
    /// # Errors
    /// Those of the file system; what was there before is unharmed.
    pub fn put(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let length: u64 = parts.iter().map(|part| part.len() as u64).sum();
        if length + HEADER as u64 > self.limit {
            return Ok(());
        }
        fs::create_dir_all(&self.dir)?;
        let mut hasher = hasher(name);
        parts.iter().for_each(|part| _ = hasher.update(part));
        let mut header = [0u8; HEADER];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&VERSION.to_le_bytes());
        header[16..24].copy_from_slice(&length.to_le_bytes());
        header[24..].copy_from_slice(hasher.finalize().as_bytes());
        replace_file(&self.path(name), |part| {
            let mut file = fs::File::create(part)?;
            file.write_all(&header)?;
            parts.iter().try_for_each(|bytes| file.write_all(bytes))
        })?;
        self.tidy(name);
        Ok(())
    }

    /// What was put there under that name; `None` where there is nothing, or something of another version. What is damaged is taken
    /// away and told.
    ///
    /// # Errors
    /// It is there and is not whole, or not what was put there.
    pub fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Damaged> {
        let path = self.path(name);
        let Ok(file) = fs::File::open(&path) else { return Ok(None) };
        match read(file, name) {
            Ok(Some(bytes)) => {
                // What is used stays longest. A file system that does not let us only loses that.
                if let Ok(file) = fs::OpenOptions::new().append(true).open(&path) {
                    let _ = file.file().set_modified(SystemTime::now());
                }
                Ok(Some(bytes))
            }
            Ok(None) => Ok(None),
            Err(reason) => {
                self.remove(name);
                Err(Damaged { path, reason: reason.to_string() })
            }
        }
    }

    /// Takes a file away, if it is there.
    pub fn remove(&self, name: &str) {
        let _ = fs::remove_file(self.path(name));
    }

    /// The names of all files, the one used last first.
    pub fn names(&self) -> Vec<String> {
        let mut all = self.files();
        all.sort_by(|a, b| b.used.cmp(&a.used).then_with(|| a.name.cmp(&b.name)));
        all.into_iter().filter(|file| !is_part(&file.name)).map(|file| file.name).collect()
    }

    fn files(&self) -> Vec<Kept> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Vec::new() };
        let kept = |entry: fs::DirEntry| {
            let data = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            let used = data.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            Some(Kept { name: entry.file_name().into_string().ok()?, bytes: data.len(), used })
        };
        entries.flatten().filter_map(kept).collect()
    }

    /// Brings the folder under its limit, and takes away what killed writers left.
    fn tidy(&self, newest: &str) {
        let mut all = self.files();
        all.sort_by_key(|file| file.used);
        let mut bytes: u64 = all.iter().map(|file| file.bytes).sum();
        for file in all {
            let left_over = is_part(&file.name) && file.used.elapsed().is_ok_and(|age| age > LEFT_OVER);
            let too_much = bytes > self.limit && file.name != newest && !is_part(&file.name);
            if left_over || too_much {
                self.remove(&file.name);
                bytes -= file.bytes;
            }
        }
    }
}

struct Kept {
    name: String,
    bytes: u64,
    used: SystemTime,
}

/// Whether it is a file that is still being written, or was when its writer was killed.
fn is_part(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|ending| ending == "part")
}

fn hasher(name: &str) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(name.len() as u64).to_le_bytes());
    hasher.update(name.as_bytes());
    hasher
}

fn read(mut file: fs::File, name: &str) -> io::Result<Option<Vec<u8>>> {
    let wrong = |words: &str| io::Error::new(io::ErrorKind::InvalidData, words.to_owned());
    let mut header = [0u8; HEADER];
    file.read_exact(&mut header).map_err(|_| wrong("it is too short"))?;
    let (mut version, mut length) = ([0; 4], [0; 8]);
    version.copy_from_slice(&header[8..12]);
    length.copy_from_slice(&header[16..24]);
    if header[..8] != *MAGIC {
        return Err(wrong("it was not written by Embedlens"));
    }
    if u32::from_le_bytes(version) != VERSION {
        return Ok(None);
    }
    let size = file.metadata()?.len();
    if u64::from_le_bytes(length) != size - HEADER as u64 {
        return Err(wrong("it is not whole"));
    }
    let mut bytes = Vec::with_capacity(size as usize - HEADER);
    file.read_to_end(&mut bytes)?;
    let mut hasher = hasher(name);
    hasher.update(&bytes);
    if hasher.finalize().as_bytes()[..] != header[24..] {
        return Err(wrong("its checksum is wrong"));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_comes_back_and_what_is_damaged_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(dir.path().join("kept"), 1000);
        assert_eq!(shelf.get("a.bin").unwrap(), None);
        shelf.put("a.bin", &[b"one", b" and ", b"two"]).unwrap();
        assert_eq!(shelf.get("a.bin").unwrap().unwrap(), b"one and two");
        shelf.put("a.bin", &[b"three"]).unwrap();
        assert_eq!(shelf.get("a.bin").unwrap().unwrap(), b"three");
        // Under another name it is foreign.
        fs::copy(shelf.path("a.bin"), shelf.path("b.bin")).unwrap();
        assert!(shelf.get("b.bin").unwrap_err().to_string().contains("checksum"));
        for cut in [0, 20, HEADER, HEADER + 3] {
            shelf.put("a.bin", &[b"three"]).unwrap();
            let whole = fs::read(shelf.path("a.bin")).unwrap();
            fs::write(shelf.path("a.bin"), &whole[..cut]).unwrap();
            assert!(shelf.get("a.bin").is_err(), "cut at {cut}");
            assert_eq!(shelf.get("a.bin").unwrap(), None, "it was taken away");
        }
    }

    #[test]
    fn the_shelf_keeps_to_its_limit_and_what_was_used_last() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(dir.path().to_owned(), 1000);
        for (age, name) in [(30, "old"), (20, "used"), (10, "new")] {
            shelf.put(name, &[&[7; 300 - HEADER]]).unwrap();
            let file = fs::OpenOptions::new().append(true).open(shelf.path(name)).unwrap();
            file.file().set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        assert_eq!(shelf.names(), ["new", "used", "old"]);
        shelf.get("old").unwrap();
        shelf.put("newest", &[&[7; 300]]).unwrap();
        let mut left = shelf.names();
        left.sort();
        assert_eq!(left, ["new", "newest", "old"], "what was used longest ago went");
        shelf.put("far too large", &[&[7; 2000]]).unwrap();
        assert_eq!(shelf.names().len(), 3);
    }
}
