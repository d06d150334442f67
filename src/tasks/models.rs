//! Models in memory and models to choose from.
//!
//! A loaded model embeds one batch at a time, so a query that comes while its model works gets a second copy; idle copies
//! are kept for the next task. Invariant: at most one idle copy of a model is kept, by whatever name it was asked for. What the
//! process grew by when a model was opened is remembered; where several are opened at once it is an upper bound.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Environment, Only, Query, TaskError, resident_memory_mb};
use crate::corpus::{Corpus, Modality};
use crate::models::{self, Embedder, HubOptions, InputKind, ModelCard, ModelId, OpenOptions, Overrides};

/// Loaded models that wait for work.
#[derive(Clone, Default)]
pub struct ModelPool {
    idle: Arc<Mutex<HashMap<ModelId, Box<dyn Embedder>>>>,
    /// Megabytes the process grew by when the first copy of a model was opened.
    grown: Arc<Mutex<HashMap<ModelId, f64>>>,
    /// What is otherwise than models' own files say, by a model's name without its precision.
    overrides: Arc<Mutex<HashMap<String, Overrides>>>,
    /// Where models come from that are not inside this program.
    hub: Arc<HubOptions>,
}

impl fmt::Debug for ModelPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ModelPool")
    }
}

/// A model borrowed from the pool; goes back when dropped.
pub struct PooledModel {
    pool: ModelPool,
    id: ModelId,
    /// What it was opened with.
    overrides: Overrides,
    embedder: Option<Box<dyn Embedder>>,
}

impl ModelPool {
    /// Takes the idle copy of a model, or opens one (a second or less for the bundled ones).
    ///
    /// # Errors
    /// [`TaskError::Model`] when it is not here or cannot be run.
    pub fn take(&self, id: &ModelId, offline: bool) -> Result<PooledModel, TaskError> {
        let id = &models::canonical(id);
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        let embedder = match idle {
            Some(embedder) => embedder,
            None => self.open(id, offline)?,
        };
        let overrides = self.overrides_of(id);
        Ok(PooledModel { pool: self.clone(), id: id.clone(), overrides, embedder: Some(embedder) })
    }

    /// A pool that knows the hub by these options instead of what the environment says.
    pub fn with_hub(hub: HubOptions) -> Self {
        Self { hub: Arc::new(hub), ..Self::default() }
    }

    /// How the hub is reached, and where its cache is.
    pub fn hub(&self) -> &HubOptions {
        &self.hub
    }

    fn open(&self, id: &ModelId, offline: bool) -> Result<Box<dyn Embedder>, TaskError> {
        let before = resident_memory_mb();
        let (overrides, hub_cache) = (self.overrides_of(id), self.hub.cache.clone());
        let embedder = models::open(id, &OpenOptions { offline, overrides, hub_cache, ..OpenOptions::default() })
            .map_err(|source| TaskError::Model { attempted: format!("open the model {id}"), source })?;
        if let (Some(before), Some(after)) = (before, resident_memory_mb()) {
            let mut grown = self.grown.lock().unwrap_or_else(PoisonError::into_inner);
            // A second copy finds what the first shares with it already there.
            grown.entry(id.clone()).or_insert((after - before).max(0.0));
        }
        Ok(embedder)
    }

    /// Megabytes (1,000,000 bytes) the process grew by when a model was first opened; `None` when it was not, or where the system
    /// does not tell.
    pub fn memory_mb(&self, id: &ModelId) -> Option<f64> {
        self.grown.lock().unwrap_or_else(PoisonError::into_inner).get(&models::canonical(id)).copied()
    }

    /// From now on opens a model, in whatever precision, with these overrides. Idle copies that were opened with others are freed; one
    /// that works goes on as it was opened, and is freed when it is given back.
    pub fn set_overrides(&self, id: &ModelId, overrides: Overrides) {
        let id = models::canonical(id);
        let name = id.parts().0.to_owned();
        self.overrides.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), overrides);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|kept, _| kept.parts().0 != name);
    }

    /// What a model is opened with otherwise than its own files say.
    pub fn overrides_of(&self, id: &ModelId) -> Overrides {
        let id = models::canonical(id);
        let known = self.overrides.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(id.parts().0).cloned().unwrap_or_default()
    }

    /// Frees all idle models.
    pub fn clear(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl PooledModel {
    /// The model; `None` never, between taking and dropping.
    pub fn get(&mut self) -> Option<&mut (dyn Embedder + 'static)> {
        self.embedder.as_deref_mut()
    }

    /// Works with the model.
    pub(super) fn with<T>(
        &mut self,
        attempted: &str,
        work: impl FnOnce(&mut dyn Embedder) -> Result<T, models::ModelError>,
    ) -> Result<T, TaskError> {
        let result = match self.embedder.as_deref_mut() {
            Some(embedder) => work(embedder),
            None => Err(models::ModelError::Tensor("the model was given back too early".to_owned())),
        };
        result.map_err(|source| TaskError::Model { attempted: attempted.to_owned(), source })
    }
}

impl Drop for PooledModel {
    fn drop(&mut self) {
        // After a panic the model may be in no good state: another is opened next time.
        let as_asked = self.overrides == self.pool.overrides_of(&self.id);
        if let Some(embedder) = self.embedder.take().filter(|_| as_asked && !std::thread::panicking()) {
            let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.insert(self.id.clone(), embedder);
        }
    }
}

/// Cards of the models inside this program.
pub fn model_cards() -> Vec<ModelCard> {
    models::cards()
}

/// Cards of all models that are here, those in the local hub cache included.
pub fn listed_models(env: &Environment) -> Vec<ModelCard> {
    let mut cards = models::cards();
    let hub_cache = env.models.hub().cache.clone();
    cards.extend(models::hub_cards(&OpenOptions { hub_cache, ..OpenOptions::default() }));
    cards
}

/// Card of one model, opened if need be.
///
/// # Errors
/// [`TaskError::Model`] when it is not here or cannot be run.
pub fn model_card(id: &ModelId, env: &Environment) -> Result<ModelCard, TaskError> {
    let id = &models::canonical(id);
    let (name, precision) = id.parts();
    if let Some(card) = models::cards().into_iter().find(|card| card.id.0 == name && card.precision.is_some()) {
        return Ok(card.at(precision));
    }
    if let Some(card) = models::cards().into_iter().find(|card| card.id == *id) {
        return Ok(card);
    }
    env.models.take(id, env.offline)?.with("read a model's card", |embedder| Ok(embedder.card().clone()))
}

const MINILM: &str = "all-MiniLM-L6-v2";
const LITE0: &str = "efficientnet-lite0";
const CONSE: &str = "conse-minilm-lite0";

/// The models for a corpus when the user named none: all-MiniLM-L6-v2 for texts and code, efficientnet-lite0 for pictures.
pub fn default_models(corpus: &Corpus) -> Vec<ModelId> {
    defaults(corpus, LITE0, &Only::default())
}

/// The models to ask when the user named none. Words find pictures through conse-minilm-lite0; a picture finds pictures. None
/// for kinds of rows that are not asked.
pub fn default_query_models(corpus: &Corpus, query: &Query, only: &Only) -> Vec<ModelId> {
    match query {
        Query::Text(_) => defaults(corpus, CONSE, only),
        Query::Image(_) => vec![ModelId(LITE0.to_owned())],
    }
}

fn defaults(corpus: &Corpus, for_pictures: &str, only: &Only) -> Vec<ModelId> {
    let has = |kind| only.admits_kind(kind) && corpus.items.iter().any(|item| item.modality == kind);
    let mut chosen = Vec::new();
    if has(Modality::Text) || has(Modality::Code) || corpus.items.is_empty() {
        chosen.push(ModelId(MINILM.to_owned()));
    }
    if has(Modality::Image) {
        chosen.push(ModelId(for_pictures.to_owned()));
    }
    chosen
}

/// Modalities a model reads.
pub(super) fn modalities_of(input: InputKind) -> &'static [Modality] {
    match input {
        InputKind::Text => &[Modality::Text, Modality::Code],
        InputKind::Image => &[Modality::Image],
        InputKind::Both => &Modality::ALL,
    }
}

/// How many rows of a corpus a model reads.
pub fn rows_read_by(corpus: &Corpus, card: &ModelCard) -> usize {
    corpus.rows_of(modalities_of(card.input)).len()
}

/// How many items there are of the modalities that none of these models reads.
pub fn unread_modalities(corpus: &Corpus, cards: &[&ModelCard]) -> Vec<(Modality, usize)> {
    Modality::ALL
        .into_iter()
        .filter(|modality| !cards.iter().any(|card| modalities_of(card.input).contains(modality)))
        .map(|modality| (modality, corpus.count(modality)))
        .filter(|&(_, count)| count > 0)
        .collect()
}
