//! Questions to vectors that came from files: a query against them, and how far two files agree.
//!
//! What a file does not say (which model made it) the caller does. Invariant: a query is only asked of vectors of its own dimension.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Instant;

use super::agree::{Side, agree_vectors};
use super::answer::embed_query;
use super::models::modalities_of;
use super::{Environment, Imported, Only, Query, TaskError, import_set, model_card, vector_sets};
use crate::analysis::AnalysisError;
use crate::corpus::{LoadOptions, Modality};
use crate::models::{InputKind, ModelCard, ModelId};
use crate::progress::Progress;
use crate::search;
use crate::vectors::{Metric, Vectors};
use crate::workspace::Agreement;

/// A file of vectors, or files that are one set, read.
#[derive(Clone, Debug)]
pub struct StoredVectors {
    /// The file; for several what they are called.
    pub path: PathBuf,
    /// Its vectors and what is known of them.
    pub imported: Imported,
}

impl StoredVectors {
    /// The file's name.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }
}

/// Reads files of vectors; numbered files of one whole, and the files of a folder, are one.
///
/// # Errors
/// Cancelled; one of them makes no sense.
pub fn read_stored(paths: &[PathBuf], progress: &Progress) -> Result<Vec<StoredVectors>, TaskError> {
    let sets = vector_sets(paths).into_iter();
    sets.map(|set| Ok(StoredVectors { imported: import_set(&set, progress)?, path: set.path })).collect()
}

/// A query to files of vectors of one model.
#[derive(Clone, Debug)]
pub struct StoredQuery {
    /// The files.
    pub files: Vec<StoredVectors>,
    /// The model that made them.
    pub model: ModelId,
    /// What is asked.
    pub query: Query,
    /// Hits a group.
    pub top: usize,
    /// Rows it is asked of; `rows` of it is not looked at.
    pub only: Only,
}

/// A ranking over all files for one modality.
#[derive(Clone, Debug, Default)]
pub struct StoredGroup {
    /// "text", "code", "image".
    pub modality: String,
    /// Which file, which row in it, and the score; best first.
    pub hits: Vec<(usize, usize, f32)>,
}

/// The answer of files of vectors.
#[derive(Clone, Debug)]
pub struct StoredAnswer {
    /// The model's card.
    pub card: ModelCard,
    /// How many rows it was asked of; `None` stands for all.
    pub within: Option<usize>,
    /// One ranking a modality, in the order the modalities are listed.
    pub groups: Vec<StoredGroup>,
    /// Seconds to embed the query.
    pub seconds_query: f64,
    /// Seconds to search.
    pub seconds_search: f64,
}

/// Answers a query from files of vectors.
///
/// # Errors
/// Cancelled; the model is not here, or cannot read the query; a file has vectors of another dimension.
pub fn answer_stored(request: &StoredQuery, env: &Environment, progress: &Progress) -> Result<StoredAnswer, TaskError> {
    progress.check()?;
    let card = model_card(&request.model, env)?;
    for file in &request.files {
        let found = file.imported.vectors.dim();
        if found != card.dimensions {
            let message = format!(
                "its vectors have {found} dimensions, those of {} have {}: name the model that made them with --model",
                card.id, card.dimensions
            );
            return Err(TaskError::Format { path: file.path.clone(), message });
        }
    }
    let asked = match (&request.query, card.input) {
        (Query::Text(_), _) => card.text_query_model.clone(),
        (Query::Image(_), InputKind::Image | InputKind::Both) => Some(card.id.clone()),
        (Query::Image(_), InputKind::Text) => None,
    };
    let asked = asked.ok_or_else(|| TaskError::CannotAsk { model: card.name.clone() })?;
    let started = Instant::now();
    let query = embed_query(&request.query, &asked, LoadOptions::default().max_megapixels, env)?;
    let seconds_query = started.elapsed().as_secs_f64();
    progress.check()?;
    let started = Instant::now();
    let (within, groups) = env.run(|| rank(request, &card, &query));
    let within = (!request.only.is_all()).then_some(within);
    Ok(StoredAnswer { card, within, groups, seconds_query, seconds_search: started.elapsed().as_secs_f64() })
}

/// How many rows were asked, and a ranking of each modality among them.
fn rank(request: &StoredQuery, card: &ModelCard, query: &[f32]) -> (usize, Vec<StoredGroup>) {
    let usual = modalities_of(card.input)[0].name();
    let modality = |file: &StoredVectors, row: usize| match file.imported.rows[row].modality.as_str() {
        "" => usual.to_owned(),
        known => known.to_owned(),
    };
    let kind = |name: &str| Modality::ALL.into_iter().find(|kind| kind.name() == name);
    let admitted: Vec<Vec<bool>> = request
        .files
        .iter()
        .map(|file| {
            let rows = file.imported.rows.iter().enumerate();
            rows.map(|(row, info)| request.only.admits(&info.path, &info.label, kind(&modality(file, row)))).collect()
        })
        .collect();
    let mut names: Vec<String> = Vec::new();
    for (file, admitted) in request.files.iter().zip(&admitted) {
        for row in (0..file.imported.rows.len()).filter(|&row| admitted[row]) {
            let name = modality(file, row);
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.sort_by_key(|name| ["text", "code", "image"].iter().position(|known| known == name).unwrap_or(3));
    let group = |name: String| {
        let mut hits: Vec<(usize, usize, f32)> = Vec::new();
        for (at, file) in request.files.iter().enumerate() {
            let of_name = |row: usize| admitted[at][row] && modality(file, row) == name;
            let found = search::top_k(&file.imported.vectors, query, Metric::Cosine, request.top, Some(&of_name));
            hits.extend(found.into_iter().map(|hit| (at, hit.position as usize, hit.score)));
        }
        // Stable: equal scores stay in the order of files and rows.
        hits.sort_by(|a, b| b.2.total_cmp(&a.2));
        hits.truncate(request.top);
        StoredGroup { modality: name, hits }
    };
    let asked = admitted.iter().flatten().filter(|&&row| row).count();
    (asked, names.into_iter().map(group).collect())
}

/// How far two files agree, by the number of the row in the file: a row that either leaves out is compared in neither. The ids are the files' names, or their paths where the names are the same.
///
/// # Errors
/// Cancelled; another number of rows; fewer than two rows; one of the files has no variance.
pub fn agree_stored(
    [a, b]: [&StoredVectors; 2],
    k: usize,
    env: &Environment,
    progress: &Progress,
) -> Result<Agreement, TaskError> {
    let same = a.name() == b.name();
    let id = |file: &StoredVectors| if same { file.path.display().to_string() } else { file.name() };
    // Files of different lengths may keep as many rows; they are not the same ones for that.
    let length = |file: &StoredVectors| file.imported.rows.len() + file.imported.left_out.len();
    if length(a) != length(b) {
        let source = AnalysisError::RowsDiffer { a: length(a), b: length(b) };
        return Err(TaskError::Analysis { a: id(a), b: id(b), source });
    }
    let side = |file: &StoredVectors, other: &StoredVectors| {
        let vectors = in_both(file, other);
        Side {
            id: ModelId(id(file)),
            name: id(file),
            vectors,
            graph: Default::default(),
            metric: crate::vectors::Metric::Cosine,
        }
    };
    agree_vectors(&side(a, b), &side(b, a), k, env, progress)
}

/// The vectors of the rows that another file keeps too, in the order of the file.
fn in_both(file: &StoredVectors, other: &StoredVectors) -> Vectors {
    let same = file.imported.left_out.is_empty() && other.imported.left_out.is_empty();
    if same {
        return file.imported.vectors.clone();
    }
    let kept: HashSet<usize> = other.imported.rows.iter().map(|info| info.row).collect();
    let rows = file.imported.rows.iter().enumerate().filter(|(_, info)| kept.contains(&info.row));
    file.imported.vectors.select(rows.map(|(place, _)| place))
}
