//! A folder, a cache of its own, the program, and words to ask it with.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder of files, a cache of its own, and the program.
pub struct Rig {
    dir: tempfile::TempDir,
}

/// What a command left behind.
pub struct Ran {
    output: Output,
}

pub const STATIC: &[&str] = &["--model", "all-MiniLM-L6-v2-static-256"];

impl Rig {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A folder with two subjects in two subfolders, a function, and files that make no sense.
    pub fn with_notes() -> Self {
        let rig = Self::new();
        rig.file("notes/food/soup.md", "Simmer the lentils with onions, carrots and cumin until they are soft.");
        rig.file("notes/food/bread.txt", "Bake the bread for forty minutes in a hot oven.");
        rig.file("notes/space/stars.txt", "The telescope shows distant galaxies and faint stars.");
        rig.file("notes/space/rocket.txt", "The rocket left the launch pad toward the moon.");
        rig.file("notes/add.py", "def add(a, b):\n    \"\"\"Adds two numbers.\"\"\"\n    return a + b\n");
        rig.file("notes/empty.txt", "");
        rig
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_embedlens"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.env("EMBEDLENS_CACHE", self.path("cache")).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        Ran { output: self.command(args).output().unwrap() }
    }

    /// Runs with the fast static model, which makes the test quick, and `--json`.
    pub fn json(&self, args: &[&str]) -> Value {
        self.run(&[args, STATIC, &["--json"]].concat()).succeeded().json()
    }

    pub fn cache_files(&self, ending: &str) -> Vec<PathBuf> {
        let entries = fs_err::read_dir(self.path("cache/vectors")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.extension().is_some_and(|end| end == ending)).collect()
    }
}

impl Ran {
    pub fn succeeded(self) -> Self {
        assert!(self.output.status.success(), "exit {:?}: {}", self.output.status.code(), self.stderr());
        self
    }

    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.output.status.code(), Some(code), "{}", self.stderr());
        self
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    /// The one JSON document on stdout.
    pub fn json(&self) -> Value {
        let document = serde_json::from_slice(&self.output.stdout);
        document.unwrap_or_else(|error| panic!("{error} in {}", self.stdout()))
    }
}

pub fn lines(path: &Path) -> Vec<String> {
    fs_err::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}
