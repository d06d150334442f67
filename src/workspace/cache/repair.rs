//! What happens to damaged files: set aside under `damaged/`, told, and their sound rows kept.
//!
//! Nothing here deletes what could still be read, except segments that a sound index does not name: those were left by a kill.
//! Invariant: after a repair no row in the index lies in a file that was set aside.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::index::{self, Index};
use super::lookup::CachedRow;
use super::segment::{self, Kind, SegmentReader};
use super::{CacheError, ModelSpace, VectorCache, salvage};

const DAMAGED: &str = "damaged";

/// Held while files are set aside or tidied up, by one process at a time; let go when dropped.
pub(super) fn lock(dir: &Path) -> io::Result<fs::File> {
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(dir.join("lock"))?;
    // A file system without locks is used as if by one process.
    let _ = file.file().lock();
    Ok(file)
}

/// Moves one file of the cache into `damaged/`, under a name that tells when.
fn set_aside(dir: &Path, name: &str, when: u128) -> io::Result<PathBuf> {
    let damaged = dir.join(DAMAGED);
    fs::create_dir_all(&damaged)?;
    let target = damaged.join(format!("{when}-{name}"));
    fs::rename(dir.join(name), &target)?;
    Ok(target)
}

/// Sets a damaged index aside and begins a new one with what can still be read of it. Segments that then have no name are set
/// aside too. Returns what to tell the user.
pub(super) fn renew_index(dir: &Path, why: &rusqlite::Error) -> Result<(Index, Vec<String>), CacheError> {
    let when = super::unix_millis();
    let old = set_aside(dir, index::FILE, when)?;
    for journal in ["-wal", "-shm"] {
        let name = format!("{}{journal}", index::FILE);
        if dir.join(&name).exists() {
            set_aside(dir, &name, when)?;
        }
    }
    let failed = |source| CacheError::Index { path: dir.join(index::FILE), source };
    let saved = salvage::read(&old, dir);
    let mut index = Index::open(dir).map_err(failed)?;
    index.adopt(&saved).map_err(failed)?;
    let mut messages = vec![format!(
        "The index of the vector cache was damaged ({why}). It was set aside as {} and a new one begun, with {} of its rows; \
         what is missing is embedded again.",
        old.display(),
        saved.rows.len()
    )];
    messages.extend(tidy(dir, &index, |name| set_aside(dir, name, when).is_ok()).map(|moved| {
        format!(
            "Set {moved} vector files aside that the damaged index no longer names ({}).",
            dir.join(DAMAGED).display()
        )
    }));
    Ok((index, messages))
}

/// Removes segments that the index does not name and no process is writing: left by a kill.
pub(super) fn remove_left_overs(dir: &Path, index: &Index) -> Option<String> {
    tidy(dir, index, |name| fs::remove_file(dir.join(name)).is_ok())
        .map(|removed| format!("Removed {removed} vector files from the cache that its index does not name."))
}

/// Calls `away` with each segment that the index does not name and no process is writing; how many with rows went.
fn tidy(dir: &Path, index: &Index, away: impl Fn(&str) -> bool) -> Option<usize> {
    let known: BTreeSet<String> = index.all_segments().ok()?.into_iter().collect();
    let mut gone = 0;
    for entry in fs::read_dir(dir).ok()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(&format!(".{}", segment::ENDING)) || known.contains(&name) {
            continue;
        }
        let Ok(file) = fs::File::open(entry.path()) else { continue };
        let long = file.metadata().is_ok_and(|meta| meta.len() > segment::HEADER);
        if file.file().try_lock().is_err() {
            continue;
        }
        // Its writer may have named and closed it since the names were read.
        let named = index.all_segments().map_or(true, |names| names.contains(&name));
        if !named && away(&name) && long {
            gone += 1;
        }
    }
    (gone > 0).then_some(gone)
}

impl VectorCache {
    /// Sets damaged segments aside and stores the rows of theirs that are sound in a new one.
    pub(super) fn repair(&self, bad: &BTreeSet<i64>, kind: &Kind) -> Result<(), CacheError> {
        let _lock = lock(&self.dir)?;
        let names = self.index().segments_of(kind).map_err(|error| self.index_error(error))?;
        for &id in bad {
            // Another process may have been faster.
            let Some(name) = names.get(&id) else { continue };
            let rows = self.index().rows_in(id).map_err(|error| self.index_error(error))?;
            let total = rows.len();
            let mut writer = self.writer(&ModelSpace(*kind));
            if let Ok(reader) = SegmentReader::open(self.dir.join(name), kind) {
                for (key, place) in rows.into_iter().filter(|(_, place)| place.row < reader.rows) {
                    let Ok(bytes) = reader.read(place.row, 1, kind) else { continue };
                    if segment::checksum(&bytes) == place.checksum {
                        let values: Vec<f32> = bytes
                            .chunks_exact(4)
                            .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]))
                            .collect();
                        writer.push(
                            key,
                            &values,
                            &CachedRow { tokens: place.tokens, cut: place.cut, note: place.note },
                        );
                    }
                }
            }
            let kept = writer.pending();
            // First the new rows, which take the place of the old: a failure here loses nothing.
            writer.commit()?;
            self.index().forget(id).map_err(|error| self.index_error(error))?;
            let fate = match set_aside(&self.dir, name, super::unix_millis()) {
                Ok(target) => format!("was damaged and set aside as {}", target.display()),
                Err(_) => "was gone".to_owned(),
            };
            self.tell(format!(
                "The vector file {name} of the cache {fate}; {kept} of its {total} vectors were kept, the others are embedded again."
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CacheReport, KeyMaker, RowKey};
    use super::*;

    const SPACE: (usize, &str) = (3, "model");

    fn key(n: usize) -> RowKey {
        KeyMaker::new("model", "").text(&n.to_string())
    }

    fn vector(n: usize) -> [f32; 3] {
        [n as f32, 0.5, -(n as f32)]
    }

    fn filled(dir: &Path, rows: usize) -> VectorCache {
        let cache = VectorCache::open(dir).unwrap();
        let mut writer = cache.writer(&ModelSpace::new(SPACE.0, SPACE.1));
        for n in 0..rows {
            writer.push(key(n), &vector(n), &CachedRow { tokens: n as u32, cut: 1, note: format!("note {n}") });
        }
        writer.commit().unwrap();
        drop(writer);
        cache
    }

    /// Which of the first `rows` rows are there; each that is must be the right one.
    fn there(cache: &VectorCache, rows: usize) -> Vec<usize> {
        let keys: Vec<RowKey> = (0..rows).map(key).collect();
        let found = cache.find(&keys, &ModelSpace::new(SPACE.0, SPACE.1)).unwrap();
        let here: Vec<usize> = (0..rows).filter(|&n| found.rows[n].is_some()).collect();
        for &n in &here {
            assert_eq!(found.values[n * 3..n * 3 + 3], vector(n));
            let noted = CachedRow { tokens: n as u32, cut: 1, note: format!("note {n}") };
            assert_eq!(found.rows[n].as_ref(), Some(&noted));
        }
        here
    }

    fn segment_in(dir: &Path) -> PathBuf {
        let mut found = fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path());
        found.find(|path| path.extension().is_some_and(|end| end == segment::ENDING)).unwrap()
    }

    fn set_aside_in(dir: &Path) -> usize {
        fs::read_dir(dir.join(DAMAGED)).map_or(0, Iterator::count)
    }

    #[test]
    fn what_was_committed_is_found_by_the_next_process() {
        let dir = tempfile::tempdir().unwrap();
        drop(filled(dir.path(), 3000));
        let cache = VectorCache::open(dir.path()).unwrap();
        assert_eq!(there(&cache, 3010), (0..3000).collect::<Vec<_>>());
        assert_eq!(cache.report(), CacheReport::default());
        let other = cache.find(&[key(1)], &ModelSpace::new(3, "another model")).unwrap();
        assert_eq!(other.rows, [None]);
    }

    #[test]
    fn two_writers_at_once_do_not_disturb_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let first = filled(dir.path(), 10);
        let second = VectorCache::open(dir.path()).unwrap();
        let space = ModelSpace::new(SPACE.0, SPACE.1);
        let (mut one, mut two) = (first.writer(&space), second.writer(&space));
        for n in 10..20 {
            let row = CachedRow { tokens: n as u32, cut: 1, note: format!("note {n}") };
            if n % 2 == 0 {
                one.push(key(n), &vector(n), &row);
            } else {
                two.push(key(n), &vector(n), &row);
            }
            one.commit().unwrap();
            two.commit().unwrap();
        }
        assert_eq!(there(&first, 20).len(), 20);
        assert_eq!(there(&second, 20).len(), 20);
    }

    #[test]
    fn an_index_that_is_no_database_is_set_aside() {
        let dir = tempfile::tempdir().unwrap();
        drop(filled(dir.path(), 10));
        fs::write(dir.path().join(index::FILE), b"this is not a database, however long one looks at it").unwrap();
        let cache = VectorCache::open(dir.path()).unwrap();
        assert_eq!(there(&cache, 10), [] as [usize; 0]);
        assert!(cache.report().messages[0].contains("set aside"), "{:?}", cache.report());
        assert_eq!(set_aside_in(dir.path()), 2, "the index and the segment it named: nothing is deleted");
        drop(cache);
        drop(filled(dir.path(), 10));
        assert_eq!(there(&VectorCache::open(dir.path()).unwrap(), 10).len(), 10);
    }

    #[test]
    fn a_bad_page_in_the_index_costs_few_rows() {
        let dir = tempfile::tempdir().unwrap();
        drop(filled(dir.path(), 5000));
        let path = dir.path().join(index::FILE);
        let mut bytes = fs::read(&path).unwrap();
        let pages = bytes.len() / 4096;
        bytes[pages / 2 * 4096..][..4096].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        let cache = VectorCache::open(dir.path()).unwrap();
        let found = there(&cache, 5000).len();
        assert!((4500..5000).contains(&found), "{found} of 5000");
        assert!(cache.report().messages[0].contains("set aside"), "{:?}", cache.report());
        assert_eq!(cache.report().messages.len(), 1, "the segment keeps its name: {:?}", cache.report());
        // What is written next must not be mixed up with what was saved.
        let mut writer = cache.writer(&ModelSpace::new(SPACE.0, SPACE.1));
        for n in 0..5000 {
            writer.push(key(n), &vector(n), &CachedRow { tokens: n as u32, cut: 1, note: format!("note {n}") });
        }
        writer.commit().unwrap();
        drop(writer);
        drop(cache);
        let cache = VectorCache::open(dir.path()).unwrap();
        assert_eq!((there(&cache, 5000).len(), cache.report()), (5000, CacheReport::default()));
    }

    #[test]
    fn a_truncated_segment_keeps_its_whole_rows() {
        let dir = tempfile::tempdir().unwrap();
        drop(filled(dir.path(), 10));
        let path = segment_in(dir.path());
        fs::OpenOptions::new().write(true).open(path).unwrap().set_len(segment::HEADER + 4 * 12 + 5).unwrap();
        let cache = VectorCache::open(dir.path()).unwrap();
        assert_eq!(there(&cache, 10), [0, 1, 2, 3]);
        assert!(cache.report().messages[0].contains("4 of its 10"), "{:?}", cache.report());
        assert_eq!(set_aside_in(dir.path()), 1);
    }

    #[test]
    fn a_changed_bit_costs_one_row_and_a_bad_header_all() {
        let dir = tempfile::tempdir().unwrap();
        drop(filled(dir.path(), 10));
        let path = segment_in(dir.path());
        let mut bytes = fs::read(&path).unwrap();
        bytes[segment::HEADER as usize + 7 * 12 + 1] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let cache = VectorCache::open(dir.path()).unwrap();
        assert_eq!(there(&cache, 10), [0, 1, 2, 3, 4, 5, 6, 8, 9]);
        drop(cache);
        let path = segment_in(dir.path());
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] = 0;
        fs::write(&path, &bytes).unwrap();
        let cache = VectorCache::open(dir.path()).unwrap();
        assert_eq!(there(&cache, 10), [] as [usize; 0]);
        assert_eq!(set_aside_in(dir.path()), 2);
    }

    #[test]
    fn uncommitted_rows_are_lost_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let cache = filled(dir.path(), 5);
        let mut writer = cache.writer(&ModelSpace::new(SPACE.0, SPACE.1));
        writer.push(key(5), &vector(5), &CachedRow::default());
        drop(writer);
        drop(cache);
        assert_eq!(there(&VectorCache::open(dir.path()).unwrap(), 6), [0, 1, 2, 3, 4]);
    }
}
