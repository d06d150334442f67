//! `embedlens cluster`: groups of rows that are alike, with names.

use std::path::Path;

use rayon::prelude::*;
use serde_json::{Value, json};

use super::json::{object, quality, rounded};
use super::maps::{self, Source};
use super::numeric_args::ClusterArgs;
use super::session::{Failure, Session, check_out, out_for, spare_items};
use super::text::{columns, count, plural};
use crate::analysis::clusters::LISTED;
use crate::models::ModelId;
use crate::progress::Progress;
use crate::projection::Quality;
use crate::tasks::{self, RowClusterRequest, RowInfo, SheetColumn, TaskError};
use crate::workspace::{ClusterLevel, ClusterParams, Clustering, MapPoints, NO_CLUSTER, Positions, ProjectionParams};

pub(super) fn run(args: &ClusterArgs, session: &Session) -> Result<(), Failure> {
    if let Some(out) = &args.out {
        check_out(out, &["csv", "jsonl", "parquet"], &args.paths)?;
    }
    let params = args.cluster.params(session.seed()).map_err(Failure::Usage)?;
    let layout = args.layout_args();
    layout.strangers().iter().for_each(|words| session.say(words));
    let layout = layout.params(session.seed()).map_err(Failure::Usage)?;
    let on_map = params.method.on_map();
    let found = maps::sources(session, &args.paths, (&args.model, &args.load), on_map.then_some(&layout), false)?;
    if let (Some(corpus), Some(out)) = (&found.corpus, &args.out) {
        spare_items(std::slice::from_ref(out), corpus)?;
    }
    let (mut entries, mut text) = (Vec::new(), String::new());
    for (nth, mut source) in found.sources.into_iter().enumerate() {
        source.points = source.points.filter(|_| args.layout.is_none());
        if source.vectors.are_all_equal() {
            session.say("All vectors are equal: there are no clusters");
        }
        let made = clusters(session, &source, params, (layout, args.tuning.by_label))?;
        let model = source.model.as_ref().map_or_else(|| ModelId("vectors".to_owned()), |(id, _)| id.clone());
        let out = args.out.as_ref().map(|out| out_for(out, nth, &model));
        if let Some(out) = &out {
            session.watch(|_, progress| export((&made.clusters, &source.rows), args.soft, out, progress))?;
        }
        text += &table(&made.clusters, out.as_deref());
        entries.push(entry(&source, &made, out.as_deref(), session));
    }
    let mut fields = found.corpus.as_deref().map(Session::corpus_json).unwrap_or_default();
    fields.push(Session::memory_json());
    session.print(&text, &super::project::with_first_on_top(entries, "models", fields))
}

/// Clusters, and the map they were found on.
pub(super) struct Made {
    pub(super) clusters: Clustering,
    /// Seconds and quality of the layout that was made first; `None` where none was needed.
    pub(super) laid_out: Option<(f64, Option<Quality>)>,
}

/// Finds the clusters of one source, laying it out first where the method looks at a map and there is none.
pub(super) fn clusters(
    session: &Session,
    source: &Source,
    params: ClusterParams,
    layout: (ProjectionParams, bool),
) -> Result<Made, Failure> {
    let (points, laid_out) = match (params.method.on_map(), &source.points) {
        (false, _) => (Positions::Plane([].into()), None),
        (true, Some(points)) => (points.clone(), None),
        (true, None) => {
            let projection = maps::lay_out(session, source, layout)?;
            let seconds = projection.seconds.iter().sum();
            (MapPoints::from(&projection).at, Some((seconds, projection.quality)))
        }
    };
    Ok(Made { clusters: search(session, source, points, params)?, laid_out })
}

fn search(session: &Session, source: &Source, points: Positions, params: ClusterParams) -> Result<Clustering, Failure> {
    let request = RowClusterRequest {
        vectors: source.vectors.clone(),
        points,
        rows: source.rows.clone().into(),
        notes: source.notes.clone(),
        graph: source.graph.clone(),
        params,
    };
    Ok(session.watch(|env, progress| tasks::row_clusters(&request, env, progress))?)
}

/// The name of each row's cluster on a map that is there; empty for rows in none.
pub(super) fn on_map(
    session: &Session,
    source: &Source,
    points: Positions,
    params: ClusterParams,
) -> Result<Vec<String>, Failure> {
    let level = search(session, source, points, params)?.fine;
    let name = |&label: &i32| usize::try_from(label).ok().and_then(|label| level.names.get(label)).cloned();
    Ok(level.labels.iter().map(|label| name(label).unwrap_or_default()).collect())
}

/// The name of a row's cluster.
pub(super) fn name_of(level: &ClusterLevel, row: usize) -> &str {
    let named = usize::try_from(level.labels[row]).ok().and_then(|label| level.names.get(label));
    named.map_or(NO_CLUSTER, String::as_str)
}

fn export(
    (found, rows): (&Clustering, &[RowInfo]),
    soft: bool,
    out: &Path,
    progress: &Progress,
) -> Result<(), TaskError> {
    let numbers = |level: &ClusterLevel| SheetColumn::Numbers(level.labels.iter().map(|&label| label.into()).collect());
    let names = |level| SheetColumn::Words((0..rows.len()).map(|row| name_of(level, row)).collect());
    let mut sheet = vec![
        ("row", SheetColumn::Numbers(rows.iter().map(|row| row.row as i64).collect())),
        ("path", SheetColumn::Words(rows.iter().map(|row| row.path.as_str()).collect())),
        ("start", SheetColumn::Numbers(rows.iter().map(|row| row.start as i64).collect())),
        ("end", SheetColumn::Numbers(rows.iter().map(|row| row.end as i64).collect())),
        ("cluster", numbers(&found.fine)),
        ("name", names(&found.fine)),
        ("membership", SheetColumn::Shares(found.membership.to_vec())),
        ("coarse_cluster", numbers(&found.coarse)),
        ("coarse_name", names(&found.coarse)),
    ];
    if soft {
        const COLUMNS: [[&str; 3]; LISTED] = [
            ["soft_1", "soft_1_name", "soft_1_share"],
            ["soft_2", "soft_2_name", "soft_2_share"],
            ["soft_3", "soft_3_name", "soft_3_share"],
        ];
        // Outside the loop: what is made once must not be made from within a parallel one.
        found.prepare();
        let each: Vec<_> = (0..rows.len()).into_par_iter().map(|row| found.likeliest(row)).collect();
        for (place, [cluster, name, share]) in COLUMNS.into_iter().enumerate() {
            let named = |cluster: i32| usize::try_from(cluster).ok().and_then(|at| found.fine.names.get(at));
            let listed = || each.iter().map(|row| row[place]);
            sheet.push((cluster, SheetColumn::Numbers(listed().map(|(cluster, _)| cluster.into()).collect())));
            let names = listed().map(|(cluster, _)| named(cluster).map_or("", String::as_str)).collect();
            sheet.push((name, SheetColumn::Words(names)));
            sheet.push((share, SheetColumn::Shares(listed().map(|(_, share)| share).collect())));
        }
    }
    tasks::write_sheet(&sheet, out, progress)
}

fn listed(level: &ClusterLevel) -> Vec<Value> {
    let named = level.names.iter().zip(level.sizes.iter()).enumerate();
    named.map(|(id, (name, size))| json!({ "id": id, "name": name, "size": size })).collect()
}

fn entry(source: &Source, made: &Made, out: Option<&Path>, session: &Session) -> Value {
    let found = &made.clusters;
    let mut seconds = session.seconds_json().to_vec();
    let layout = made.laid_out.map(|(seconds, _)| seconds);
    seconds.push(("layout", rounded(layout, 3)));
    seconds.push(("clusters", rounded(Some(found.seconds), 4)));
    let mut fields = vec![
        ("model", source.model.as_ref().map_or(Value::Null, |(id, _)| json!(id))),
        ("method", json!(found.params.method)),
        ("out", out.map_or(Value::Null, |out| json!(out.to_string_lossy()))),
        ("rows", source.rows.len().into()),
        ("clusters", listed(&found.fine).into()),
        ("coarse_clusters", listed(&found.coarse).into()),
        ("noise", rounded(Some(f64::from(found.noise())), 4)),
        ("seconds", object(seconds)),
    ];
    if let Some((_, figures)) = made.laid_out {
        fields.extend(quality(figures));
    }
    object(fields)
}

fn table(found: &Clustering, out: Option<&Path>) -> String {
    let rows = found.fine.labels.len();
    let mut text = format!(
        "{}: {} among {}, {:.1} % in none, {:.2} s{}\n",
        found.params.method.name(),
        plural(found.len(), "cluster", "clusters"),
        plural(rows, "row", "rows"),
        found.noise() * 100.0,
        found.seconds,
        out.map_or_else(String::new, |out| format!(" → {}", out.display()))
    );
    let named = found.fine.names.iter().zip(found.fine.sizes.iter()).enumerate();
    let lines: Vec<Vec<String>> =
        named.map(|(id, (name, &size))| vec![format!("  {id}"), count(size as u64), name.clone()]).collect();
    text += &columns(&lines, "rrl");
    text
}
