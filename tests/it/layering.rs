//! The rooms and their arrows, as data: a path that points the wrong way fails here.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::{Path, PathBuf};

/// Each room and the rooms it may use. A room may always use itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("vectors", &[]),
    ("progress", &[]),
    ("memory", &[]),
    ("corpus", &["vectors", "progress"]),
    ("models", &["vectors", "progress"]),
    ("search", &["vectors", "progress"]),
    ("projection", &["vectors", "progress", "search"]),
    ("analysis", &["vectors", "progress", "search"]),
    ("workspace", &["vectors", "progress", "corpus", "models", "search", "projection", "analysis"]),
    ("picture", &["vectors"]),
    ("tasks", &["vectors", "progress", "corpus", "models", "search", "projection", "analysis", "workspace", "picture"]),
    ("jobs", &["progress"]),
    (
        "cli",
        &[
            "vectors",
            "progress",
            "corpus",
            "models",
            "search",
            "projection",
            "analysis",
            "workspace",
            "picture",
            "tasks",
        ],
    ),
    ("ui", &["vectors", "progress", "jobs", "corpus", "search", "projection", "analysis", "workspace", "picture"]),
    (
        "app",
        &[
            "vectors",
            "progress",
            "corpus",
            "models",
            "search",
            "projection",
            "analysis",
            "workspace",
            "picture",
            "tasks",
            "jobs",
            "cli",
            "ui",
        ],
    ),
];

/// Lines a source file may have.
const LONGEST: usize = 500;

fn source_files() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut files) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs_err::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    assert!(files.len() > 20, "the scan found the sources");
    files
}

/// The room a file belongs to: its first folder, or its own name at the top.
fn room_of(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The code before the unit tests, with the comments taken out.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let uncommented = |line: &str| line.split("//").next().unwrap_or_default().to_owned() + "\n";
    before_tests.lines().map(uncommented).collect()
}

/// Rooms named by `crate::room` paths, those in braces included.
fn rooms_named(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for after in code.split("crate::").skip(1) {
        if let Some(list) = after.strip_prefix('{') {
            let (mut depth, mut part) = (1, String::new());
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => rooms.extend(first_name(&std::mem::take(&mut part))),
                    _ if depth == 1 => part.push(c),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            rooms.extend(first_name(&part));
        } else {
            rooms.extend(first_name(after));
        }
    }
    rooms
}

fn first_name(path: &str) -> Option<String> {
    let name: String = path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

#[test]
fn every_path_follows_the_arrows() {
    let mut breaches = Vec::new();
    for (path, text) in source_files() {
        let room = room_of(&path);
        if room == "main" || room == "lib" {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == room) else {
            breaches.push(format!("{}: the room {room} is not in the table", path.display()));
            continue;
        };
        for named in rooms_named(&code(&text)) {
            let known = MAY_USE.iter().any(|(name, _)| *name == named);
            if known && named != room && !allowed.contains(&named.as_str()) {
                breaches.push(format!("{}: {room} must not use {named}", path.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn no_file_is_over_its_length() {
    let long: Vec<String> = source_files()
        .iter()
        .filter(|(_, text)| text.lines().count() > LONGEST)
        .map(|(path, text)| format!("{}: {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "over {LONGEST} lines:\n{}", long.join("\n"));
}

#[test]
fn the_scan_sees_paths_in_braces_and_no_comments() {
    let text = "use crate::{ui::Pane, vectors::{self, Vectors}, app};\n// crate::jobs\nlet x = crate::cli::run();\n\
                #[cfg(test)]\nmod tests { use crate::tasks; }";
    assert_eq!(rooms_named(&code(text)), ["ui", "vectors", "app", "cli"]);
}
