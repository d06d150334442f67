//! What panes see of the window: everything by reference, nothing to change. Changes are asked for by commands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::command::{Command, CommandSender, Dialog, MapTool};
pub use super::maps::{
    EarlierMap, GivenMap, KeptMap, LiveInfo, MapChoice, MapLabel, MapLabels, MapModel, Pin, TornLines,
};
use super::settings::Settings;
use super::theme::Theme;
use crate::corpus::{Corpus, Modality};
use crate::jobs::JobSnapshot;
use crate::vectors::{Metric, RowId};
use crate::workspace::{
    Agreement, Answer, Captioned, ColumnValues, Concern, EmbeddingSet, Explanation, ModelCard, ModelId, SetFacts, Speed,
};

/// What is selected and looked at; the same in all panes.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Selected rows, ascending.
    pub rows: Arc<[RowId]>,
    /// The row the inspector shows.
    pub focus: Option<RowId>,
    /// Grows with every change.
    pub revision: u64,
}

impl Selection {
    /// Whether a row is selected.
    pub fn contains(&self, row: RowId) -> bool {
        self.rows.binary_search(&row).is_ok()
    }
}

/// The state of a model beside the corpus.
#[derive(Clone, Debug)]
pub struct ModelState {
    /// What is known of it.
    pub card: ModelCard,
    /// Index of its colour.
    pub colour: usize,
    /// Its vectors, once embedded.
    pub set: Option<Arc<EmbeddingSet>>,
    /// Its map.
    pub map: MapModel,
    /// What a fair comparison asks of its set, once measured.
    pub facts: Option<Arc<SetFacts>>,
    /// Why embedding failed, if it did.
    pub error: Option<String>,
    /// How fast it embeds here: of its own run, or measured when Compare shows it.
    pub speed: Option<Speed>,
}

impl ModelState {
    /// Whether its rows are near to one another by distance, whose scores are its negative; else by cosine or product.
    pub fn by_distance(&self) -> bool {
        let positions = self.card.is_of_file() && self.card.dimensions <= 3;
        self.set.as_ref().is_some_and(|set| positions || set.metric() == Metric::Euclidean)
    }

    /// How many of the selected rows it holds: pictures are on no map of a model of texts.
    pub fn selected(&self, selection: &Selection) -> usize {
        let Some(set) = &self.set else { return 0 };
        selection.rows.iter().filter(|&&row| set.position_of(row).is_some()).count()
    }

    /// A score as it is written, and how much of a bar it fills: distances are shown as such, of which smaller ones are nearer.
    pub fn closeness(&self, score: f32) -> (String, f32) {
        match self.by_distance() {
            true => (format!("{:.2}", (-score).max(0.0)), 1.0 / (1.0 + (-score).max(0.0))),
            false => (format!("{score:.2}"), score),
        }
    }
}

/// What the inspector shows of the row looked at.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The row.
    pub row: RowId,
    /// Nearest rows in the original space, by model, with scores.
    pub nearest: Vec<(ModelId, Vec<(RowId, f32)>)>,
    /// How each model that reads it embedded it.
    pub explained: Vec<(ModelId, Explanation)>,
    /// The picture, at most 640 pixels; pictures only.
    pub picture: Option<Arc<PictureData>>,
}

/// A decoded picture for the inspector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureData {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// RGB bytes.
    pub rgb: Vec<u8>,
}

/// One line of the activity log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Time of day, "14:03:12" (UTC).
    pub time: String,
    /// Whether it was an error.
    pub level: LogLevel,
    /// One sentence.
    pub summary: String,
    /// The rest; may be empty.
    pub details: String,
}

/// A message that pops up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// Tells it from others.
    pub id: u64,
    /// How grave it is.
    pub level: LogLevel,
    /// One sentence.
    pub text: String,
    /// When it goes.
    pub until: std::time::Instant,
}

/// How grave a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// For the record.
    Info,
    /// Something to look at.
    Warning,
    /// Something failed.
    Error,
}

/// The comparison shown.
#[derive(Clone, Debug, Default)]
pub struct CompareState {
    /// The models side by side, two to four; a model may stand there twice, with two of its maps.
    pub slots: Vec<ModelId>,
    /// Which map of the model each place shows, where it is not the one that Explore shows.
    pub choices: BTreeMap<usize, MapChoice>,
    /// Whether the user chose them.
    pub chosen: bool,
    /// Agreement of the pairs that were measured.
    pub agreements: Vec<Arc<MeasuredPair>>,
    /// What makes the comparison of the places' models unfair.
    pub concerns: Vec<Concern>,
    /// The models that `concerns` is of: those of the places whose sets were measured.
    pub weighed: Vec<ModelId>,
    /// Pairs that could not be compared, and why in one sentence.
    pub failures: Vec<((ModelId, ModelId), String)>,
}

impl CompareState {
    /// Which map of its model a place shows.
    pub fn choice(&self, place: usize) -> MapChoice {
        self.choices.get(&place).copied().unwrap_or_default()
    }

    /// What was measured of two models, in either order.
    pub fn measured(&self, a: &ModelId, b: &ModelId) -> Option<&Arc<MeasuredPair>> {
        let same = |pair: &&Arc<MeasuredPair>| {
            let (first, second) = (&pair.agreement.a, &pair.agreement.b);
            (first, second) == (a, b) || (first, second) == (b, a)
        };
        self.agreements.iter().find(same)
    }

    /// Why two models could not be compared, if they could not.
    pub fn failure(&self, a: &ModelId, b: &ModelId) -> Option<&str> {
        let same = |(pair, _): &&((ModelId, ModelId), String)| (&pair.0, &pair.1) == (a, b);
        self.failures.iter().find(same).map(|(_, why)| why.as_str())
    }
}

/// Two models compared, and what panes show of it.
#[derive(Clone, Debug)]
pub struct MeasuredPair {
    /// What was measured.
    pub agreement: Arc<Agreement>,
    /// How many rows share 0, 1, … k of their neighbours.
    pub histogram: Vec<usize>,
    /// Labels of at least three rows, those with the least overlap first.
    pub labels: Vec<LabelOverlap>,
}

/// How far two models agree on the rows of one label.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelOverlap {
    /// The label.
    pub label: String,
    /// Its rows that both models hold.
    pub rows: usize,
    /// Mean overlap of their neighbours, 0 to 1.
    pub mean: f32,
}

/// A model that can be fetched, if the user wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadOffer {
    /// The model.
    pub id: ModelId,
    /// What would be fetched, and from where.
    pub words: String,
}

/// Everything a pane sees.
pub struct Context<'a> {
    /// The theme shown.
    pub theme: Theme,
    /// What is loaded.
    pub corpus: Option<&'a Arc<Corpus>>,
    /// Why the last load gave nothing, while nothing is loaded.
    pub load_error: Option<&'a str>,
    /// Counts per folder, as a tree in order.
    pub folders: &'a [FolderLine],
    /// All models that can be used, by id, in the order of the left panel.
    pub models: &'a [ModelState],
    /// The model whose map Explore shows.
    pub shown: Option<&'a ModelId>,
    /// What is selected.
    pub selection: &'a Selection,
    /// The row under the pointer, in any pane, of the last frame.
    pub hovered: Option<RowId>,
    /// The answer to the query.
    pub answer: Option<&'a Arc<Answer>>,
    /// Whether questions are asked of the selected rows alone.
    pub ask_selection: bool,
    /// What was found about the row looked at.
    pub inspection: Option<&'a Inspection>,
    /// Captions of a picture, scored.
    pub captioned: Option<&'a Captioned>,
    /// The comparison.
    pub compare: &'a CompareState,
    /// A model that is not on this computer and was asked for.
    pub offer: Option<&'a DownloadOffer>,
    /// Running jobs.
    pub jobs: &'a [JobSnapshot],
    /// What happened.
    pub log: &'a [LogLine],
    /// Messages that pop up now, the oldest first.
    pub toasts: &'a [Toast],
    /// The user's settings.
    pub settings: &'a Settings,
    /// Hidden categories of the legend.
    pub hidden: &'a BTreeSet<String>,
    /// Order of rows in the item list.
    pub item_order: &'a ItemOrder,
    /// Open floating windows.
    pub dialogs: &'a [Dialog],
    /// What dragging on a map does.
    pub tool: MapTool,
    /// How points are drawn here.
    pub backend: super::map::MapBackend,
    /// Frames a second, and megabytes in use.
    pub vitals: Vitals,
    /// Grows when the maps are asked to show everything.
    pub fit_request: u64,
    /// Grows when the query field is asked to take the cursor.
    pub query_focus_request: u64,
    /// Folders and files a person is dragging over the window.
    pub dragging: &'a [PathBuf],
    /// Where changes are asked for.
    pub commands: &'a CommandSender,
}

impl Context<'_> {
    /// Asks for a change.
    pub fn send(&self, command: Command) {
        self.commands.send(command);
    }

    /// A model by id.
    pub fn model(&self, id: &ModelId) -> Option<&ModelState> {
        self.models.iter().find(|model| &model.card.id == id)
    }

    /// Whether a model reads anything of a corpus.
    pub fn reads(&self, model: &ModelState, corpus: &Corpus) -> bool {
        let input = model.card.input;
        let read = |modality| if modality == Modality::Image { input.reads_pictures() } else { input.reads_texts() };
        corpus.items.iter().any(|item| read(item.modality))
    }

    /// The model whose map Explore shows.
    pub fn shown_model(&self) -> Option<&ModelState> {
        self.model(self.shown?)
    }
}

/// A line of the folder tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderLine {
    /// The name shown.
    pub name: String,
    /// Its path as items show it, `/` between the parts.
    pub path: String,
    /// Depth in the tree.
    pub depth: usize,
    /// Items in it and below.
    pub items: usize,
}

/// Order of the item list.
#[derive(Clone, Debug, Default)]
pub struct ItemOrder {
    /// The rows, in order.
    pub rows: Arc<[RowId]>,
    /// The values of the column shown at the right, by row: that it is sorted by, else tokens. `None` until computed.
    pub values: Option<Arc<ColumnValues>>,
    /// The column it is sorted by; `None` is the order of paths.
    pub by: Option<crate::workspace::Column>,
    /// Whether it is turned round.
    pub descending: bool,
}

/// The window's own state of health.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vitals {
    /// Frames painted in the last second.
    pub frames_per_second: u32,
    /// Resident memory in megabytes.
    pub memory_mb: u32,
}
