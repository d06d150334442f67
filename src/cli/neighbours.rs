//! `embedlens neighbours`: the nearest rows of every row.

use std::path::Path;

use serde_json::{Value, json};

use super::json::{object, rounded};
use super::maps;
use super::numeric_args::{NeighbourArgs, NeighboursArgs};
use super::session::{Failure, Session, check_out, out_for, spare_items};
use super::text::plural;
use crate::models::ModelId;
use crate::search::GraphChoice;
use crate::tasks::{self, ListRequest, Listed};
use crate::vectors::{Metric, Vectors, kernel_name};

pub(super) fn run(args: &NeighboursArgs, session: &Session) -> Result<(), Failure> {
    check_out(&args.out, &["csv", "jsonl", "parquet", "npz", "npy"], &args.paths)?;
    let found = maps::sources(session, &args.paths, (&args.model, &args.load), None, false)?;
    if let Some(corpus) = &found.corpus {
        spare_items(std::slice::from_ref(&args.out), corpus)?;
    }
    let (mut entries, mut text) = (Vec::new(), String::new());
    for (nth, source) in found.sources.iter().enumerate() {
        let request = args.search.request(&source.vectors, session.seed());
        let metric = request.metric.or(source.metric);
        let request = ListRequest { shared: Some(source.graph.clone()), metric, ..request };
        let listed = session.watch(|env, progress| tasks::neighbour_lists(&request, env, progress))?;
        listed.notes.iter().for_each(|note| session.say(note));
        let model = source.model.as_ref().map_or_else(|| ModelId("vectors".to_owned()), |(id, _)| id.clone());
        let out = out_for(&args.out, nth, &model);
        session.watch(|_, progress| tasks::export_neighbours(&listed.graph, &source.rows, &out, progress))?;
        text += &line(&listed, source.vectors.len(), &out);
        let mut fields = vec![
            ("model", source.model.as_ref().map_or(Value::Null, |(id, _)| json!(id))),
            ("out", json!(out.to_string_lossy())),
            ("rows", source.vectors.len().into()),
            ("dimensions", source.vectors.dim().into()),
        ];
        fields.extend(facts(&listed));
        fields.push(("notes", json!(listed.notes)));
        let mut seconds = session.seconds_json().to_vec();
        seconds.push(("neighbours", rounded(Some(listed.seconds), 4)));
        seconds.push(("recall", rounded(Some(listed.seconds_recall), 4)));
        fields.push(("seconds", object(seconds)));
        entries.push(object(fields));
    }
    let mut fields = found.corpus.as_deref().map(Session::corpus_json).unwrap_or_default();
    fields.push(Session::memory_json());
    session.print(&text, &super::project::with_first_on_top(entries, "lists", fields))
}

impl NeighbourArgs {
    /// What the task takes.
    pub(super) fn request(&self, vectors: &Vectors, seed: u64) -> ListRequest {
        let choice = match (self.exact, self.approximate) {
            (true, _) => GraphChoice::Exact,
            (false, true) => GraphChoice::Approximate,
            (false, false) => GraphChoice::Automatic,
        };
        let metric = self.metric.map(Metric::from);
        ListRequest { vectors: vectors.clone(), metric, k: self.k as usize, choice, seed, shared: None }
    }
}

/// What is known of how neighbours were found.
pub(super) fn facts(listed: &Listed) -> Vec<(&'static str, Value)> {
    vec![
        ("k", listed.graph.k.into()),
        ("metric", json!(listed.graph.metric)),
        ("exact", listed.graph.exact.into()),
        ("recall", rounded(listed.graph.recall.map(f64::from), 5)),
        ("kernel", json!(kernel_name())),
    ]
}

fn line(listed: &Listed, rows: usize, out: &Path) -> String {
    let graph = &listed.graph;
    let how = match (graph.exact, graph.recall) {
        (true, _) => "exact".to_owned(),
        (false, Some(recall)) => format!("recall {recall:.4}"),
        (false, None) => "approximate".to_owned(),
    };
    let rows = plural(rows, "row", "rows");
    format!(
        "{} of {rows} in {:.2} s, {how} → {}\n",
        plural(graph.k, "neighbour", "neighbours"),
        listed.seconds,
        out.display()
    )
}
