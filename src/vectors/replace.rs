//! Writing a file so that nobody ever sees half of it: under another name beside it, then renamed.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

/// A file under way: it has another name beside its place until it is kept, and is gone when it is dropped before.
#[derive(Debug)]
pub struct Part {
    target: PathBuf,
    /// `None` where it is written in its place, or kept.
    part: Option<PathBuf>,
    rights: Option<std::fs::Permissions>,
}

impl Part {
    /// Begins a file. A link is followed, and what is no regular file (a pipe) is written to directly.
    ///
    /// # Errors
    /// The file that is there is write-protected.
    pub fn new(path: &Path) -> io::Result<Self> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let before = fs::metadata(&target).ok();
        if before.as_ref().is_some_and(|before| !before.is_file()) {
            return Ok(Self { target, part: None, rights: None });
        }
        let rights = before.map(|before| before.permissions());
        if rights.as_ref().is_some_and(std::fs::Permissions::readonly) {
            let words = format!("{} is write-protected", target.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
        }
        Ok(Self { part: Some(part_name(&target)), target, rights })
    }

    /// Where it is written.
    pub fn path(&self) -> &Path {
        self.part.as_ref().unwrap_or(&self.target)
    }

    /// Gives it its name; what was there is replaced.
    ///
    /// # Errors
    /// It cannot be renamed; nothing is left behind.
    pub fn keep(mut self) -> io::Result<()> {
        if let Some(part) = &self.part {
            if let Some(rights) = self.rights.take() {
                // The file keeps its rights; where that is not to be had, it is still the file that was asked for.
                let _ = fs::set_permissions(part, rights);
            }
            fs::rename(part, &self.target)?;
        }
        self.part = None;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            let _ = fs::remove_file(part);
        }
    }
}

/// Calls `write` with a temporary name in the folder of `path`, then gives the file its name. What was there is replaced only when
/// `write` succeeded; a link is followed, and what is no regular file (a pipe) is written to directly.
///
/// # Errors
/// Those of `write`, or the file cannot be renamed; nothing is left behind.
pub fn replace_file(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let part = Part::new(path)?;
    write(part.path())?;
    part.keep()
}

/// What a writer tells how many more rows it has written, a moment's worth at a time; an error stops it.
pub type Heard<'a> = &'a mut dyn FnMut(u64) -> io::Result<()>;

/// For writers that nobody waits for.
pub fn unheard(_rows: u64) -> io::Result<()> {
    Ok(())
}

/// Rows that are written between two looks at whether they are still wanted: some tens of milliseconds' worth, however slow.
pub(super) fn rows_at_once(dim: usize) -> usize {
    ((1 << 17) / dim.max(1)).max(1)
}

/// A hidden name that no other process uses.
fn part_name(target: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    target.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.txt");
        replace_file(&path, |part| fs::write(part, "one")).unwrap();
        let failed = replace_file(&path, |part| {
            fs::write(part, "half")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no part is left");
        // What is not kept was never there.
        let part = Part::new(&path).unwrap();
        fs::write(part.path(), "two").unwrap();
        drop(part);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        let part = Part::new(&path).unwrap();
        fs::write(part.path(), "three").unwrap();
        part.keep().unwrap();
        assert_eq!(
            (fs::read_to_string(&path).unwrap(), fs::read_dir(dir.path()).unwrap().count()),
            ("three".to_owned(), 1)
        );
    }
}
