//! `embedlens models download`: a model of the hub, into the cache.

use std::time::Instant;

use serde_json::{Value, json};

use super::json;
use super::models_args::DownloadArgs;
use super::session::{Failure, Session};
use super::text::{megabytes, plural};
use crate::tasks::{self, DownloadRequest};

pub(super) fn run(args: &DownloadArgs, session: &Session) -> Result<(), Failure> {
    let request = DownloadRequest { name: args.name.clone(), revision: args.revision.clone(), pickle: args.pickle };
    let started = Instant::now();
    let got = session.watch(|env, progress| tasks::download_model(&request, env, progress))?;
    let seconds = started.elapsed().as_secs_f64();
    let bytes: u64 = got.files.iter().map(|(_, size)| size).sum();
    let came = if got.fetched == 0 {
        "all of it was there".to_owned()
    } else {
        format!("{} came in {seconds:.1} s", megabytes(got.fetched))
    };
    // Only the main revision is found by the model's name.
    let main = request.revision.as_deref().is_none_or(|revision| revision == "main");
    let model = if main { got.id.clone() } else { got.folder.display().to_string() };
    let pickled = got.files.iter().all(|(name, _)| !name.ends_with(".safetensors"));
    let next = if pickled {
        format!("Its weights are pickled: embedlens models convert {} --out FOLDER", got.folder.display())
    } else {
        format!("Use it with: --model {model}")
    };
    let text = format!(
        "{} at {}: {}, {} ({came})\n{}\n{next}\n",
        got.id,
        &got.commit[..got.commit.len().min(12)],
        plural(got.files.len(), "file", "files"),
        megabytes(bytes),
        got.folder.display(),
    );
    let files: Value = got.files.iter().map(|(name, size)| json!({ "path": name, "bytes": size })).collect();
    let fields = [
        ("id", json!(got.id)),
        ("revision", json!(request.revision.as_deref().unwrap_or("main"))),
        ("commit", json!(got.commit)),
        ("path", json!(got.folder.to_string_lossy())),
        ("files", files),
        ("bytes", json!(bytes)),
        ("fetched_bytes", json!(got.fetched)),
        ("seconds", json::rounded(Some(seconds), 3)),
    ];
    session.print(&text, &json::object(fields))
}
