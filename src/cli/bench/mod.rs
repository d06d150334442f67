//! `embedlens bench`: the numerics on a file of vectors, timed stage by stage, beside what the machine can do at most.
//!
//! Invariant: every run does the work anew, neighbours included; what is told are medians over the runs, and quality of the last run.

mod embed;
mod suites;

use std::path::PathBuf;

use serde_json::{Value, json};

use super::json::{object, rounded};
use super::maps::{self, Source};
use super::numeric_args::{BenchArgs, BenchInput, Suite};
use super::session::{Failure, Session, check_out};
use super::text::{columns, count};
use crate::tasks::{self, VectorSet};
use crate::vectors::peak::{Peak, peak};
use crate::vectors::{Level, RowBlocks, kernel_name, level};

pub(super) fn run(args: &BenchArgs, session: &Session) -> Result<(), Failure> {
    match &args.suite {
        Suite::Project(args) => suites::project(args, session),
        Suite::Neighbours(args) => suites::neighbours(args, session),
        Suite::Pca(args) => suites::pca(args, session),
        Suite::Cluster(args) => suites::cluster(args, session),
        Suite::Embed(args) => embed::run(args, session),
    }
}

/// Seconds of each stage, a number a run.
#[derive(Default)]
struct Stages(Vec<(&'static str, Vec<f64>)>);

impl Stages {
    fn add(&mut self, stage: &'static str, seconds: f64) {
        match self.0.iter_mut().find(|(name, _)| *name == stage) {
            Some((_, all)) => all.push(seconds),
            None => self.0.push((stage, vec![seconds])),
        }
    }

    fn median(&self, stage: &str) -> Option<f64> {
        median(&self.0.iter().find(|(name, _)| *name == stage)?.1)
    }

    fn medians(&self) -> Vec<(&'static str, f64)> {
        self.0.iter().filter_map(|(name, _)| Some((*name, self.median(name)?))).collect()
    }
}

/// The median; `None` of nothing.
fn median(of: &[f64]) -> Option<f64> {
    let mut all = of.to_vec();
    all.sort_by(f64::total_cmp);
    let middle = all.len() / 2;
    if all.len() % 2 == 1 {
        all.get(middle).copied()
    } else {
        Some((all.get(middle.checked_sub(1)?)? + all.get(middle)?) / 2.0)
    }
}

/// Arithmetic that a stage cannot do without.
struct Work {
    /// Operations; a multiplication and an addition are two.
    operations: f64,
    /// How they are counted.
    formula: &'static str,
    /// The stage that does them.
    stage: &'static str,
    /// Whether products of bytes serve, where the machine has them.
    bytes: bool,
}

/// What a benchmark found.
struct Found {
    suite: &'static str,
    stages: Stages,
    /// Parameters and quality.
    facts: Vec<(&'static str, Value)>,
    work: Option<Work>,
}

/// The vectors to work on.
fn input(bench: &BenchInput, session: &Session, endings: &[&str]) -> Result<Source, Failure> {
    check(bench, endings)?;
    maps::stored_source(session, &set(bench))
}

/// What is read.
fn set(bench: &BenchInput) -> VectorSet {
    VectorSet::one(std::slice::from_ref(&bench.input))
}

/// Whether there is a file or a folder of vectors, and a place for what is made of them.
fn check(bench: &BenchInput, endings: &[&str]) -> Result<(), Failure> {
    if let Some(out) = &bench.out {
        check_out(out, endings, std::slice::from_ref::<PathBuf>(&bench.input))?;
    }
    if !tasks::is_vectors_file(&bench.input) && !tasks::holds_vectors(&bench.input) {
        let message = format!(
            "--input {}: give one file of vectors (.npy, .npz, .tsv, .csv, .parquet or .vectors), or a folder that holds nothing else",
            bench.input.display()
        );
        return Err(if bench.input.exists() { Failure::Usage(message) } else { missing(&bench.input) });
    }
    Ok(())
}

fn missing(path: &std::path::Path) -> Failure {
    let message = "there is no such file".to_owned();
    Failure::Task(tasks::TaskError::Format { path: path.to_owned(), message })
}

/// Prints what was found of `rows`, with the machine's peak.
fn print(found: &Found, rows: &dyn RowBlocks, bench: &BenchInput, session: &Session) -> Result<(), Failure> {
    let medians = found.stages.medians();
    let [load, _] = session.seconds_json();
    let mut seconds = vec![load];
    seconds.extend(medians.iter().map(|&(name, seconds)| (name, rounded(Some(seconds), 5))));
    let mut fields = vec![
        ("suite", json!(found.suite)),
        ("input", json!(bench.input.to_string_lossy())),
        ("rows", rows.row_count().into()),
        ("dimensions", rows.row_length().into()),
        ("threads", session.env.thread_count().into()),
        ("kernel", json!(kernel_name())),
        ("cpu_level", json!(level().word())),
        ("runs", bench.rounds.runs.into()),
    ];
    fields.extend(found.facts.iter().cloned());
    fields.push(("seconds", object(seconds)));
    fields.push(Session::memory_json());
    let peak = (!bench.rounds.no_peak).then(|| session.env.run(peak));
    fields.push(("peak", peak.as_ref().map_or(Value::Null, peak_json)));
    let work = found.work.as_ref().map(|work| Done::new(work, found.stages.median(work.stage), peak));
    fields.push(("share_of_peak", rounded(work.as_ref().and_then(|done| done.share), 4)));
    fields.push(("work", work.as_ref().map_or(Value::Null, Done::json)));
    let mut text = table(found, rows, &medians);
    text += &peak.map_or_else(String::new, |peak| peak_text(&peak, work.as_ref()));
    session.print(&text, &object(fields))
}

/// What the work cannot do without, and how it went.
struct Done<'a> {
    work: &'a Work,
    /// Billions of operations a second.
    rate: Option<f64>,
    /// Against what this machine does at most.
    share: Option<f64>,
}

impl<'a> Done<'a> {
    fn new(work: &'a Work, seconds: Option<f64>, peak: Option<Peak>) -> Self {
        let rate = seconds.filter(|&seconds| seconds > 0.0).map(|seconds| work.operations / seconds / 1e9);
        let most = peak.map(|peak| if work.in_bytes() { peak.byte_gops } else { peak.single_gflops });
        let share = most.filter(|&most| most > 0.0).and_then(|most| Some(rate? / most));
        Self { work, rate, share }
    }

    fn json(&self) -> Value {
        json!({
            "formula": self.work.formula, "stage": self.work.stage,
            "giga_operations": rounded(Some(self.work.operations / 1e9), 3),
            "giga_operations_per_second": rounded(self.rate, 2),
            "against": if self.work.in_bytes() { "byte_gops" } else { "single_gflops" },
        })
    }
}

impl Work {
    /// Whether the kernels in use do it in bytes.
    fn in_bytes(&self) -> bool {
        self.bytes && matches!(level(), Level::Amx | Level::Avx512Vnni | Level::Avx2Vnni)
    }
}

fn peak_json(peak: &Peak) -> Value {
    let figure = |rate: f64| rounded(Some(rate).filter(|&rate| rate > 0.0), 1);
    object([
        ("single_gflops", figure(peak.single_gflops)),
        ("byte_gops", figure(peak.byte_gops)),
        ("bfloat_gflops", figure(peak.bfloat_gflops)),
        ("read_gb_per_second", figure(peak.read_gbytes)),
    ])
}

fn peak_text(peak: &Peak, done: Option<&Done<'_>>) -> String {
    let Peak { single_gflops, byte_gops, read_gbytes, .. } = peak;
    let mut text = format!(
        "This machine at most: {single_gflops:.0} Gflop/s single precision, {byte_gops:.0} Gop/s bytes, \
         reads {read_gbytes:.1} GB/s\n"
    );
    if let Some(Done { work, rate: Some(rate), share: Some(share) }) = done {
        text += &format!("{}: {rate:.0} Gop/s, {:.0} % of that ({})\n", work.stage, share * 100.0, work.formula);
    }
    text
}

fn table(found: &Found, rows: &dyn RowBlocks, medians: &[(&'static str, f64)]) -> String {
    let (rows, dimensions) = (count(rows.row_count() as u64), count(rows.row_length() as u64));
    let mut text = format!("{}: {rows} vectors of {dimensions} dimensions, {}\n", found.suite, kernel_name());
    let mut lines: Vec<Vec<String>> =
        medians.iter().map(|(name, seconds)| vec![format!("  {name}"), format!("{seconds:.4} s")]).collect();
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let facts = found.facts.iter().filter(|(_, value)| !value.is_null() && !value.is_array());
    lines.extend(facts.map(|(name, value)| vec![format!("  {}", name.replace('_', " ")), shown(value)]));
    text += &columns(&lines, "lr");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_each_stage_by_itself() {
        let mut stages = Stages::default();
        for seconds in [3.0, 1.0, 2.0] {
            stages.add("a", seconds);
        }
        stages.add("b", 4.0);
        stages.add("b", 6.0);
        assert_eq!(stages.medians(), [("a", 2.0), ("b", 5.0)]);
        assert_eq!(stages.median("c"), None);
    }
}
