//! From paths or a vectors file to maps: what `project`, `render`, `neighbours` and `cluster` share.

use std::path::PathBuf;
use std::sync::Arc;

use super::options::{LoadArgs, ModelArgs};
use super::session::{Failure, Session};
use super::stored;
use super::text::plural;
use crate::corpus::{Corpus, Modality};
use crate::models::ModelId;
use crate::projection::Method;
use crate::tasks::{self, Imported, LiveSlot, ProjectRequest, RowInfo, VectorSet};
use crate::vectors::{Metric, RowId, Vectors};
use crate::workspace::{Positions, Projection, ProjectionParams, SharedGraph};

/// Vectors and what is known of their rows.
pub(super) struct Source {
    pub(super) vectors: Vectors,
    /// What they were made of, where they were made shorter.
    pub(super) original: Option<Vectors>,
    pub(super) rows: Vec<RowInfo>,
    /// The model; `None` for vectors from a file.
    pub(super) model: Option<(ModelId, String)>,
    /// Positions that the file of vectors came with.
    pub(super) points: Option<Positions>,
    /// Likeliest classes of each picture; empty for others.
    pub(super) notes: Arc<[String]>,
    /// The vectors' neighbours, once found.
    pub(super) graph: SharedGraph,
    /// What its maps count as near, where nothing else is asked for and its vectors would say otherwise.
    pub(super) metric: Option<Metric>,
}

/// Everything that was asked for.
pub(super) struct Sources {
    /// The corpus; `None` for vectors from a file.
    pub(super) corpus: Option<Arc<Corpus>>,
    pub(super) sources: Vec<Source>,
}

/// Loads and embeds the paths, or reads vectors: several files as one set. With `one`, only the first model's set. A layout that cannot take so many
/// rows fails before they are embedded.
pub(super) fn sources(
    session: &Session,
    paths: &[PathBuf],
    (model, load): (&ModelArgs, &LoadArgs),
    layout: Option<&ProjectionParams>,
    one: bool,
) -> Result<Sources, Failure> {
    if holds_only_vectors(paths)? {
        return Ok(Sources { corpus: None, sources: vec![stored_source(session, &VectorSet::one(paths))?] });
    }
    let corpus = session.load(paths, load)?;
    let mut models = model.or(|| tasks::default_models(&corpus));
    if one {
        models.truncate(1);
    }
    if let Some(layout) = layout.filter(|layout| layout.method == Method::Tsne) {
        for model in &models {
            let card = tasks::model_card(model, &session.env)?;
            tasks::check_engine(&layout.tsne, tasks::rows_read_by(&corpus, &card))?;
        }
    }
    let (mut sources, mut cards) = (Vec::new(), Vec::new());
    for model in &models {
        let set = session.embed(&corpus, model)?;
        let rows = tasks::set_table(&corpus, &set);
        let model = Some((set.card.id.clone(), set.card.name.clone()));
        let (notes, graph) = (set.notes.clone(), set.graph.clone());
        let (vectors, metric) = (set.vectors.clone(), set.map_metric());
        sources.push(Source { vectors, original: None, rows, model, notes, graph, points: None, metric });
        cards.push(set.card.clone());
    }
    let cards: Vec<_> = cards.iter().collect();
    for (modality, count) in tasks::unread_modalities(&corpus, &cards) {
        let left = match modality {
            Modality::Text => plural(count, "text", "texts"),
            Modality::Code => plural(count, "file of code", "files of code"),
            Modality::Image => plural(count, "picture", "pictures"),
        };
        session.say(&format!("Left off the map: {left}, which no model that was chosen reads"));
    }
    Ok(Sources { corpus: Some(corpus), sources })
}

/// Whether the paths are vectors; a lone table of numbers is.
fn holds_only_vectors(paths: &[PathBuf]) -> Result<bool, Failure> {
    match paths {
        [path] => Ok(tasks::holds_vectors(path)),
        _ => stored::are_vectors(paths),
    }
}

/// The rows of one set of vectors.
pub(super) fn stored_source(session: &Session, set: &VectorSet) -> Result<Source, Failure> {
    let imported = session.read(set)?;
    let (notes, graph) = Default::default();
    let Imported { vectors, rows, points, .. } = imported;
    Ok(Source { vectors, original: None, rows, model: None, notes, graph, points, metric: None })
}

/// Lays one source out.
pub(super) fn lay_out(
    session: &Session,
    source: &Source,
    (params, by_label): (ProjectionParams, bool),
) -> Result<Projection, Failure> {
    if by_label && source.rows.iter().all(|row| row.label.is_empty()) {
        return Err(Failure::Usage("--by-label needs labels, but no row has one".to_owned()));
    }
    let params = ProjectionParams { metric: params.metric.or(source.metric), ..params };
    let rows = (0..source.vectors.len() as u32).map(RowId).collect();
    let request = ProjectRequest {
        labels: by_label.then(|| label_numbers(&source.rows)),
        graph: source.graph.clone(),
        original: source.original.clone(),
        // Without a cache no other run finds them either.
        alone: session.env.cache_dir.is_none(),
        ..ProjectRequest::new(source.vectors.clone(), rows, params)
    };
    let projection = session.watch(|env, progress| tasks::project(&request, &LiveSlot::default(), env, progress))?;
    projection.notes.iter().for_each(|note| session.say(note));
    Ok(projection)
}

/// The labels of rows as numbers; −1 for rows without one.
fn label_numbers(rows: &[RowInfo]) -> std::sync::Arc<[i32]> {
    let mut numbers = std::collections::BTreeMap::new();
    let number = |row: &RowInfo| {
        let next = numbers.len() as i32;
        if row.label.is_empty() { -1 } else { *numbers.entry(row.label.clone()).or_insert(next) }
    };
    rows.iter().map(number).collect()
}

/// The positions a source came with, as a map. `None` where it has none, or a method was asked for.
pub(super) fn as_it_is(source: &Source, params: ProjectionParams, unasked: bool) -> Option<Projection> {
    let points = source.points.as_ref().filter(|_| unasked)?;
    let rows = (0..source.vectors.len() as u32).map(RowId).collect();
    let space = points.space().cloned();
    let params = ProjectionParams { dimensions: if space.is_some() { 3 } else { params.dimensions }, ..params };
    Some(Projection { space, ..Projection::new(params, rows, points.front()) })
}
