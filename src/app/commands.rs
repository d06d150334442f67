//! Commands become changes of what is shown, or jobs.

use std::path::PathBuf;

use eframe::egui;

use super::jobs_of::{Outcome, Purpose};
use super::{App, PendingLoad};
use crate::jobs::JobSpec;
use crate::projection::Method;
use crate::tasks::Query;
use crate::ui::command::{Command, SelectMode};
use crate::ui::context::{LogLevel, MapChoice};
use crate::vectors::RowId;
use crate::workspace::{Column, ModelCard, ModelId};

impl App {
    /// Carries out one command.
    pub(super) fn carry_out(&mut self, ctx: &egui::Context, command: Command) {
        match command {
            Command::ChooseFolder => self.spawn_pick(Purpose::Open, true),
            Command::ChooseFolderToAdd => self.spawn_pick(Purpose::Add, true),
            Command::ChooseFiles => self.spawn_pick(Purpose::Open, false),
            Command::ChooseQueryImage => self.spawn_pick(Purpose::Query, false),
            Command::Open(paths) => self.open(Some(paths.clone()), paths),
            Command::OpenSample => self.open(None, Vec::new()),
            Command::Add(paths) => {
                // Also beside what is still being read.
                let (all, chosen) = match self.pending.take() {
                    Some(PendingLoad { paths: Some(all), chosen, .. }) => (all, chosen),
                    _ => (self.document.corpus.as_ref().map(|corpus| corpus.roots.clone()).unwrap_or_default(), vec![]),
                };
                let join = |mut first: Vec<PathBuf>| {
                    first.extend(paths.iter().cloned());
                    first
                };
                self.open(Some(join(all)), join(chosen));
                self.pending_grows();
            }
            Command::Reload => self.reload(),
            Command::SetLoadOptions(options) => self.read_with(options),
            Command::Distill(wish) => self.distill(wish),
            Command::Caption(question) => self.spawn_captions(question),
            Command::UseModel(id, wanted) => self.use_overrides(&id, wanted),
            Command::Mend(id, remedy) => self.mend(&id, remedy),
            Command::CancelJob(id) => self.cancel(id),
            Command::PauseJob(id, paused) => self.jobs.set_paused(id, paused),
            Command::Embed(id) => self.embed(&id),
            Command::DownloadModel(id) => self.download(id),
            Command::DeclineDownload => self.offer = None,
            Command::ShowMap(id) => self.show_map(&id),
            Command::Project(id, method) => self.project(&id, method),
            Command::ShowGiven(id) => self.show_given(&id),
            Command::ProjectAgain(id) => {
                let method = self.document.model(&id).and_then(|model| model.map.method).unwrap_or(Method::Tsne);
                self.spawn_project(&id, method);
            }
            Command::PlaceNew(id) => self.spawn_place_new(&id),
            Command::ProjectSelection(id, method) => self.spawn_project_selection(&id, method),
            Command::ShowWhole(id) => self.show_whole(&id),
            Command::KeepMap(id) => self.keep_map(&id),
            Command::DropKept(id, number) => self.drop_kept(&id, number),
            Command::Scrub(id, moment) => self.scrub(&id, moment),
            Command::Turn(id, by) => self.turn(&id, by),
            Command::MeasureReductions(id) => self.spawn_reductions(&id),
            Command::Shorten(id, way) => self.spawn_shorten(&id, way),
            Command::FindClusters(id) => self.spawn_clusters(&id, true),
            Command::ClusterSelection(id) => self.cluster_selection(&id),
            Command::KeepLayout(id) => {
                if let Some(live) = self.document.live.get(&id) {
                    live.stop();
                }
                if let Some(live) = self.document.model(&id).and_then(|model| model.map.live) {
                    self.jobs.set_paused(live.job, false);
                }
            }
            Command::Copy(text) => ctx.copy_text(text),
            Command::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            Command::SetTheme(choice) => {
                self.settings.theme = choice;
                self.apply_theme(ctx);
            }
            Command::ExportMap => self.spawn_export_map(),
            Command::ExportVectors => self.spawn_export_vectors(),
            Command::ExportPositions => self.spawn_export_positions(),
            Command::RevealFile(row) => self.reveal(row),
            Command::PaintPoints(request) => {
                let lane = format!("paint {}", request.map);
                self.jobs.spawn(JobSpec::quiet("Painting points", lane), move |_| {
                    request.paint();
                    Outcome::Nothing
                });
            }
            other => self.change_view(other),
        }
    }

    /// Commands that only change what is shown or selected.
    fn change_view(&mut self, command: Command) {
        match command {
            Command::SetTsne(params) => {
                self.settings.tsne = params;
                self.steer();
            }
            Command::SetUmap(params) => {
                self.settings.umap = params;
                self.steer();
            }
            Command::SetPacmap(params) => {
                self.settings.pacmap = params;
                self.steer();
            }
            Command::SetDimensions(dimensions) => self.settings.dimensions = dimensions.clamp(2, 3),
            Command::SetByFolder(by_folder) => self.settings.by_folder = by_folder,
            Command::SetMetric(metric) => self.settings.metric = metric,
            Command::SetClusters(params) => self.settings.clusters = params,
            Command::ShowClusterNames(shown) => {
                self.settings.cluster_names = shown;
                self.document.restyle_all();
                self.needed_of_shown();
            }
            Command::ColourBy(column) => {
                self.settings.colour_by = column;
                self.document.hidden.clear();
                self.document.restyle_all();
                self.needed_of_shown();
            }
            Command::SetPalette(palette) => {
                self.settings.palette = palette;
                self.document.restyle_all();
            }
            Command::SetPointSize(size) => self.settings.point_size = size,
            Command::SetOpacity(opacity) => self.settings.opacity = opacity,
            Command::ToggleCategory(label) => {
                if !self.document.hidden.remove(&label) {
                    self.document.hidden.insert(label);
                }
                self.document.restyle_all();
            }
            Command::IsolateCategory(label) => self.isolate(&label),
            Command::ShowAllCategories => {
                self.document.hidden.clear();
                self.document.restyle_all();
            }
            Command::Hover(row) => self.document.hovered = row,
            Command::Focus(row) => {
                self.document.selection.focus = Some(row);
                self.document.selection.revision += 1;
                self.spawn_inspect(row);
                self.torn_of_all();
            }
            Command::Select(rows, mode) => self.select(rows, mode),
            Command::SelectFolder(path) => self.select_folder(&path),
            Command::SelectAll => {
                let count = self.document.corpus.as_ref().map_or(0, |corpus| corpus.chunks.len());
                self.document.select((0..count as u32).map(RowId).collect());
            }
            Command::InvertSelection => {
                let count = self.document.corpus.as_ref().map_or(0, |corpus| corpus.chunks.len());
                let selection = self.document.selection.clone();
                self.document.select((0..count as u32).map(RowId).filter(|&row| !selection.contains(row)).collect());
            }
            Command::Unfocus => {
                self.document.selection.focus = None;
                self.document.selection.revision += 1;
                self.document.inspection = None;
            }
            Command::ClearSelection => {
                self.document.selection.focus = None;
                self.document.inspection = None;
                if !self.document.selection.rows.is_empty() {
                    self.document.select(Vec::new());
                }
            }
            Command::Query(text) => self.spawn_query(Query::Text(text)),
            Command::QueryImage(path) => self.spawn_query(Query::Image(path)),
            Command::ClearQuery => {
                self.jobs.cancel_lanes("query");
                self.document.answer = None;
                self.document.query = None;
                self.place_pins();
            }
            Command::FocusQuery => self.query_focus_request += 1,
            Command::AskSelection(alone) => {
                self.document.ask_selection = alone && !self.document.selection.rows.is_empty();
                self.ask_again();
            }
            Command::SetTop(top) => {
                self.settings.top = top;
                self.ask_again();
            }
            Command::SortItems(column) => {
                let order = &mut self.document.item_order;
                order.descending = order.by == column && !order.descending;
                order.by = column;
                self.spawn_sort();
            }
            Command::SetPerspective(perspective) => self.settings.perspective = perspective,
            Command::Toggle(dialog) => {
                let open = self.dialogs.len();
                self.dialogs.retain(|&other| other != dialog);
                if self.dialogs.len() == open {
                    self.dialogs.push(dialog);
                }
            }
            Command::Dismiss(id) => self.toasts.retain(|toast| toast.id != id),
            Command::SetTool(tool) => self.tool = tool,
            Command::FitMaps => self.fit_request += 1,
            Command::ToggleDensity => self.settings.density = !self.settings.density,
            Command::CompareModel(place, id) => self.compare_with(place, id),
            Command::CompareMap(place, choice) => self.compare_map(place, choice),
            Command::CompareMore => {
                let slots = self.document.compare.slots.clone();
                let next = self.document.models.iter().find(|m| m.set.is_some() && !slots.contains(&m.card.id));
                // Where every model stands there already, one more map of the last is added.
                if let Some(id) = next.map(|model| model.card.id.clone()).or_else(|| slots.last().cloned()) {
                    self.document.compare.chosen = true;
                    self.document.compare.slots.push(id);
                }
            }
            Command::MeasureAgain(a, b) => {
                let pair = (a, b);
                self.document.compare.failures.retain(|(failed, _)| *failed != pair);
                self.document.agree_tried.remove(&pair);
            }
            Command::CompareLess(place) if place < self.document.compare.slots.len() => {
                self.document.compare.slots.remove(place);
                let choices = std::mem::take(&mut self.document.compare.choices);
                let kept = choices.into_iter().filter(|(other, _)| *other != place);
                let moved = kept.map(|(other, choice)| (if other > place { other - 1 } else { other }, choice));
                self.document.compare.choices = moved.collect();
            }
            _ => {}
        }
    }

    /// Loads in place of what is loaded, which stays until the new corpus is there; `None` is the sample. `chosen` are the
    /// paths to remember.
    fn open(&mut self, paths: Option<Vec<PathBuf>>, chosen: Vec<PathBuf>) {
        self.load += 1;
        self.pending = Some(PendingLoad { paths: paths.clone(), chosen, grows: false });
        self.spawn_load(paths);
    }

    /// Lets go of everything that belongs to the corpus before, now that another has come.
    pub(super) fn make_room(&mut self) {
        for lane in [
            "embed",
            "project",
            "style",
            "query",
            "inspect",
            "agree",
            "speed",
            "sort",
            "paint",
            "clusters",
            "trust",
            "torn",
            "facts",
            "scrub",
            "pin",
            "reductions",
            "shorten",
            "density",
        ] {
            self.jobs.cancel_lanes(lane);
        }
        // What was cancelled must not pass for the work of the new corpus.
        self.snapshots = self.jobs.snapshots();
        let grows = self.pending.as_ref().is_some_and(|pending| pending.grows);
        let before = if grows { self.document.maps_to_grow() } else { Default::default() };
        let again = self.pending.as_ref().is_some_and(|pending| pending.grows || pending.paths == self.opened);
        let old = self.clear_document(again);
        self.document.before = before;
        self.jobs.spawn(JobSpec::quiet("Letting go of the corpus before", "drop"), move |_| {
            // Freeing a large corpus takes longer than a frame may.
            drop(old);
            Outcome::Nothing
        });
        self.state.forget_corpus();
        let Some(PendingLoad { paths, chosen, .. }) = self.pending.take() else { return };
        self.opened = paths;
        for path in chosen.into_iter().rev() {
            let path = std::path::absolute(&path).unwrap_or(path);
            self.settings.recent.retain(|known| *known != path);
            self.settings.recent.insert(0, path);
        }
        self.settings.recent.truncate(10);
    }

    /// Reads folders with these options from now on, and again now.
    pub(super) fn read_with(&mut self, options: crate::corpus::LoadOptions) {
        self.settings.load = options;
        self.reload();
    }

    fn reload(&mut self) {
        self.open(self.opened.clone(), Vec::new());
        self.pending_grows();
    }

    /// What is being loaded holds what is loaded: its maps may grow.
    fn pending_grows(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.grows = true;
        }
    }

    fn cancel(&mut self, id: crate::jobs::JobId) {
        self.jobs.cancel(id);
        let Some(lane) = self.snapshots.iter().find(|job| job.id == id).map(|job| job.lane.clone()) else { return };
        if lane == "load" {
            self.pending = None;
        }
        if let Some(model) = lane.strip_prefix("project ") {
            self.end_live(&ModelId(model.to_owned()));
        }
    }

    /// Begins what the shown map needs for how it is coloured and labelled now.
    fn needed_of_shown(&mut self) {
        let ids: Vec<ModelId> = self.document.models.iter().map(|model| model.card.id.clone()).collect();
        for id in ids {
            self.spawn_trust(&id);
            self.spawn_clusters(&id, false);
        }
    }

    /// Checks the neighbours of the row looked at on every map.
    fn torn_of_all(&mut self) {
        let ids: Vec<ModelId> = self.document.models.iter().map(|model| model.card.id.clone()).collect();
        for id in ids {
            self.spawn_torn(&id);
        }
    }

    pub(super) fn embed(&mut self, id: &ModelId) {
        if self.offer_download(id) {
            return;
        }
        if self.document.corpus.is_none() {
            self.announce(LogLevel::Warning, "Load a folder first, then choose a model", "");
            return;
        }
        match self.document.model_mut(id) {
            Some(model) => model.error = None,
            None => self.add_precision(id),
        }
        self.spawn_embed(id);
    }

    /// A known model in another precision has its line in the panel at once, not only when it has embedded.
    fn add_precision(&mut self, id: &ModelId) {
        let (name, precision) = id.parts();
        let same = |card: &&ModelCard| card.precision.is_some() && card.id.parts().0 == name;
        if let Some(card) = self.document.models.iter().map(|model| &model.card).find(same) {
            let card = card.clone().at(precision);
            self.document.add_model(card);
        }
    }

    pub(super) fn show_map(&mut self, id: &ModelId) {
        self.document.shown = Some(id.clone());
        if self.document.item_order.by.is_some() {
            // Tokens cut and agreement are those of the shown model.
            self.spawn_sort();
        }
        if let Some(model) = self.document.model_mut(id) {
            model.map.fresh = false;
        }
        // The lists of the query follow the shown model.
        self.ask_again();
    }

    fn isolate(&mut self, label: &str) {
        let names: Vec<String> = self
            .document
            .shown
            .as_ref()
            .and_then(|id| self.document.model(id)?.map.styles.get(&MapChoice::Shown).cloned())
            .map(|styles| styles.legend().entries.iter().map(|entry| entry.label.clone()).collect())
            .unwrap_or_default();
        let others: std::collections::BTreeSet<String> = names.into_iter().filter(|name| name != label).collect();
        self.document.hidden = if self.document.hidden == others { Default::default() } else { others };
        self.document.restyle_all();
    }

    fn select(&mut self, mut rows: Vec<RowId>, mode: SelectMode) {
        rows.sort_unstable();
        rows.dedup();
        let old = &self.document.selection.rows;
        let rows = match mode {
            SelectMode::Replace => rows,
            SelectMode::Add => {
                rows.extend(old.iter().copied());
                // The point that was clicked before counts as the beginning of a selection.
                rows.extend(self.document.selection.focus.filter(|_| old.is_empty() && rows.len() == 1));
                rows.sort_unstable();
                rows.dedup();
                rows
            }
            SelectMode::Subtract => old.iter().copied().filter(|row| rows.binary_search(row).is_err()).collect(),
        };
        self.document.select(rows);
    }

    fn select_folder(&mut self, path: &str) {
        let Some(corpus) = self.document.corpus.clone() else { return };
        let below = format!("{path}/");
        let inside = |shown: &str| shown == path || shown.starts_with(&below);
        let here: Vec<bool> = corpus.items.iter().map(|item| inside(&item.shown_path)).collect();
        let rows = (0..corpus.chunks.len() as u32).map(RowId);
        // Roots that are single files stand in the tree under the name of their folder.
        let mut rows: Vec<RowId> = rows.filter(|&row| here[corpus.chunk(row).item.index()]).collect();
        if rows.is_empty() {
            let alone = |row: &RowId| {
                let item = corpus.item_of(*row);
                item.label == path && !item.shown_path.contains('/')
            };
            rows = (0..corpus.chunks.len() as u32).map(RowId).filter(alone).collect();
        }
        self.select(rows, SelectMode::Replace);
    }

    /// Asks the last query again: another model, or another number of hits.
    pub(super) fn ask_again(&mut self) {
        if let Some(query) = self.document.query.clone() {
            self.spawn_query(query);
        }
    }

    fn compare_with(&mut self, place: usize, id: ModelId) {
        self.document.compare.chosen = true;
        let Some(slot) = self.document.compare.slots.get_mut(place) else { return };
        *slot = id.clone();
        self.document.compare.choices.remove(&place);
        self.document.restyle.insert(id);
        self.pair_changed();
    }

    /// Shows one of its model's maps in a place of Compare; one that is not made yet is begun.
    fn compare_map(&mut self, place: usize, choice: MapChoice) {
        let Some(id) = self.document.compare.slots.get(place).cloned() else { return };
        self.document.compare.chosen = true;
        // Other maps of this model stay as they are while this one changes.
        let now = self.document.model(&id).and_then(|model| model.map.method).map(MapChoice::Of);
        let compare = &mut self.document.compare;
        for other in (0..compare.slots.len()).filter(|&other| other != place && compare.slots[other] == id) {
            compare.choices.entry(other).or_insert(now.unwrap_or_default());
        }
        compare.choices.insert(place, choice);
        let missing =
            |method: &Method| self.document.model(&id).is_some_and(|model| !model.map.layouts.contains_key(method));
        if let MapChoice::Of(method) = choice
            && missing(&method)
        {
            self.spawn_project(&id, method);
        }
        self.document.restyle.insert(id);
    }

    /// Another pair is compared: what is coloured or sorted by agreement is of that pair now.
    pub(super) fn pair_changed(&mut self) {
        if self.settings.colour_by == Column::Agreement {
            self.document.restyle_all();
        }
        if self.document.item_order.by == Some(Column::Agreement) {
            self.spawn_sort();
        }
    }

    fn reveal(&mut self, row: RowId) {
        let Some(corpus) = &self.document.corpus else { return };
        let path = corpus.item_of(row).path.clone();
        self.spawn_reveal(&path);
    }
}
