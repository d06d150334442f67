//! What the commands share: environment, progress, Ctrl-C, messages, loading, embedding.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::options::{Common, LoadArgs};
use super::text::plural;
use super::{bar, json};
use crate::corpus::Corpus;
use crate::models::ModelId;
use crate::progress::Progress;
use crate::tasks::{self, EmbedRequest, Environment, Imported, LoadRequest, TaskError, VectorSet};
use crate::vectors::Rows;
use crate::workspace::{EmbeddingSet, ErrorReport};

/// Why a command ended without a result.
#[derive(Debug)]
pub(super) enum Failure {
    /// What was typed makes no sense; said after parsing.
    Usage(String),
    /// A task failed or was interrupted.
    Task(TaskError),
    /// The task ended, but with nothing to show for it.
    Report(ErrorReport),
    /// stdout cannot be written to.
    Output(std::io::Error),
}

impl<E: Into<TaskError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Task(error.into())
    }
}

/// A running command.
pub(super) struct Session {
    pub(super) env: Environment,
    pub(super) progress: Progress,
    common: Common,
    /// What was loaded: a failure afterwards tells of it too.
    loaded: RefCell<Option<Arc<Corpus>>>,
    /// Seconds spent loading, and embedding.
    seconds: [Cell<f64>; 2],
    /// Rows of files of vectors that could not be used.
    left_out: RefCell<Vec<Value>>,
    /// What else there was to tell of them.
    notes: RefCell<Vec<String>>,
}

/// The path that stands for the bundled sample.
pub(super) const SAMPLE: &str = "@sample";
/// Paths shown of each reason for leaving files out.
const SHOWN: usize = 3;
/// Reasons shown.
const REASONS: usize = 12;

impl Session {
    pub(super) fn new(common: Common) -> Self {
        let env = Environment {
            cache_dir: cache_dir(common.cache.as_deref(), common.no_cache),
            threads: common.threads.map(usize::from),
            offline: common.offline,
            ..Environment::default()
        };
        super::overrides::obey(&common.wishes, &env.models);
        let progress = Progress::new();
        let handle = progress.clone();
        let handler = move || {
            // The first asks; who presses again means now.
            if handle.is_cancelled() {
                std::process::exit(i32::from(super::INTERRUPTED));
            }
            handle.cancel();
        };
        // Without a handler Ctrl-C still ends the program.
        let _ = ctrlc::set_handler(handler);
        Self {
            env,
            progress,
            common,
            loaded: RefCell::default(),
            seconds: Default::default(),
            left_out: RefCell::default(),
            notes: RefCell::default(),
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.common.seed
    }

    /// Runs a task with a progress bar, or lines where stderr is no terminal.
    pub(super) fn watch<T>(&self, work: impl FnOnce(&Environment, &Progress) -> T) -> T {
        let shown = match (self.common.quiet, std::io::stderr().is_terminal()) {
            (true, _) => bar::Shown::Nothing,
            (false, true) => bar::Shown::Bar,
            (false, false) => bar::Shown::Lines,
        };
        bar::beside(&self.progress, shown, || work(&self.env, &self.progress))
    }

    /// A message on stderr, unless quiet.
    pub(super) fn say(&self, message: &str) {
        if !self.common.quiet {
            let _ = writeln!(std::io::stderr(), "{message}");
        }
    }

    /// Prints the result: `json` with `--json`, else the text.
    pub(super) fn print(&self, text: &str, json: &Value) -> Result<(), Failure> {
        let mut json = json.clone();
        let left_out = self.left_out.take();
        if let Some(document) = json.as_object_mut().filter(|document| !document.contains_key("skipped"))
            && !left_out.is_empty()
        {
            document.insert("skipped".to_owned(), left_out.into());
        }
        let notes = self.notes.take();
        if let Some(document) = json.as_object_mut().filter(|_| !notes.is_empty()) {
            let told = document.entry("notes").or_insert_with(|| Value::Array(Vec::new()));
            told.as_array_mut().into_iter().for_each(|told| told.extend(notes.iter().map(|note| note.as_str().into())));
        }
        let mut out = std::io::stdout().lock();
        let printed = match (self.common.json, out.is_terminal()) {
            (true, true) => writeln!(out, "{json:#}"),
            (true, false) => writeln!(out, "{json}"),
            (false, _) => write!(out, "{text}"),
        };
        printed.and_then(|()| out.flush()).map_err(Failure::Output)
    }

    /// Tells a failure: on stderr for people, with `--json` also as the one document on stdout.
    pub(super) fn fail(&self, report: &ErrorReport) {
        let mut message = format!("error: {}", report.summary);
        for detail in &report.details {
            message += &format!("\n  because: {detail}");
        }
        if !report.hint.is_empty() {
            message += &format!("\n  hint: {}", report.hint);
        }
        // Also when quiet: a failure without a word helps nobody.
        let _ = writeln!(std::io::stderr(), "{message}");
        if self.common.json {
            let mut fields = vec![("error", serde_json::json!(report))];
            fields.extend(self.loaded.borrow().as_deref().map(Self::corpus_json).unwrap_or_default());
            let _ = writeln!(std::io::stdout(), "{}", json::object(fields));
        }
    }

    /// Loads and tells what was left out.
    pub(super) fn load(&self, paths: &[PathBuf], args: &LoadArgs) -> Result<Arc<Corpus>, Failure> {
        let options = args.options().map_err(Failure::Usage)?;
        let mut places = Vec::new();
        for path in paths {
            if path.as_os_str() == SAMPLE {
                places.extend(tasks::sample_paths(&self.env)?);
            } else {
                places.push(path.clone());
            }
        }
        let request = LoadRequest { paths: places, options };
        let started = Instant::now();
        let corpus = Arc::new(self.watch(|env, progress| tasks::load(&request, env, progress))?);
        self.spent(0, started);
        *self.loaded.borrow_mut() = Some(corpus.clone());
        self.tell_skipped(&corpus);
        Ok(corpus)
    }

    /// Reads vectors.
    pub(super) fn read(&self, set: &VectorSet) -> Result<Imported, Failure> {
        let started = Instant::now();
        let imported = self.watch(|env, progress| env.run(|| tasks::import_set(set, progress)))?;
        self.spent(0, started);
        self.say_left_out(&set.path, &imported);
        Ok(imported)
    }

    /// As [`Session::read`], but vectors that are not kept in single precision stay in their file.
    pub(super) fn read_rows(&self, set: &VectorSet) -> Result<Imported<Rows>, Failure> {
        let started = Instant::now();
        let imported = self.watch(|env, progress| env.run(|| tasks::import_set_rows(set, progress)))?;
        self.spent(0, started);
        self.say_left_out(&set.path, &imported);
        Ok(imported)
    }

    fn tell_skipped(&self, corpus: &Corpus) {
        if corpus.skipped.is_empty() {
            return;
        }
        self.say(&format!("Left out {}:", plural(corpus.skipped.len(), "file", "files")));
        let mut by_reason: HashMap<String, Vec<String>> = HashMap::new();
        for skipped in &corpus.skipped {
            by_reason.entry(skipped.reason.to_string()).or_default().push(skipped.path.display().to_string());
        }
        let mut groups: Vec<(String, Vec<String>)> = by_reason.into_iter().collect();
        groups.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
        let most = if self.common.verbose { groups.len() } else { REASONS };
        for (reason, paths) in groups.iter().take(most) {
            let shown = if self.common.verbose { paths.len() } else { SHOWN.min(paths.len()) };
            let more = paths.len() - shown;
            let more = if more > 0 { format!(", and {more} more (--verbose lists all)") } else { String::new() };
            self.say(&format!("  {reason}: {}{more}", paths[..shown].join(", ")));
        }
        if groups.len() > most {
            self.say(&format!(
                "  and {} (--verbose lists all)",
                plural(groups.len() - most, "more reason", "more reasons")
            ));
        }
    }

    /// Tells which rows of a file of vectors could not be used.
    pub(super) fn say_left_out<R>(&self, path: &Path, imported: &Imported<R>) {
        if let Some(words) = imported.left_out_words() {
            self.say(&format!("{}: {words}", path.display()));
        }
        for note in &imported.notes {
            let note = format!("{}: {note}", path.display());
            self.say(&note);
            self.notes.borrow_mut().push(note);
        }
        let file = path.to_string_lossy();
        let told = imported.left_out.iter();
        self.left_out
            .borrow_mut()
            .extend(told.map(|(row, why)| serde_json::json!({ "path": file.as_ref(), "row": row.row, "reason": why })));
    }

    fn spent(&self, on: usize, since: Instant) {
        self.seconds[on].set(self.seconds[on].get() + since.elapsed().as_secs_f64());
    }

    /// Seconds spent loading and embedding so far, as every result tells them.
    pub(super) fn seconds_json(&self) -> [(&'static str, Value); 2] {
        [("load", &self.seconds[0]), ("embed", &self.seconds[1])]
            .map(|(name, seconds)| (name, json::rounded(Some(seconds.get()), 3)))
    }

    /// The most memory this program took, in megabytes; `null` where the system does not tell.
    pub(super) fn memory_json() -> (&'static str, Value) {
        ("peak_memory_mb", json::rounded(tasks::peak_memory_mb(), 1))
    }

    /// Embeds with one model and tells what the cache and single rows had to tell.
    pub(super) fn embed(&self, corpus: &Arc<Corpus>, model: &ModelId) -> Result<Arc<EmbeddingSet>, Failure> {
        let request = EmbedRequest::new(corpus.clone(), model.clone());
        let started = Instant::now();
        let (set, report) = self.watch(|env, progress| tasks::embed(&request, env, progress))?;
        self.spent(1, started);
        for message in &report.messages {
            self.say(message);
        }
        if !set.failed.is_empty() {
            let (row, reason) = &set.failed[0];
            let path = corpus.item_of(*row).path.display();
            let failed = plural(set.failed.len(), "row", "rows");
            self.say(&format!("{failed} could not be embedded with {}; the first: {path}: {reason}", set.card.name));
        }
        let cut: u64 = set.cut.iter().map(|&tokens| u64::from(tokens)).sum();
        if cut > 0 {
            let rows = set.cut.iter().filter(|&&tokens| tokens > 0).count();
            self.say(&format!(
                "{} did not see {} of {}: its context is {} tokens",
                set.card.name,
                plural(cut as usize, "token", "tokens"),
                plural(rows, "passage", "passages"),
                set.card.context_tokens.unwrap_or(0)
            ));
        }
        Ok(Arc::new(set))
    }

    /// What every result tells of the corpus.
    pub(super) fn corpus_json(corpus: &Corpus) -> Vec<(&'static str, Value)> {
        vec![
            ("items", corpus.items.len().into()),
            ("chunks", corpus.chunks.len().into()),
            ("skipped", json::skipped(corpus)),
        ]
    }
}

/// The cache folder that was asked for.
pub(super) fn cache_dir(given: Option<&Path>, none: bool) -> Option<PathBuf> {
    let given = given.filter(|dir| !dir.as_os_str().is_empty());
    if none { None } else { given.map(Path::to_owned).or_else(Environment::default_cache_dir) }
}

/// The file of the `n`th model: the first has the name that was given, the others the model's id added.
pub(super) fn out_for(out: &Path, nth: usize, model: &ModelId) -> PathBuf {
    if nth == 0 {
        return out.to_owned();
    }
    let safe: String =
        model.0.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let stem = out.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let ending = out.extension().map_or_else(String::new, |ending| ending.to_string_lossy().into_owned());
    out.with_file_name(format!("{stem}-{safe}.{ending}"))
}

/// Refuses files to write that were read: an output inside a folder that was named, under the name of one of its items.
pub(super) fn spare_items(outs: &[PathBuf], corpus: &Corpus) -> Result<(), Failure> {
    for out in outs {
        for written in [out.clone(), out.with_extension("metadata.jsonl"), out.with_extension("metadata.tsv")] {
            let Ok(real) = fs_err::canonicalize(&written) else { continue };
            let same_name = corpus.items.iter().filter(|item| item.path.file_name() == real.file_name());
            if same_name.into_iter().any(|item| fs_err::canonicalize(&item.path).is_ok_and(|path| path == real)) {
                let message = format!("--out {} would write over {}, which was read", out.display(), written.display());
                return Err(Failure::Usage(message));
            }
        }
    }
    Ok(())
}

/// Refuses a file to write before any work is done: wrong ending, no such folder, or one of the `inputs` itself.
pub(super) fn check_out(out: &Path, endings: &[&str], inputs: &[PathBuf]) -> Result<(), Failure> {
    let ending = out.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    if !ending.is_some_and(|ending| endings.contains(&ending.as_str())) {
        let listed = endings.iter().map(|ending| format!(".{ending}")).collect::<Vec<_>>().join(", ");
        return Err(Failure::Usage(format!("--out {}: the name must end in one of {listed}", out.display())));
    }
    let metadata = [out.with_extension("metadata.jsonl"), out.with_extension("metadata.tsv")];
    let beside = [&[out.to_owned()][..], &metadata].concat();
    let written: Vec<PathBuf> = beside.iter().filter_map(|path| fs_err::canonicalize(path).ok()).collect();
    let input = inputs.iter().find(|input| fs_err::canonicalize(input).is_ok_and(|real| written.contains(&real)));
    if let Some(input) = input {
        let message = format!("--out {} would write over the input {}", out.display(), input.display());
        return Err(Failure::Usage(message));
    }
    let folder = out.parent().filter(|parent| !parent.as_os_str().is_empty());
    let real = fs_err::canonicalize(folder.unwrap_or(Path::new("."))).ok();
    let lies_in = |input: &&PathBuf| {
        let within = |real: &PathBuf| fs_err::canonicalize(input).is_ok_and(|input| real.starts_with(input));
        input.is_dir() && real.as_ref().is_some_and(within) && tasks::holds_vectors(input)
    };
    if let Some(input) = inputs.iter().find(lies_in) {
        let message = format!(
            "--out {}: {} is read as one set of vectors, and would be another with this file in it; write it elsewhere",
            out.display(),
            input.display()
        );
        return Err(Failure::Usage(message));
    }
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Failure::Task(TaskError::Format {
            path: out.to_owned(),
            message: format!("there is no folder {} to write it to", folder.display()),
        }));
    }
    Ok(())
}
