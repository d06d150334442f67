//! Which rows a question is asked of: kinds, folders, paths, or rows that somebody chose.
//!
//! It knows no vectors. Invariant: what is not said lets everything through; what is said several times lets through what any of them
//! does.

use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::corpus::{Corpus, Modality};
use crate::vectors::RowId;

/// Rows a question is asked of; by default all.
#[derive(Clone, Debug, Default)]
pub struct Only {
    /// Kinds of rows; none lets all through.
    pub kinds: Vec<Modality>,
    /// Folders inside the roots ("texts/animals"), with those in them; none lets all through.
    pub folders: Vec<String>,
    /// Patterns of paths; none lets all through.
    pub paths: Option<PathPatterns>,
    /// Rows of the corpus, ascending; `None` lets all through.
    pub rows: Option<Arc<[RowId]>>,
}

/// Patterns of paths as in ignore files: `*.rs` in any folder, `notes/**`, `2024-*/*.md`.
#[derive(Clone, Debug)]
pub struct PathPatterns(GlobSet);

impl PathPatterns {
    /// Reads patterns. A pattern may begin in any folder; `*` stops at `/`, `**` does not.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            let anywhere = format!("**/{}", pattern.trim_start_matches("./").trim_start_matches('/'));
            let glob = GlobBuilder::new(&anywhere).literal_separator(true).build();
            set.add(glob.map_err(|error| format!("\"{pattern}\" is no pattern of paths: {}", error.kind()))?);
        }
        set.build().map(Self).map_err(|error| error.to_string())
    }

    fn admit(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

impl Only {
    /// Whether everything is let through.
    pub fn is_all(&self) -> bool {
        self.kinds.is_empty() && self.folders.is_empty() && self.paths.is_none() && self.rows.is_none()
    }

    /// Whether rows of a kind are let through.
    pub fn admits_kind(&self, kind: Modality) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// Whether a row of this path, folder and kind is let through; `rows` is not looked at. What has no known kind is of none.
    pub fn admits(&self, path: &str, folder: &str, kind: Option<Modality>) -> bool {
        let inside = |of: &String| {
            let of = of.trim_end_matches('/');
            folder.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        (self.kinds.is_empty() || kind.is_some_and(|kind| self.kinds.contains(&kind)))
            && (self.folders.is_empty() || self.folders.iter().any(inside))
            && self.paths.as_ref().is_none_or(|paths| paths.admit(path))
    }

    /// Each row of the corpus, whether it is let through; `None` where all are.
    pub fn of(&self, corpus: &Corpus) -> Option<Vec<bool>> {
        if self.is_all() {
            return None;
        }
        let mut rows = vec![self.rows.is_none(); corpus.chunks.len()];
        for row in self.rows.iter().flat_map(|rows| rows.iter()) {
            if let Some(admitted) = rows.get_mut(row.index()) {
                *admitted = true;
            }
        }
        let of_item: Vec<bool> =
            corpus.items.iter().map(|item| self.admits(&item.shown_path, &item.label, Some(item.modality))).collect();
        for (admitted, chunk) in rows.iter_mut().zip(corpus.chunks.iter()) {
            *admitted &= of_item[chunk.item.index()];
        }
        Some(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(only: &Only, path: &str, folder: &str) -> bool {
        only.admits(path, folder, Some(Modality::Text))
    }

    #[test]
    fn patterns_begin_in_any_folder_and_a_star_stops_at_a_slash() {
        let only = |patterns: &[&str]| Only {
            paths: Some(PathPatterns::new(patterns.iter().copied()).unwrap()),
            ..Only::default()
        };
        for (pattern, path, inside) in [
            ("*.rs", "project/src/main.rs", true),
            ("*.rs", "main.rs", true),
            ("*.rs", "project/main.rs.txt", false),
            ("src/*.rs", "project/src/main.rs", true),
            ("src/*.rs", "project/src/app/main.rs", false),
            ("./src/**/*.rs", "project/src/app/main.rs", true),
            ("src/**", "project/src/app/main.rs", true),
            ("project/*.md", "project/read me.md", true),
            ("/notes-202[34]/*", "notes-2024/a.md", true),
        ] {
            assert_eq!(admitted(&only(&[pattern]), path, ""), inside, "{pattern}, {path}");
        }
        assert!(admitted(&only(&["*.md", "*.rs"]), "a/b.rs", ""));
        assert!(PathPatterns::new(["a[b"]).unwrap_err().contains("\"a[b\""));
    }

    #[test]
    fn folders_hold_their_folders_but_not_those_that_begin_alike() {
        let only = Only { folders: vec!["texts/".into(), "pictures/cats".into()], ..Only::default() };
        for (folder, inside) in [
            ("texts", true),
            ("texts/animals", true),
            ("textsmore", false),
            ("pictures", false),
            ("pictures/cats/old", true),
        ] {
            assert_eq!(admitted(&only, "x", folder), inside, "{folder}");
        }
        assert!(Only::default().is_all() && !only.is_all());
    }

    #[test]
    fn all_that_is_said_must_hold() {
        let only = Only {
            kinds: vec![Modality::Code],
            folders: vec!["src".into()],
            paths: PathPatterns::new(["*.rs"]).ok(),
            rows: None,
        };
        assert!(only.admits("p/src/a.rs", "src", Some(Modality::Code)));
        assert!(!only.admits("p/src/a.rs", "src", Some(Modality::Text)) && !only.admits("p/src/a.rs", "src", None));
        assert!(!only.admits("p/src/a.py", "src", Some(Modality::Code)));
        assert!(!only.admits("p/a.rs", "p", Some(Modality::Code)));
    }
}
