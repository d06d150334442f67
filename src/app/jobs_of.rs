//! The window's jobs: what each is called, where it runs, what it gives.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::document::folder_lines;
use super::from_file::Loaded;
use super::{App, derived};
use crate::corpus::Corpus;
use crate::jobs::{JobId, JobSpec, Policy};
use crate::picture::{Layout, Palette, StyleRequest, Styles, Values};
use crate::projection::{LINFA_LIMIT, Method, TsneEngine};
use crate::tasks::{self, EmbedRequest, LiveSlot, LoadRequest, ProjectRequest, Query, QueryRequest, TaskError};
use crate::ui::context::{Inspection, ItemOrder, LiveInfo, MeasuredPair};
use crate::vectors::RowId;
use crate::workspace::cache::CacheReport;
use crate::workspace::{
    Agreement, Answer, Column, ColumnValues, EmbeddingSet, ModelCard, ModelId, Projection, ProjectionParams, Speed,
    column_values,
};

/// What jobs give.
pub enum Outcome {
    /// Nothing to apply.
    Nothing,
    /// A corpus was read, by which load.
    Loaded(u64, Result<Loaded, TaskError>),
    /// A model embedded it.
    Embedded(u64, ModelId, Box<Result<(EmbeddingSet, CacheReport), TaskError>>),
    /// Vectors were laid out.
    Projected(u64, ModelId, Method, Result<(Projection, Arc<Layout>), TaskError>),
    /// A map was coloured.
    Styled(u64, ModelId, Arc<Styles>),
    /// A query was answered.
    Answered(u64, Result<Answer, TaskError>),
    /// A row was looked at.
    Inspected(u64, Inspection),
    /// Two models were compared.
    Agreed(u64, (ModelId, ModelId), Result<MeasuredPair, TaskError>),
    /// How fast a model is was measured.
    Measured(u64, ModelId, Result<Option<Speed>, TaskError>),
    /// Models that are here, those in the hub's cache included.
    Listed(Vec<ModelCard>),
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

fn spec(title: impl Into<String>, lane: impl Into<String>, policy: Policy) -> JobSpec {
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

    /// Lays a model's vectors out.
    pub(super) fn spawn_project(&mut self, id: &ModelId, method: Method) {
        let Some(model) = self.document.model(id) else { return };
        let Some(set) = model.set.clone() else { return };
        let mut tsne = self.settings.tsne;
        if set.rows.len() > LINFA_LIMIT {
            tsne.engine = TsneEngine::Embedlens;
        }
        let params = ProjectionParams { method, tsne };
        let request = ProjectRequest { vectors: set.vectors.clone(), rows: set.rows.clone(), params, graph: None };
        let live = LiveSlot::default();
        let title = format!("{} of {}", method.name(), model.card.name);
        let (generation, environment, slot) = (self.document.generation, self.environment.clone(), live.clone());
        let (model_id, lane) = (id.clone(), format!("project {id}"));
        let job = self.jobs.spawn(spec(title, lane, Policy::Replace), move |progress| {
            let result = tasks::project(&request, &slot, &environment, progress).map(|projection| {
                let layout = Layout::new(projection.rows.clone(), projection.points.clone());
                (projection, Arc::new(layout))
            });
            Outcome::Projected(generation, model_id, method, result)
        });
        let iterations = self.settings.tsne.iterations;
        if let (Some(job), Some(model), Method::Tsne) = (job, self.document.model_mut(id), method) {
            model.map.live_kl.clear();
            model.map.live = Some(new_live(job, iterations, tsne.engine));
            model.map.method = Some(Method::Tsne);
            self.document.live.insert(id.clone(), live);
        } else if let Some(model) = self.document.model_mut(id) {
            // PCA takes the place of a running t-SNE.
            model.map.live = None;
            self.document.live.insert(id.clone(), live);
        }
    }

    /// Computes the colours of a model's map.
    pub(super) fn spawn_style(&mut self, id: &ModelId) {
        let Some(corpus) = self.document.corpus.clone() else { return };
        let Some(model) = self.document.model(id) else { return };
        let Some(layout) = model.map.layout.clone() else { return };
        let agreement = self.agreement_of(id);
        let work = StyleWork {
            corpus,
            layout,
            set: model.set.clone(),
            column: match (self.settings.colour_by, &agreement) {
                (Column::Agreement, None) => Column::Folder,
                (column, _) => column,
            },
            agreement,
            hidden: self.document.hidden.clone(),
            selected: self.document.selection.rows.clone(),
            palette: palette(self.settings.palette),
            dark: self.dark,
        };
        let (generation, model_id) = (self.document.generation, id.clone());
        self.jobs.spawn(JobSpec::quiet("Colouring the map", format!("style {id}")), move |_| {
            Outcome::Styled(generation, model_id, Arc::new(work.run()))
        });
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
        let request = QueryRequest { corpus, sets, query, top: self.settings.top };
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
        let shown = self.document.shown.clone();
        let set = shown.as_ref().and_then(|id| self.document.model(id)?.set.clone());
        let agreement = shown.as_ref().and_then(|id| self.agreement_of(id));
        self.jobs.spawn(JobSpec::quiet("Sorting items", "sort"), move |_| {
            Outcome::Sorted(generation, derived::sorted(&order, &corpus, set.as_deref(), agreement.as_deref()))
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

fn new_live(job: JobId, iterations: usize, engine: TsneEngine) -> LiveInfo {
    LiveInfo { job, engine, paused: false, iteration: 0, iterations, kl: f32::NAN }
}

fn palette(choice: crate::ui::settings::PaletteChoice) -> Palette {
    match choice {
        crate::ui::settings::PaletteChoice::Standard => Palette::Standard,
        crate::ui::settings::PaletteChoice::ColourBlindSafe => Palette::ColourBlindSafe,
    }
}

/// Everything the colours of a map depend on.
struct StyleWork {
    corpus: Arc<Corpus>,
    layout: Arc<Layout>,
    set: Option<Arc<EmbeddingSet>>,
    column: Column,
    agreement: Option<Arc<Agreement>>,
    hidden: BTreeSet<String>,
    selected: Arc<[RowId]>,
    palette: Palette,
    dark: bool,
}

impl StyleWork {
    fn run(&self) -> Styles {
        let rows = self.layout.rows();
        let column = column_values(self.column, &self.corpus, rows, self.set.as_deref(), self.agreement.as_deref());
        let hidden: Vec<u32> = match &column {
            ColumnValues::Categories { names, .. } => {
                let hidden = names.iter().enumerate().filter(|(_, name)| self.hidden.contains(*name));
                hidden.map(|(place, _)| place as u32).collect()
            }
            ColumnValues::Numbers(_) => Vec::new(),
        };
        let values = match column {
            ColumnValues::Categories { names, ids } => Values::Categories { names, ids },
            ColumnValues::Numbers(values) => {
                let (decimals, unit) = match self.column {
                    Column::Agreement => (1, ""),
                    Column::Modified => (0, " days"),
                    Column::Size => (0, " bytes"),
                    _ => (0, " tokens"),
                };
                Values::Numbers { values, decimals, unit }
            }
        };
        let selected: Vec<u32> =
            self.selected.iter().filter_map(|&row| Some(self.layout.position_of(row)? as u32)).collect();
        let request = StyleRequest {
            palette: self.palette,
            hidden: &hidden,
            selected: &selected,
            dark: self.dark,
            ..StyleRequest::new(self.column.name(), &values)
        };
        request.make(self.layout.len())
    }
}
