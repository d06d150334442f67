//! The window's jobs: what each is called, where it runs, what it gives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::document::folder_lines;
use super::from_file::Loaded;
use super::{App, derived};
use crate::jobs::{JobSpec, Policy};
use crate::models::Downloaded;
use crate::picture::{Density, Layout, Palette, StyleRequest, Styles};
use crate::projection::{Method, ReductionCost};
use crate::tasks::{self, Distilled, EmbedRequest, LoadRequest, Only, Query, QueryRequest, TaskError};
use crate::ui::context::{Inspection, ItemOrder, MapChoice, MapLabels, MeasuredPair, Pin, TornLines};
use crate::vectors::RowId;
use crate::workspace::cache::CacheReport;
use crate::workspace::{
    Agreement, Answer, Captioned, Clustering, Column, ColumnSources, ColumnValues, EmbeddingSet, ModelCard, ModelId,
    Projection, RowShares, SetFacts, Speed, column_values,
};

/// What jobs give.
pub enum Outcome {
    /// Nothing to apply.
    Nothing,
    /// A corpus was read, by which load.
    Loaded(u64, Result<Loaded, TaskError>),
    /// A model embedded it.
    Embedded(u64, ModelId, Box<Result<(EmbeddingSet, CacheReport), TaskError>>),
    /// Vectors were laid out by a method; all of them, or (true) some rows alone.
    Projected(u64, ModelId, (Method, bool), Result<(Arc<Projection>, Arc<Layout>), TaskError>),
    /// The shown map was seen at another moment or from another side.
    Placed(u64, ModelId, Arc<Layout>),
    /// A model's maps were coloured, and the names of clusters placed on the shown one.
    Styled(u64, ModelId, BTreeMap<MapChoice, Arc<Styles>>, Option<Arc<MapLabels>>),
    /// It was found how dense the points of a model's map are; of too few nothing.
    Dense(u64, ModelId, MapChoice, Option<Arc<Density>>),
    /// Clusters were found.
    Clustered(u64, ModelId, Result<Clustering, TaskError>),
    /// It was measured how many neighbours each point keeps on the shown map.
    Trusted(u64, ModelId, Result<RowShares, TaskError>),
    /// It was measured what fewer dimensions cost.
    Reduced(u64, ModelId, Result<Vec<ReductionCost>, TaskError>),
    /// A set of fewer dimensions was made of another.
    Shortened(u64, Box<Result<EmbeddingSet, TaskError>>),
    /// It was found where the shown map is wrong about a row.
    Torn(u64, ModelId, TornLines),
    /// It was found where the query would lie on the shown map.
    Pinned(u64, ModelId, Option<Pin>),
    /// A query was answered.
    Answered(u64, Result<Answer, TaskError>),
    /// A row was looked at.
    Inspected(u64, Inspection),
    /// A static model was made.
    Distilled(Box<Result<Distilled, TaskError>>),
    /// Captions of a picture were scored.
    Captioned(u64, Result<Captioned, TaskError>),
    /// Two models were compared.
    Agreed(u64, (ModelId, ModelId), Result<MeasuredPair, TaskError>),
    /// What a fair comparison asks of a model's set was measured.
    Weighed(u64, ModelId, SetFacts),
    /// How fast a model is was measured.
    Measured(u64, ModelId, Result<Option<Speed>, TaskError>),
    /// Models that are here, those in the hub's cache included.
    Listed(Vec<ModelCard>),
    /// A model was fetched from the hub.
    Downloaded(ModelId, Box<Result<Downloaded, TaskError>>),
    /// The item list was sorted.
    Sorted(u64, ItemOrder),
    /// The user chose paths in the system's dialog, or none.
    Picked(Purpose, Vec<PathBuf>),
    /// The system has no file dialog.
    NoDialog(Purpose),
    /// A file was written.
    Exported(Result<PathBuf, TaskError>),
}

/// What paths were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To load in place of what is loaded.
    Open,
    /// To load beside it.
    Add,
    /// To be a query.
    Query,
}

pub(super) fn spec(title: impl Into<String>, lane: impl Into<String>, policy: Policy) -> JobSpec {
    JobSpec { title: title.into(), lane: lane.into(), policy, quiet: false }
}

impl App {
    /// Reads folders; `None` reads the bundled sample.
    pub(super) fn spawn_load(&mut self, paths: Option<Vec<PathBuf>>) {
        let (load_id, environment) = (self.load, self.environment.clone());
        let options = self.settings.load.clone();
        let title = if paths.is_some() { "Reading files" } else { "Reading the sample" };
        self.jobs.spawn(spec(title, "load", Policy::Replace), move |progress| {
            let load = || {
                let paths = match paths {
                    Some(paths) if tasks::hold_vectors(&paths) => {
                        return Ok(Loaded::from(tasks::open_vectors(&paths, &options, &environment, progress)?));
                    }
                    Some(paths) => paths,
                    None => tasks::sample_paths(&environment)?,
                };
                let corpus = Arc::new(tasks::load(&LoadRequest { paths, options }, &environment, progress)?);
                Ok(Loaded { folders: folder_lines(&corpus), corpus, sets: Vec::new() })
            };
            Outcome::Loaded(load_id, load())
        });
    }

    /// Embeds the corpus with a model, after the models before it.
    pub(super) fn spawn_embed(&mut self, id: &ModelId) {
        let Some(corpus) = self.document.corpus.clone() else { return };
        let lane = "embed";
        if self.snapshots.iter().any(|job| job.lane == lane && job.title == self.embed_title(id)) {
            return;
        }
        let (generation, environment, id) = (self.document.generation, self.environment.clone(), id.clone());
        self.jobs.spawn(spec(self.embed_title(&id), lane, Policy::Queue), move |progress| {
            let request = EmbedRequest { corpus, model: id.clone(), rows: None };
            Outcome::Embedded(generation, id, Box::new(tasks::embed(&request, &environment, progress)))
        });
    }

    fn embed_title(&self, id: &ModelId) -> String {
        let name = self.document.model(id).map_or(id.0.as_str(), |model| model.card.name.as_str());
        format!("Embedding with {name}")
    }

    /// Computes the colours of a model's maps.
    pub(super) fn spawn_style(&mut self, id: &ModelId) {
        let Some(sources) = self.column_sources(id) else { return };
        let Some(model) = self.document.model(id) else { return };
        let Some(layout) = model.map.layout.clone() else { return };
        let compare = &self.document.compare;
        let places = compare.slots.iter().enumerate().filter(|(_, slot)| *slot == id);
        let choices = places.map(|(place, _)| compare.choice(place)).filter(|choice| *choice != MapChoice::Shown);
        let others = choices.filter_map(|choice| match choice {
            MapChoice::Kept(number) => Some((choice, model.map.kept(number)?.layout.clone())),
            MapChoice::Of(method) => Some((choice, model.map.layouts.get(&method)?.clone())),
            MapChoice::Shown => None,
        });
        let work = StyleWork {
            maps: std::iter::once((MapChoice::Shown, layout)).chain(others).collect(),
            column: match (self.settings.colour_by, &sources) {
                (Column::Agreement, sources) if sources.agreement.is_none() => Column::Folder,
                (Column::Cluster | Column::Membership, sources) if sources.clusters.is_none() => Column::Folder,
                (Column::Trust, sources) if sources.trust.is_none() => Column::Folder,
                (column, _) => column,
            },
            sources,
            shown: model.map.method.filter(|_| model.map.part.is_none()),
            hidden: self.document.hidden.clone(),
            selected: self.document.selection.rows.clone(),
            palette: palette(self.settings.palette),
            dark: self.dark,
            named: self.settings.cluster_names,
        };
        let (generation, model_id) = (self.document.generation, id.clone());
        self.jobs.spawn(JobSpec::quiet("Colouring the map", format!("style {id}")), move |_| {
            let (styles, labels) = work.run();
            Outcome::Styled(generation, model_id, styles, labels)
        });
    }

    /// What the columns of a model's rows are taken from.
    pub(super) fn column_sources(&self, id: &ModelId) -> Option<ColumnSources> {
        let corpus = self.document.corpus.clone()?;
        let model = self.document.model(id);
        Some(ColumnSources {
            corpus,
            set: model.and_then(|model| model.set.clone()),
            agreement: self.agreement_of(id),
            clusters: model.and_then(|model| model.map.clusters.clone()),
            trust: model.and_then(|model| model.map.trust.clone()),
        })
    }

    /// The measured agreement that colours a model's map: of the two models compared, else of any pair it is in.
    fn agreement_of(&self, id: &ModelId) -> Option<Arc<Agreement>> {
        let compare = &self.document.compare;
        let shown = compare.slots.get(..2).and_then(|pair| compare.measured(&pair[0], &pair[1]));
        let of_model = |pair: &&Arc<MeasuredPair>| &pair.agreement.a == id || &pair.agreement.b == id;
        let found = shown.filter(of_model).or_else(|| compare.agreements.iter().find(of_model));
        found.map(|pair| pair.agreement.clone())
    }

    /// Answers a query with every embedded model.
    pub(super) fn spawn_query(&mut self, query: Query) {
        let Some(corpus) = self.document.corpus.clone() else { return };
        let mut sets: Vec<Arc<EmbeddingSet>> =
            self.document.models.iter().filter_map(|model| model.set.clone()).collect();
        sets.sort_by_key(|set| Some(&set.card.id) != self.document.shown.as_ref());
        self.document.query = Some(query.clone());
        let (generation, environment) = (self.document.generation, self.environment.clone());
        let rows = self.document.ask_selection.then(|| self.document.selection.rows.clone());
        let only = Only { rows, ..Only::default() };
        let request = QueryRequest { corpus, sets, query, top: self.settings.top, only };
        self.jobs.spawn(JobSpec::quiet("Answering the query", "query"), move |progress| {
            Outcome::Answered(generation, tasks::answer(&request, &environment, progress))
        });
    }

    /// Compares two models; false when a comparison of theirs has not ended yet.
    pub(super) fn spawn_agree(&mut self, a: Arc<EmbeddingSet>, b: Arc<EmbeddingSet>) -> bool {
        let Some(corpus) = self.document.corpus.clone() else { return false };
        let (generation, environment) = (self.document.generation, self.environment.clone());
        let pair = (a.card.id.clone(), b.card.id.clone());
        let (title, lane) =
            (format!("Comparing {} and {}", a.card.name, b.card.name), format!("agree {} {}", pair.0, pair.1));
        let job = self.jobs.spawn(spec(title, lane, Policy::Once), move |progress| {
            let measured = tasks::agree(&tasks::AgreeRequest { a, b, k: 10 }, &environment, progress)
                .map(|agreement| derived::measured(agreement, &corpus));
            Outcome::Agreed(generation, pair, measured)
        });
        job.is_some()
    }

    /// Sorts the item list.
    pub(super) fn spawn_sort(&mut self) {
        let Some(corpus) = self.document.corpus.clone() else { return };
        let (generation, order) = (self.document.generation, self.document.item_order.clone());
        let shown = self.document.shown.as_ref().and_then(|id| self.column_sources(id));
        let sources =
            shown.unwrap_or(ColumnSources { corpus, set: None, agreement: None, clusters: None, trust: None });
        self.jobs.spawn(JobSpec::quiet("Sorting items", "sort"), move |_| {
            Outcome::Sorted(generation, derived::sorted(&order, &sources))
        });
    }

    /// Asks for paths with the system's dialog, on a thread of its own: it may hang where no portal answers.
    pub(super) fn spawn_pick(&mut self, purpose: Purpose, folders: bool) {
        let spec = JobSpec { quiet: true, ..spec("Waiting for the dialog", "dialog", Policy::Once) };
        self.jobs.spawn(spec, move |_| {
            let asked = Instant::now();
            let dialog = rfd::FileDialog::new();
            let paths = match (purpose, folders) {
                (Purpose::Query, _) => dialog
                    .add_filter("Pictures", &["jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff"])
                    .pick_file()
                    .map(|path| vec![path]),
                (_, true) => dialog.pick_folders(),
                (_, false) => dialog.pick_files(),
            };
            match paths {
                Some(paths) => Outcome::Picked(purpose, paths),
                // Nobody closes a dialog that fast: there was none to open.
                None if asked.elapsed() < Duration::from_millis(250) => Outcome::NoDialog(purpose),
                None => Outcome::Nothing,
            }
        });
    }
}

fn palette(choice: crate::ui::settings::PaletteChoice) -> Palette {
    match choice {
        crate::ui::settings::PaletteChoice::Standard => Palette::Standard,
        crate::ui::settings::PaletteChoice::ColourBlindSafe => Palette::ColourBlindSafe,
    }
}

/// Everything the colours of a model's maps depend on.
struct StyleWork {
    maps: Vec<(MapChoice, Arc<Layout>)>,
    sources: ColumnSources,
    column: Column,
    /// The method of the map that Explore shows, where that is of all rows.
    shown: Option<Method>,
    hidden: BTreeSet<String>,
    selected: Arc<[RowId]>,
    palette: Palette,
    dark: bool,
    /// Whether the names of clusters are placed.
    named: bool,
}

impl StyleWork {
    fn run(&self) -> (BTreeMap<MapChoice, Arc<Styles>>, Option<Arc<MapLabels>>) {
        let column = |choice: MapChoice| match (self.column, choice) {
            // Trust is of the map that Explore shows: on another map the colours would say what is not so.
            (Column::Trust, MapChoice::Kept(_)) => Column::Folder,
            (Column::Trust, MapChoice::Of(method)) if self.shown != Some(method) => Column::Folder,
            (column, _) => column,
        };
        let style = |choice, layout| (choice, Arc::new(self.styles(column(choice), layout)));
        let styles = self.maps.iter().map(|(choice, layout)| style(*choice, layout)).collect();
        let clusters = self.sources.clusters.as_ref().filter(|_| self.named);
        let labels = clusters.zip(self.maps.first()).map(|(found, (_, layout))| derived::labels(found, layout));
        (styles, labels.map(Arc::new))
    }

    fn styles(&self, of: Column, layout: &Layout) -> Styles {
        let column = column_values(of, &self.sources, layout.rows());
        let hidden: Vec<u32> = match &column {
            ColumnValues::Categories { names, .. } => {
                let hidden = names.iter().enumerate().filter(|(_, name)| self.hidden.contains(*name));
                hidden.map(|(place, _)| place as u32).collect()
            }
            ColumnValues::Numbers(_) | ColumnValues::Measures { .. } => Vec::new(),
        };
        let values = tasks::values_of(
            column,
            match of {
                Column::Agreement => (1, ""),
                Column::Modified => (0, " days"),
                Column::Size => (0, " bytes"),
                Column::Membership => (0, " %"),
                Column::Trust => (0, " %"),
                _ => (0, " tokens"),
            },
        );
        let selected: Vec<u32> =
            self.selected.iter().filter_map(|&row| Some(layout.position_of(row)? as u32)).collect();
        let request = StyleRequest {
            palette: self.palette,
            hidden: &hidden,
            selected: &selected,
            dark: self.dark,
            ..StyleRequest::new(of.name(&self.sources.corpus), &values)
        };
        request.make(layout.len())
    }
}
