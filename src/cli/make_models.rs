//! `embedlens models convert` and `embedlens models distill`: folders of models, made from others.

use std::time::Instant;

use serde_json::json;

use super::json;
use super::make_args::{ConvertArgs, DistillArgs};
use super::session::{Failure, Session};
use super::text::{count, megabytes, plural};
use crate::models::ModelId;
use crate::tasks::{self, ConvertRequest, DistillRequest};

pub(super) fn convert(args: &ConvertArgs, session: &Session) -> Result<(), Failure> {
    let request = ConvertRequest { model: ModelId(args.model.clone()), out: args.out.clone(), to: args.dtype.into() };
    let done = session.watch(|env, progress| tasks::convert_model(&request, env, progress))?;
    let change = done.largest_error.as_ref().map_or_else(
        || "every weight is what it was".to_owned(),
        |(error, tensor)| format!("the largest change of a weight is {error:.2e} (in {tensor})"),
    );
    let text = format!(
        "{}: {} as {}, {} (before: {}); {change}\nUse it with: --model {}\n",
        done.folder.display(),
        plural(done.tensors, "tensor", "tensors"),
        request.to.word(),
        megabytes(done.bytes),
        megabytes(done.bytes_before),
        done.folder.display(),
    );
    let fields = [
        ("path", json!(done.folder.to_string_lossy())),
        ("dtype", json!(request.to)),
        ("tensors", json!(done.tensors)),
        ("bytes", json!(done.bytes)),
        ("bytes_before", json!(done.bytes_before)),
        ("largest_error", json!(done.largest_error.as_ref().map_or(0.0, |largest| largest.0))),
        ("largest_error_in", json!(done.largest_error.as_ref().map(|largest| &largest.1))),
        ("copied", json!(done.copied)),
    ];
    session.print(&text, &json::object(fields))
}

pub(super) fn distill(args: &DistillArgs, session: &Session) -> Result<(), Failure> {
    let corpus = match args.corpus.as_slice() {
        [] => None,
        paths => Some(session.load(paths, &args.load)?),
    };
    let mut request = DistillRequest::new(ModelId(args.model.clone()), args.out.clone());
    request.dimensions = args.dims as usize;
    request.words = args.words as usize;
    request.weighting = args.weighting.into();
    request.normalize = !args.no_normalize;
    request.half = !args.full;
    let started = Instant::now();
    let done = session.watch(|env, progress| tasks::distill(&request, corpus.as_deref(), env, progress))?;
    let seconds = started.elapsed().as_secs_f64();
    let kept = done.explained.map_or_else(String::new, |share| format!(", {:.1} % of the variance", 100.0 * share));
    let words =
        if done.words > 0 { format!(" ({} of them your own words)", count(done.words as u64)) } else { String::new() };
    let text = format!(
        "{}: {} tokens{words} of {} dimensions{kept}, {}, in {seconds:.1} s\nUse it with: --model {}\n",
        done.folder.display(),
        count(done.tokens as u64),
        done.dimensions,
        megabytes(done.bytes),
        done.folder.display(),
    );
    let fields = [
        ("path", json!(done.folder.to_string_lossy())),
        ("model", json!(request.model)),
        ("tokens", json!(done.tokens)),
        ("words", json!(done.words)),
        ("dimensions", json!(done.dimensions)),
        ("explained", json::rounded(done.explained.map(f64::from), 4)),
        ("weighting", json!(request.weighting)),
        ("bytes", json!(done.bytes)),
        ("seconds", json::rounded(Some(seconds), 3)),
    ];
    session.print(&text, &json::object(fields))
}
