//! Writing results while the user may have had enough of it.
//!
//! Knows no formats. Invariant: of several files that belong together either all have their names in the end or none has, and what was
//! there under these names stays until then.

use std::io;
use std::path::Path;

use super::{TaskError, forget_reduction};
use crate::progress::Progress;
use crate::vectors::{Heard, Part};

/// Puts a result into a file under way, telling how far it is.
pub(super) type Fill<'a> = &'a dyn Fn(&Path, Heard<'_>) -> io::Result<()>;

/// One file of a result.
pub(super) struct Saved<'a> {
    /// Its name in the end.
    pub(super) path: &'a Path,
    /// Rows of it.
    pub(super) rows: usize,
    /// Writes it.
    pub(super) fill: Fill<'a>,
}

/// Writes files that belong together. Stage of each: "Writing FILE", in rows.
///
/// # Errors
/// Cancelled; one of them cannot be written.
pub(super) fn save(files: &[Saved<'_>], progress: &Progress) -> Result<(), TaskError> {
    keep(files, None, progress)
}

/// As [`save`], where the first is a file of vectors: what tells how those of before were made is removed.
///
/// # Errors
/// Those of [`save`].
pub(super) fn save_vectors(files: &[Saved<'_>], progress: &Progress) -> Result<(), TaskError> {
    keep(files, files.first().map(|file| file.path), progress)
}

fn keep(files: &[Saved<'_>], forget: Option<&Path>, progress: &Progress) -> Result<(), TaskError> {
    let failed = |file: &Saved<'_>, source: io::Error| match progress.check() {
        Err(cancelled) => TaskError::from(cancelled),
        Ok(()) => TaskError::File { attempted: format!("write {}", file.path.display()), source },
    };
    let mut parts = Vec::with_capacity(files.len());
    for file in files {
        let name = file.path.file_name().unwrap_or(file.path.as_os_str()).to_string_lossy();
        progress.stage(&format!("Writing {name}"), "rows", file.rows as u64);
        let mut heard = |rows| {
            progress.advance(rows);
            progress.check().map_err(io::Error::other)
        };
        let part = Part::new(file.path).map_err(|error| failed(file, error))?;
        (file.fill)(part.path(), &mut heard).map_err(|error| failed(file, error))?;
        parts.push(part);
    }
    progress.check()?;
    forget.map(forget_reduction).transpose()?;
    for (part, file) in parts.into_iter().zip(files) {
        part.keep().map_err(|error| failed(file, error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stops_it_finds_everything_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| dir.path().join(name));
        let names = || fs_err::read_dir(dir.path()).unwrap().count();
        let write = |text: &'static str, stop: Option<&'static str>, progress: &Progress| {
            let fill = |part: &Path, heard: Heard<'_>| {
                fs_err::write(part, text)?;
                if stop.is_some_and(|name| part.to_string_lossy().contains(name)) {
                    progress.cancel();
                }
                heard(1)
            };
            let files = [&one, &two].map(|path| Saved { path, rows: 1, fill: &fill });
            save(&files, progress)
        };
        for stop in ["one", "two"] {
            assert!(write("new", Some(stop), &Progress::new()).unwrap_err().is_cancelled());
            assert_eq!(names(), 0, "{stop}");
        }
        let progress = Progress::new();
        write("old", None, &progress).unwrap();
        assert_eq!((progress.view().stage.as_str(), progress.view().fraction()), ("Writing two", Some(1.0)));
        assert!(write("new", Some("two"), &Progress::new()).unwrap_err().is_cancelled());
        assert_eq!((names(), fs_err::read_to_string(&one).unwrap().as_str()), (2, "old"));
        let nowhere = dir.path().join("none/one");
        let files = [Saved { path: &nowhere, rows: 0, fill: &|part, _| fs_err::write(part, "") }];
        let error = save(&files, &Progress::new()).unwrap_err().report();
        assert!(error.summary.contains("could not write") && error.summary.contains("none"), "{error:?}");
    }
}
