//! Files of vectors as what the window shows: a corpus with an item a row, and an embedding set without a model.
//!
//! Several files are several sets of the same rows; the files of a folder, and numbered files of one whole, are one set. Invariants: row `n` of the corpus is row `n` of each file; a row without a usable
//! vector is in the corpus and among the set's failed rows.

mod items;
mod told;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) use told::FileRows;

use super::{Environment, Imported, TaskError, VectorSet, import_set, listed_models, vector_sets};
use crate::corpus::{Corpus, LoadOptions, Modality};
use crate::models::{self, InputKind, ModelCard, ModelId, ModelSource, Pooling};
use crate::progress::Progress;
use crate::vectors::{RowId, norm};
use crate::workspace::{EmbeddingSet, Positions};

/// Rows that are looked at to tell whether all vectors have length 1.
const LOOKED_AT: usize = 1000;

/// Files of vectors, opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// An item a row, in the order of the file.
    pub corpus: Arc<Corpus>,
    /// One set a file.
    pub sets: Vec<OpenedSet>,
}

/// The vectors of one file.
#[derive(Clone, Debug)]
pub struct OpenedSet {
    /// The vectors under a card that stands for the file.
    pub set: EmbeddingSet,
    /// Ready positions, one a row of the set: columns of the file, or the vectors themselves where they have two or three dimensions.
    pub points: Option<Positions>,
    /// What the user should know of the file: a sentence each.
    pub notes: Vec<String>,
}

/// Opens files of vectors. What is known of the rows is taken from the file that tells the most.
///
/// # Errors
/// Cancelled; a file makes no sense; two files have another number of rows.
pub fn open_vectors(
    paths: &[PathBuf],
    options: &LoadOptions,
    env: &Environment,
    progress: &Progress,
) -> Result<Opened, TaskError> {
    let whole = vector_sets(paths);
    let mut files = Vec::with_capacity(whole.len());
    for set in &whole {
        files.push((set, env.run(|| import_set(set, progress))?));
    }
    let rows = |file: &Imported| file.rows.len() + file.left_out.len();
    let Some((first, others)) = files.split_first() else { return Err(crate::corpus::LoadError::NoRoots.into()) };
    if let Some((set, file)) = others.iter().find(|(_, file)| rows(file) != rows(&first.1)) {
        let message = format!(
            "it has {} rows, {} has {}: files that are opened together must be vectors of the same rows; open one of them, or, if they \
             are parts of one set, the folder they lie in",
            rows(file),
            first.0.path.display(),
            rows(&first.1)
        );
        return Err(TaskError::Format { path: set.path.clone(), message });
    }
    let told = |(place, (_, file)): &(usize, &(&VectorSet, Imported))| {
        let known = file.rows.iter().filter(|row| !row.text.is_empty() || !row.path.is_empty()).count();
        let besides = file.rows.first().and_then(|row| row.more.columns()).map_or(0, |columns| columns.len());
        (known, file.rows.iter().any(|row| !row.label.is_empty()), besides, std::cmp::Reverse(*place))
    };
    let best = files.iter().enumerate().max_by_key(told).map_or(0, |(place, _)| place);
    let corpus = items::corpus((&files[best].0.path, &files[best].1), paths, options, (env, progress))?;
    let known = listed_models(env);
    let mut sets: Vec<OpenedSet> = Vec::with_capacity(files.len());
    for (set, file) in files {
        let path = &set.path;
        let mut card = card(path, &file, &corpus, &known);
        if sets.iter().any(|other| other.set.card.id == card.id) {
            card.id = ModelId(format!("vectors:{}", path.display()));
            card.name = path.display().to_string();
        }
        sets.push(opened(file, card, &corpus));
    }
    Ok(Opened { corpus: Arc::new(corpus), sets })
}

/// The card that stands for a file. The model that made its vectors is used for queries where it is here and fits.
fn card(path: &Path, file: &Imported, corpus: &Corpus, known: &[ModelCard]) -> ModelCard {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let dimensions = file.vectors.dim();
    let maker = file.model.as_ref().map(models::canonical);
    let made = |id: ModelId| {
        let (name, precision) = id.parts();
        let named = |card: &&ModelCard| card.dimensions == dimensions && (card.id.0 == name || card.id == id);
        known.iter().find(named).map(|card| if card.id == id { card.clone() } else { card.clone().at(precision) })
    };
    let maker =
        maker.and_then(made).filter(|card| Some(&card.id) == file.model.as_ref().map(models::canonical).as_ref());
    let maker = maker.as_ref();
    let in_corpus = corpus.items.iter().filter(|item| item.modality == Modality::Image).count();
    let pictures = file.rows.iter().filter(|row| row.is_image()).count().max(in_corpus);
    let about = match (&file.model, maker) {
        (_, Some(maker)) => format!("Vectors of {name}, made by {}.", maker.name),
        (Some(model), None) => {
            format!(
                "Vectors of {name}. The file says that {model} made them, which is not here with {dimensions} dimensions."
            )
        }
        (None, None) if dimensions <= 3 => format!("Positions of {name}, shown as they are."),
        (None, None) => format!("Vectors of {name}, made by an unknown model."),
    };
    ModelCard {
        id: ModelId(format!("vectors:{name}")),
        input: match maker {
            Some(maker) => maker.input,
            None if pictures * 2 > file.rows.len() => InputKind::Image,
            None => InputKind::Text,
        },
        dimensions,
        context_tokens: None,
        precision: None,
        runs_as: None,
        prompts: maker.map(|maker| maker.prompts.clone()).unwrap_or_default(),
        similarity: maker.map(|maker| maker.similarity).unwrap_or_default(),
        remarks: Vec::new(),
        pooling: maker.map_or(Pooling::Mean, |maker| maker.pooling),
        normalized: file.vectors.rows().take(LOOKED_AT).all(|row| (norm(row) - 1.0).abs() < 1e-3),
        space: maker.map_or_else(|| format!("vectors:{}", path.display()), |maker| maker.space.clone()),
        text_query_model: maker.and_then(|maker| maker.text_query_model.clone()),
        licence: String::new(),
        size_bytes: file.files.iter().map(|(path, _)| fs_err::metadata(path).map_or(0, |data| data.len())).sum(),
        about,
        strengths: vec!["needs no model: the vectors are ready".to_owned()],
        weaknesses: match maker {
            Some(_) => Vec::new(),
            None => vec!["words cannot be asked of it: its model is not known".to_owned()],
        },
        best_for: format!("looking at the {} rows of the file", corpus.chunks.len()),
        source: ModelSource::File { path: path.to_owned(), made_by: maker.map(|maker| maker.id.clone()) },
        name,
    }
}

fn opened(file: Imported, card: ModelCard, corpus: &Corpus) -> OpenedSet {
    let count = file.rows.len();
    let row = |row: usize| RowId(row as u32);
    let set = EmbeddingSet {
        revision: corpus.revision,
        card,
        fingerprint: String::new(),
        rows: file.rows.iter().map(|info| row(info.row)).collect(),
        vectors: file.vectors,
        reductions: Default::default(),
        graph: Default::default(),
        tokens: vec![0; count].into(),
        cut: file.rows.iter().map(|info| info.truncated).collect(),
        notes: vec![String::new(); count].into(),
        failed: file.left_out.into_iter().map(|(info, why)| (row(info.row), why)).collect(),
        cached: 0,
        shared: 0,
        embedded: 0,
        seconds: 0.0,
        tokens_embedded: 0,
        model_memory_mb: None,
    };
    OpenedSet { set, points: file.points, notes: file.notes }
}
