//! `embedlens bench embed`: a text model's speed, latency, memory and faithfulness to reference vectors.
//!
//! Invariant: what is timed is what `embed` does to a corpus, less the cache.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::WalkBuilder;
use image::RgbImage;
use serde_json::{Value, json};

use super::{median, peak_json};
use crate::cli::json::{object, rounded};
use crate::cli::numeric_args::BenchEmbedArgs;
use crate::cli::session::{Failure, Session, check_out};
use crate::cli::text::{columns, count};
use crate::corpus::{self, LoadOptions};
use crate::models::Precision;
use crate::tasks::{self, EmbedTimes, EmbedTrial, TaskError, TrialInputs, WARM_UP};
use crate::vectors::peak::{Peak, peak};
use crate::vectors::{Level, Vectors, kernel_name, level, npy};

/// Endings of pictures.
const PICTURES: [&str; 8] = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"];
/// Queries that count.
const QUERIES: usize = 50;
/// Words of a query.
const WORDS: std::ops::RangeInclusive<usize> = 12..=20;

pub(super) fn run(args: &BenchEmbedArgs, session: &Session) -> Result<(), Failure> {
    if let Some(dump) = &args.dump {
        let inputs: Vec<_> = std::iter::once(&args.input).chain(&args.reference).cloned().collect();
        check_out(dump, &["npy"], &inputs)?;
    }
    let limit = args.limit.map_or(usize::MAX, |limit| limit as usize);
    let (inputs, asked) = if args.input.is_dir() {
        let pictures = pictures(&args.input, limit, session)?;
        let asked = pictures.iter().cycle().take(WARM_UP + QUERIES).cloned().collect();
        (TrialInputs::Pictures(pictures), TrialInputs::Pictures(asked))
    } else {
        let mut texts = read(&args.input)?;
        texts.truncate(limit);
        let asked = queries(&texts);
        (TrialInputs::Texts(texts), TrialInputs::Texts(asked))
    };
    let reference = args.reference.as_ref().map(|path| Ok::<_, Failure>((path, npy::read(path)?))).transpose()?;
    if let Some((path, reference)) = &reference
        && reference.len() < inputs.len()
    {
        let there = format!("{} {}", inputs.len(), inputs.kind());
        let message = format!("it holds {} vectors, and there are {there}", reference.len());
        return Err(Failure::Task(TaskError::Format { path: (*path).clone(), message }));
    }
    let request =
        EmbedTrial { inputs, queries: asked, model: args.precision.of(&args.model), runs: args.rounds.runs as usize };
    let times = session.watch(|env, progress| tasks::time_embedding(&request, env, progress))?;
    let memory = Session::memory_json();
    if let Some(dump) = &args.dump {
        npy::write(dump, &times.vectors)?;
    }
    let cosine = reference.map(|(path, vectors)| Ok::<_, Failure>((path, cosines(path, &vectors, &times.vectors)?)));
    let cosine = cosine.transpose()?;
    let peak = (!args.rounds.no_peak).then(|| session.env.run(peak));
    let found = Found::new(&request, &times, peak);
    let mut fields = vec![("suite", json!("embed")), ("input", json!(args.input.to_string_lossy()))];
    fields.extend(found.json(session));
    fields.push(memory);
    fields.push(("peak", peak.as_ref().map_or(Value::Null, peak_json)));
    let faithful = cosine.as_ref().map(|(path, (mean, min))| {
        json!({ "reference": path.to_string_lossy(), "mean": rounded(Some(*mean), 7), "min": rounded(Some(*min), 7) })
    });
    fields.push(("cosine", faithful.unwrap_or(Value::Null)));
    session.print(&found.text(cosine.map(|(_, figures)| figures)), &object(fields))
}

/// The pictures of a folder and those in it, in the order of their paths, decoded.
fn pictures(folder: &Path, limit: usize, session: &Session) -> Result<Vec<Arc<RgbImage>>, Failure> {
    let mut paths: Vec<_> = WalkBuilder::new(folder)
        .build()
        .filter_map(Result::ok)
        .map(ignore::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|ending| PICTURES.iter().any(|of| ending.eq_ignore_ascii_case(of))))
        .collect();
    paths.sort();
    paths.truncate(limit);
    let megapixels = LoadOptions::default().max_megapixels;
    let read = |path: &PathBuf| match corpus::read_image(path, megapixels) {
        Ok(picture) => Some(Arc::new(picture)),
        Err(why) => {
            session.say(&format!("{}: left out, {why}", path.display()));
            None
        }
    };
    let pictures: Vec<_> = paths.iter().filter_map(read).collect();
    if pictures.is_empty() {
        let message = "there are no pictures in it; texts come from one file".to_owned();
        return Err(Failure::Task(TaskError::Format { path: folder.to_owned(), message }));
    }
    Ok(pictures)
}

/// The texts of a file, in order: of JSON lines the field "text", of others each line.
fn read(path: &Path) -> Result<Vec<String>, Failure> {
    let fault = |message: String| Failure::Task(TaskError::Format { path: path.to_owned(), message });
    let whole = fs_err::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    let json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("jsonl"));
    let text = |(at, line): (usize, &str)| match json {
        false => Ok(line.to_owned()),
        true => serde_json::from_str::<Value>(line)
            .ok()
            .and_then(|row| row.get("text")?.as_str().map(str::to_owned))
            .ok_or_else(|| fault(format!("line {} is no object with a field \"text\"", at + 1))),
    };
    let lines = whole.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let texts = lines.map(text).collect::<Result<Vec<_>, _>>()?;
    if texts.is_empty() { Err(fault("there are no texts in it".to_owned())) } else { Ok(texts) }
}

/// Texts of 12 to 20 words in the order of the file, else the first words of texts; again from the start where there are too few.
fn queries(texts: &[String]) -> Vec<String> {
    let long = |text: &&String| WORDS.contains(&text.split_whitespace().count());
    let mut found: Vec<String> = texts.iter().filter(long).take(WARM_UP + QUERIES).cloned().collect();
    let begin = |text: &String| text.split_whitespace().take(*WORDS.start()).collect::<Vec<_>>().join(" ");
    let missing = (WARM_UP + QUERIES).saturating_sub(found.len());
    found.extend(texts.iter().cycle().take(missing).map(begin));
    found
}

/// Mean and least cosine to the reference, row by row.
fn cosines(path: &Path, reference: &Vectors, made: &Vectors) -> Result<(f64, f64), Failure> {
    if reference.dim() != made.dim() {
        let message = format!("its vectors have {} dimensions, those of the model {}", reference.dim(), made.dim());
        return Err(Failure::Task(TaskError::Format { path: path.to_owned(), message }));
    }
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
    let cosine = |(a, b): (&[f32], &[f32])| {
        let lengths = (dot(a, a) * dot(b, b)).sqrt();
        if lengths > 0.0 { dot(a, b) / lengths } else { 1.0 }
    };
    let all: Vec<f64> = reference.rows().zip(made.rows()).map(cosine).collect();
    Ok((all.iter().sum::<f64>() / all.len() as f64, all.into_iter().fold(f64::INFINITY, f64::min)))
}

/// Figures made of what was measured.
struct Found<'a> {
    times: &'a EmbedTimes,
    kind: &'static str,
    inputs: usize,
    seconds: f64,
    /// Median and 95th percentile of queries, in milliseconds.
    latency: [Option<f64>; 2],
    /// Billions of operations a second.
    rate: Option<f64>,
    /// Which peak they are held against, and the share of it.
    against: &'static str,
    share: Option<f64>,
}

impl<'a> Found<'a> {
    fn new(request: &EmbedTrial, times: &'a EmbedTimes, peak: Option<Peak>) -> Self {
        let seconds = median(&times.runs).unwrap_or(f64::NAN);
        let mut queries = times.queries.clone();
        queries.sort_by(f64::total_cmp);
        let late = queries.get(queries.len() * 95 / 100).or(queries.last()).copied();
        let latency = [median(&queries), late].map(|seconds| seconds.map(|seconds| seconds * 1e3));
        let rate = times.operations_per_token.map(|each| each * times.tokens as f64 / seconds / 1e9);
        let (against, most) = match times.card.precision.unwrap_or_default().runs_as() {
            // Tiles multiply each float as three bfloat16, by six products.
            Precision::F32 if level() == Level::Amx => ("bfloat_gflops / 6", peak.map(|peak| peak.bfloat_gflops / 6.0)),
            Precision::F32 => ("single_gflops", peak.map(|peak| peak.single_gflops)),
            Precision::Bf16 => ("bfloat_gflops", peak.map(|peak| peak.bfloat_gflops)),
            Precision::Int8 => ("byte_gops", peak.map(|peak| peak.byte_gops)),
        };
        let share = most.filter(|&most| most > 0.0).and_then(|most| Some(rate? / most));
        let (kind, inputs) = (request.inputs.kind(), request.inputs.len());
        Self { times, kind, inputs, seconds, latency, rate, against, share }
    }

    fn json(&self, session: &Session) -> Vec<(&'static str, Value)> {
        let times = self.times;
        let card = &times.card;
        let [median, late] = self.latency.map(|ms| rounded(ms, 3));
        vec![
            ("model", json!(card.id)),
            ("name", json!(card.name)),
            ("precision", json!(card.precision)),
            ("runs_as", json!(card.precision.map(Precision::runs_as))),
            ("threads", session.env.thread_count().into()),
            ("kernel", json!(kernel_name())),
            ("cpu_level", json!(level().word())),
            ("runs", times.runs.len().into()),
            (self.kind, self.inputs.into()),
            ("tokens", times.tokens.into()),
            ("tokens_cut", times.cut.into()),
            ("dimensions", card.dimensions.into()),
            (
                if self.kind == "texts" { "texts_per_second" } else { "pictures_per_second" },
                rounded(Some(self.inputs as f64 / self.seconds), 1),
            ),
            ("tokens_per_second", rounded(Some(times.tokens as f64 / self.seconds), 0)),
            // Sequences lie one after the other: nothing is filled up.
            ("padding_share", json!(0.0)),
            ("query_ms", json!({ "median": median, "p95": late, "queries": times.queries.len() })),
            (
                "seconds",
                json!({
                    "load": rounded(Some(times.load), 4), "first_vector": rounded(Some(times.first), 4),
                    "embed": rounded(Some(self.seconds), 4), "longest_step": rounded(Some(times.longest_step), 4),
                    "each_run": times.runs.iter().map(|&seconds| rounded(Some(seconds), 4)).collect::<Vec<_>>(),
                }),
            ),
            ("share_of_peak", rounded(self.share, 4)),
            ("work", times.operations_per_token.map_or(Value::Null, |each| self.work(each))),
        ]
    }

    fn work(&self, each: f64) -> Value {
        json!({
            "formula": "tokens · 2 · weights of the layers' matrix products", "stage": "embed",
            "operations_per_token": each, "giga_operations_per_second": rounded(self.rate, 2), "against": self.against,
        })
    }

    fn text(&self, cosine: Option<(f64, f64)>) -> String {
        let times = self.times;
        let numbers = times.card.precision.map_or(String::new(), |precision| format!(" in {}", precision.runs_as()));
        let mut text = format!("{}{numbers}, {}\n", times.card.name, kernel_name());
        let per_second = |number: f64| count((number / self.seconds).round() as u64);
        let ms = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.2} ms"));
        let mut lines = vec![
            (self.kind, count(self.inputs as u64)),
            (if self.kind == "texts" { "texts a second" } else { "pictures a second" }, per_second(self.inputs as f64)),
            ("to open the model", format!("{:.3} s", times.load)),
            ("to the first vector", format!("{:.3} s", times.first)),
            ("a query alone, median", ms(self.latency[0])),
            ("a query alone, 95 of 100", ms(self.latency[1])),
        ];
        if times.tokens > 0 {
            lines.insert(2, ("tokens a second", per_second(times.tokens as f64)));
        }
        if let (Some(rate), Some(share)) = (self.rate, self.share) {
            lines.push(("share of the peak", format!("{:.0} % ({rate:.0} Gop/s)", share * 100.0)));
        }
        if let Some((mean, min)) = cosine {
            lines.push(("cosine to the reference", format!("mean {mean:.6}, least {min:.6}")));
        }
        let rows: Vec<Vec<String>> = lines.into_iter().map(|(name, value)| vec![format!("  {name}"), value]).collect();
        text += &columns(&rows, "lr");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_texts_of_their_length_or_beginnings() {
        let words = |count: usize| vec!["word"; count].join(" ");
        let texts = vec![words(15), words(40), words(3)];
        let made = queries(&texts);
        assert_eq!(made.len(), WARM_UP + QUERIES);
        assert_eq!([&made[0], &made[1], &made[2], &made[3]], [&words(15), &words(12), &words(12), &words(3)]);
    }

    #[test]
    fn cosines_are_of_rows_in_order() {
        let vectors = |values: &[f32]| Vectors::new(values.to_vec(), 2).unwrap();
        let (mean, min) =
            cosines(Path::new("r"), &vectors(&[1.0, 0.0, 0.0, 2.0]), &vectors(&[3.0, 0.0, 1.0, 0.0])).unwrap();
        assert_eq!((mean, min), (0.5, 0.0));
        assert!(cosines(Path::new("r"), &vectors(&[1.0, 0.0]), &Vectors::new(vec![1.0], 1).unwrap()).is_err());
    }
}
