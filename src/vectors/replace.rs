//! Writing a file so that nobody ever sees half of it: under another name beside it, then renamed.

use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

/// Calls `write` with a temporary name in the folder of `path`, then gives the file its name. What was there is replaced only when
/// `write` succeeded; a link is followed, and what is no regular file (a pipe) is written to directly.
///
/// # Errors
/// Those of `write`, or the file cannot be renamed; nothing is left behind.
pub fn replace_file(path: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let before = fs::metadata(&target).ok();
    if before.as_ref().is_some_and(|before| !before.is_file()) {
        return write(&target);
    }
    if before.as_ref().is_some_and(|before| before.permissions().readonly()) {
        let words = format!("{} is write-protected", target.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, words));
    }
    let part = part_name(&target);
    let written = write(&part).and_then(|()| {
        if let Some(before) = before {
            // The file keeps its rights; where that is not to be had, it is still the file that was asked for.
            let _ = fs::set_permissions(&part, before.permissions());
        }
        fs::rename(&part, &target)
    });
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
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
    }
}
