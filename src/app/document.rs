//! What the window holds of the workspace: the corpus, each model's set and map, what is selected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::corpus::Corpus;
use crate::projection::{Method, Reduction};
use crate::tasks::LiveSlot;
use crate::ui::context::{CompareState, FolderLine, Inspection, ItemOrder, MapChoice, MapModel, ModelState, Selection};
use crate::vectors::RowId;
use crate::workspace::{Answer, Captioned, EmbeddingSet, ModelCard, ModelId, ModelSource, Projection};

/// A set and its map from before items were added.
#[derive(Clone, Debug)]
pub struct Before {
    /// The set.
    pub set: Arc<EmbeddingSet>,
    /// The map.
    pub map: Arc<Projection>,
}

/// A set of fewer dimensions to be made again.
#[derive(Clone, Debug, PartialEq)]
pub struct MadeBefore {
    /// The model whose vectors it is made of.
    pub of: ModelId,
    /// How.
    pub way: Reduction,
    /// Whether it was the one shown.
    pub shown: bool,
}

/// The document shown.
#[derive(Default)]
pub struct Document {
    /// Grows with every other corpus: outcomes of an older one are dropped.
    pub generation: u64,
    /// What is loaded.
    pub corpus: Option<Arc<Corpus>>,
    /// Why the last load gave nothing, while nothing is loaded.
    pub load_error: Option<String>,
    /// The folder tree.
    pub folders: Vec<FolderLine>,
    /// All models.
    pub models: Vec<ModelState>,
    /// The model whose map Explore shows.
    pub shown: Option<ModelId>,
    /// What is selected.
    pub selection: Selection,
    /// The row under the pointer.
    pub hovered: Option<RowId>,
    /// The answer to the query.
    pub answer: Option<Arc<Answer>>,
    /// The query asked last, to be asked again when another model is ready.
    pub query: Option<crate::tasks::Query>,
    /// Whether questions are asked of the selected rows alone.
    pub ask_selection: bool,
    /// Whether the query is to be asked again: the rows it is asked of are others.
    pub query_stale: bool,
    /// What was found about the row looked at.
    pub inspection: Option<Inspection>,
    /// Captions of a picture, scored.
    pub captioned: Option<Captioned>,
    /// The comparison.
    pub compare: CompareState,
    /// Hidden categories.
    pub hidden: BTreeSet<String>,
    /// Order of the item list.
    pub item_order: ItemOrder,
    /// What sets were, and their maps, before items were added.
    pub before: BTreeMap<ModelId, Before>,
    /// Sets of fewer dimensions that were there when the same was loaded, each with what it is made of and how: they are made again as
    /// soon as that is there.
    pub made_before: Vec<MadeBefore>,
    /// Where running layouts put their newest positions.
    pub live: BTreeMap<ModelId, LiveSlot>,
    /// Pairs whose comparison was begun.
    pub agree_tried: BTreeSet<(ModelId, ModelId)>,
    /// Models whose speed was asked for.
    pub speed_tried: BTreeSet<ModelId>,
    /// Models whose sets are being measured for fairness, or were.
    pub facts_tried: BTreeSet<ModelId>,
    /// The layout and the styles for which the density of a map was looked for last.
    pub density_tried: BTreeMap<(ModelId, MapChoice), (u64, u64)>,
    /// Models whose colours must be computed again.
    pub restyle: BTreeSet<ModelId>,
}

impl Document {
    /// Nothing loaded, and these models.
    pub fn new(cards: Vec<ModelCard>) -> Self {
        let mut document = Self::default();
        for card in cards {
            document.add_model(card);
        }
        document
    }

    /// A model joins; one of the same id is replaced in place.
    pub fn add_model(&mut self, card: ModelCard) {
        let colour = self.models.iter().map(|model| model.colour + 1).max().unwrap_or_default();
        match self.models.iter_mut().find(|model| model.card.id == card.id) {
            Some(known) => known.card = card,
            None => {
                let map = MapModel::default();
                self.models.push(ModelState { card, colour, set: None, map, facts: None, error: None, speed: None });
            }
        }
    }

    /// A model by id.
    pub fn model(&self, id: &ModelId) -> Option<&ModelState> {
        self.models.iter().find(|model| &model.card.id == id)
    }

    /// A model by id, to change.
    pub fn model_mut(&mut self, id: &ModelId) -> Option<&mut ModelState> {
        self.models.iter_mut().find(|model| &model.card.id == id)
    }

    /// Forgets everything that belongs to a corpus and begins another generation; gives what was forgotten.
    pub fn clear(&mut self) -> Self {
        // Cards of files of vectors go with their rows.
        let cards = self.models.iter().map(|model| &model.card).filter(|card| !card.is_of_file());
        let mut fresh = Self::new(cards.cloned().collect());
        fresh.generation = self.generation + 1;
        fresh.selection.revision = self.selection.revision + 1;
        std::mem::replace(self, fresh)
    }

    /// The sets and the maps that items may be added to: of each model the one shown, if it is whole and not laid out by PCA, else the best
    /// there is.
    pub fn maps_to_grow(&self) -> BTreeMap<ModelId, Before> {
        let of = |model: &ModelState| {
            let methods = [model.map.method, Some(Method::Umap), Some(Method::Tsne), Some(Method::Pacmap)];
            let laid_out = methods.into_iter().flatten().filter(|method| *method != Method::Pca);
            let map = laid_out.filter_map(|method| model.map.projections.get(&method)).next()?.clone();
            Some((model.card.id.clone(), Before { set: model.set.clone()?, map }))
        };
        self.models.iter().filter_map(of).collect()
    }

    /// The sets of fewer dimensions that stand here and those still to be made, in the order in which they can be made again.
    pub fn made_sets(&self) -> Vec<MadeBefore> {
        let of = |model: &ModelState| {
            let ModelSource::Made { of, .. } = &model.card.source else { return None };
            let way = model.set.as_ref()?.reductions.last()?.reduction();
            Some(MadeBefore { of: of.clone(), way, shown: self.shown.as_ref() == Some(&model.card.id) })
        };
        self.models.iter().filter_map(of).chain(self.made_before.iter().cloned()).collect()
    }

    /// Every map must be coloured again.
    pub fn restyle_all(&mut self) {
        self.restyle =
            self.models.iter().filter(|model| model.map.layout.is_some()).map(|m| m.card.id.clone()).collect();
    }

    /// Whether a layout is running.
    pub fn any_live(&self) -> bool {
        self.models.iter().any(|model| model.map.live.is_some())
    }

    /// Replaces the selected rows.
    pub fn select(&mut self, rows: Vec<RowId>) {
        self.selection.rows = rows.into();
        self.selection.revision += 1;
        self.query_stale |= self.ask_selection;
        self.ask_selection &= !self.selection.rows.is_empty();
        self.restyle_all();
    }
}

/// The folder tree of a corpus: roots, and their folders with counts of items in and below them.
pub fn folder_lines(corpus: &Corpus) -> Vec<FolderLine> {
    let mut counts: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for item in &corpus.items {
        let mut parts: Vec<String> = item.shown_path.split('/').map(str::to_owned).collect();
        parts.pop();
        if parts.is_empty() {
            parts.push(item.label.clone());
        }
        for depth in 1..=parts.len() {
            *counts.entry(parts[..depth].to_vec()).or_default() += 1;
        }
    }
    let deep = counts.keys().map(Vec::len).max().unwrap_or_default();
    // A very large tree would drown the panel: only its upper levels are listed then.
    let most = if counts.len() > 400 { 2 } else { deep };
    counts
        .into_iter()
        .filter(|(parts, _)| parts.len() <= most)
        .map(|(parts, items)| FolderLine {
            name: parts.last().cloned().unwrap_or_default(),
            path: parts.join("/"),
            depth: parts.len() - 1,
            items,
        })
        .collect()
}
