//! Packs `assets/sample` into one file that the library carries (see `src/corpus/sample.rs` for its layout).
//!
//! Uses the standard library only. Without the folder the sample is empty and everything else works.
#![allow(clippy::disallowed_methods, reason = "a build script has no dependencies, so no fs_err")]
#![allow(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Files that say where the sample comes from and are no part of it.
const ABOUT: [&str; 4] = ["NOTICE.md", "make.py", "MANIFEST.tsv", ".gitattributes"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let sample = root.join("assets").join("sample");
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    if sample.is_dir() {
        println!("cargo::rerun-if-changed=assets/sample");
        collect(&sample, &sample, &mut files)?;
    } else if root.join("assets").is_dir() {
        println!("cargo::rerun-if-changed=assets");
    }
    files.sort();

    let mut blob = (files.len() as u32).to_le_bytes().to_vec();
    for (name, path) in &files {
        let bytes = fs::read(path)?;
        for part in [name.as_bytes(), &bytes] {
            blob.extend_from_slice(&(part.len() as u32).to_le_bytes());
            blob.extend_from_slice(part);
        }
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("sample.bin"), blob)
}

/// Lists the files below a folder: name with `/` between the parts, and where it is.
fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let inside = path.strip_prefix(root).unwrap_or(&path);
        let parts: Option<Vec<_>> = inside.components().map(|part| part.as_os_str().to_str()).collect();
        let name = parts.map(|parts| parts.join("/")).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: the name is no UTF-8", path.display()))
        })?;
        if !ABOUT.contains(&name.as_str()) {
            files.push((name, path));
        }
    }
    Ok(())
}
