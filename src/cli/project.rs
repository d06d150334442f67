//! `embedlens project`: vectors to positions on disk.

use std::path::Path;

use serde_json::{Value, json};

use super::args::ProjectArgs;
use super::json::{self, object, rounded};
use super::maps::{self, Source};
use super::session::{Failure, Session, check_out, out_for, spare_items};
use super::text::plural;
use crate::models::ModelId;
use crate::projection::Method;
use crate::tasks;
use crate::workspace::Projection;

pub(super) fn run(args: &ProjectArgs, session: &Session) -> Result<(), Failure> {
    check_out(&args.out, &["csv", "parquet", "npy"], &args.paths)?;
    let found = maps::sources(session, &args.paths, (&args.model, &args.load, &args.layout), false)?;
    if let Some(corpus) = &found.corpus {
        spare_items(std::slice::from_ref(&args.out), corpus)?;
    }
    let (mut entries, mut text) = (Vec::new(), String::new());
    for (nth, source) in found.sources.iter().enumerate() {
        let projection = maps::lay_out(session, source, &args.layout)?;
        let model = source.model.as_ref().map_or_else(|| ModelId("vectors".to_owned()), |(id, _)| id.clone());
        let out = out_for(&args.out, nth, &model);
        tasks::export_projection(&projection, &source.rows, &out)?;
        text += &line(&projection, &out);
        entries.push(entry(source, &projection, &out, session));
    }
    let mut fields = found.corpus.as_deref().map(Session::corpus_json).unwrap_or_default();
    fields.push(Session::memory_json());
    // The first map's figures stand at the top, where scripts for one model look.
    let mut document = entries.first().cloned().unwrap_or_else(|| json!({}));
    if let Value::Object(top) = &mut document {
        if entries.len() > 1 {
            fields.push(("maps", entries.into()));
        }
        if let Value::Object(more) = object(fields) {
            top.extend(more);
        }
    }
    session.print(&text, &document)
}

fn entry(source: &Source, projection: &Projection, out: &Path, session: &Session) -> Value {
    let [neighbours, layout, quality] = projection.seconds;
    let pca = projection.params.method == Method::Pca;
    let variance: Value =
        projection.explained_variance.iter().map(|&share| rounded(Some(f64::from(share)), 6)).collect();
    let kl: Vec<Value> =
        projection.kl.iter().map(|&(iteration, kl)| json!([iteration, rounded(Some(f64::from(kl)), 5)])).collect();
    let mut seconds = session.seconds_json().to_vec();
    let of_map = [
        ("neighbours", neighbours),
        ("layout", layout),
        ("quality", quality),
        ("total", neighbours + layout + quality),
    ];
    seconds.extend(of_map.map(|(name, seconds)| (name, rounded(Some(seconds), 3))));
    let mut fields = vec![
        ("model", source.model.as_ref().map_or(Value::Null, |(id, _)| json!(id))),
        ("method", json!(projection.params.method)),
        ("out", json!(out.to_string_lossy())),
        ("rows", projection.points.len().into()),
        ("seconds", object(seconds)),
    ];
    fields.extend(json::quality(projection.quality));
    fields.push(("explained_variance", if pca { variance } else { Value::Null }));
    fields.push(("kl", kl.into()));
    object(fields)
}

fn line(projection: &Projection, out: &Path) -> String {
    let seconds: f64 = projection.seconds.iter().sum();
    let trust = projection.quality.map_or_else(String::new, |quality| {
        format!(", trustworthiness {:.3}, neighbours kept {:.3}", quality.trustworthiness, quality.neighbours_kept)
    });
    let variance = match projection.params.method {
        Method::Pca => {
            let two: f32 = projection.explained_variance.iter().take(2).sum();
            format!(", {:.1} % of the variance", two * 100.0)
        }
        Method::Tsne | Method::Umap => String::new(),
    };
    format!(
        "{}: {} in {seconds:.1} s{trust}{variance} → {}\n",
        projection.params.method.name(),
        plural(projection.points.len(), "row", "rows"),
        out.display()
    )
}
