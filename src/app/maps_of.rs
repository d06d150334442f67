//! Jobs that make, change and read maps: laying out, parts, moments, clusters, trust.
//!
//! What they give is written by `apply`. Invariant: a model has at most one running layout.

use std::sync::Arc;

use super::App;
use super::jobs_of::{Outcome, spec};
use crate::jobs::{JobId, JobSpec, Policy};
use crate::picture::Layout;
use crate::projection::{Attraction, FEWEST_JUDGED, LINFA_LIMIT, Method, TsneEngine};
use crate::tasks::{self, ClusterRequest, LiveSlot, ProjectRequest};
use crate::ui::context::{KeptMap, LiveInfo, MapChoice, TornLines};
use crate::vectors::RowId;
use crate::workspace::{
    ClusterMethod, EmbeddingSet, MapPoints, ModelId, Positions, Projection, ProjectionParams, SharedGraph,
};

/// Neighbours that lines are drawn to.
const LINES: usize = 10;

impl App {
    /// The parameters of the next map of a set, or of some of its rows, by a method.
    pub(super) fn projection_params(&self, method: Method, set: &EmbeddingSet, rows: usize) -> ProjectionParams {
        let settings = &self.settings;
        let mut tsne = settings.tsne;
        if rows > LINFA_LIMIT {
            tsne.engine = TsneEngine::Embedlens;
        }
        let dimensions = if method == Method::Tsne { 2 } else { settings.dimensions };
        ProjectionParams {
            method,
            dimensions,
            metric: settings.metric.or_else(|| set.map_metric()),
            tsne,
            umap: settings.umap,
            pacmap: settings.pacmap,
        }
    }

    /// Lays a model's vectors out.
    pub(super) fn spawn_project(&mut self, id: &ModelId, method: Method) {
        let Some(set) = self.document.model(id).and_then(|model| model.set.clone()) else { return };
        let params = self.projection_params(method, &set, set.rows.len());
        let request = ProjectRequest {
            vectors: set.vectors.clone(),
            rows: set.rows.clone(),
            params,
            graph: set.graph.clone(),
            labels: self.labels_for(&set, &params),
            original: None,
            alone: false,
        };
        self.spawn_layout(id, request, false);
    }

    /// Lays the selected rows of a model out alone.
    pub(super) fn spawn_project_selection(&mut self, id: &ModelId, method: Method) {
        let Some(set) = self.document.model(id).and_then(|model| model.set.clone()) else { return };
        let selected: Vec<(usize, RowId)> =
            self.document.selection.rows.iter().filter_map(|&row| Some((set.position_of(row)?, row))).collect();
        if selected.is_empty() {
            return;
        }
        let rows: Arc<[RowId]> = selected.iter().map(|&(_, row)| row).collect();
        let params = self.projection_params(method, &set, rows.len());
        let request = ProjectRequest {
            vectors: set.vectors.select(selected.iter().map(|&(position, _)| position)),
            labels: self.labels_for(&set, &params).map(|all| selected.iter().map(|&(at, _)| all[at]).collect()),
            rows,
            params,
            // Neighbours among the selected rows are others than those among all.
            graph: SharedGraph::default(),
            original: None,
            alone: false,
        };
        self.spawn_layout(id, request, true);
    }

    /// The folders as categories, where UMAP is to keep them together.
    fn labels_for(&self, set: &EmbeddingSet, params: &ProjectionParams) -> Option<Arc<[i32]>> {
        let corpus = self.document.corpus.as_ref()?;
        (params.method == Method::Umap && self.settings.by_folder).then(|| tasks::folder_labels(corpus, &set.rows))
    }

    fn spawn_layout(&mut self, id: &ModelId, request: ProjectRequest, part: bool) {
        let Some(model) = self.document.model(id) else { return };
        let method = request.params.method;
        let of = if part { format!("{} selected chunks of ", request.rows.len()) } else { String::new() };
        let title = format!("{} of {of}{}", method.name(), model.card.name);
        let iterations = match method {
            Method::Tsne => request.params.tsne.iterations,
            Method::Umap => request.params.umap.epochs_for(request.rows.len()),
            Method::Pacmap => request.params.pacmap.iterations,
            Method::Pca => 0,
        };
        let engine = if method == Method::Tsne { request.params.tsne.engine } else { TsneEngine::Embedlens };
        let live = LiveSlot::default();
        let (generation, environment, slot) = (self.document.generation, self.environment.clone(), live.clone());
        let (model_id, lane) = (id.clone(), format!("project {id}"));
        let job = self.jobs.spawn(spec(title, lane, Policy::Replace), move |progress| {
            let result = tasks::project(&request, &slot, &environment, progress).map(|projection| {
                let layout = layout_of(&MapPoints::from(&projection));
                (Arc::new(projection), layout)
            });
            Outcome::Projected(generation, model_id, (method, part), result)
        });
        let Some(model) = self.document.model_mut(id) else { return };
        model.map.moment = None;
        model.map.torn = None;
        model.map.labels = None;
        match job {
            Some(job) if method != Method::Pca => {
                let before = model.map.live.map_or(model.map.method, |live| live.before);
                model.map.live_kl.clear();
                model.map.live = Some(LiveInfo { before, ..new_live(job, (method, engine), iterations) });
                model.map.method = Some(method);
                model.map.clusters_are_old = model.map.clusters.as_ref().is_some_and(|found| found.is_of_map());
            }
            // PCA takes the place of a running layout.
            _ => model.map.live = None,
        }
        self.document.live.insert(id.clone(), live);
    }

    /// A layout that was cancelled or failed goes back to the finished map there was, or to none.
    pub(super) fn end_live(&mut self, id: &ModelId) {
        self.document.live.remove(id);
        let Some(model) = self.document.model_mut(id) else { return };
        let live = model.map.live.take();
        if model.map.method.is_none() && model.map.given.is_some() {
            return;
        }
        let before = live.and_then(|live| live.before).filter(|method| model.map.layouts.contains_key(method));
        let of_file = live.is_some() && model.map.given.is_some();
        let last = || model.map.layouts.keys().next_back().copied().filter(|_| !of_file);
        let back = before.or_else(last);
        model.map.method = back;
        model.map.layout = back.and_then(|method| model.map.layouts.get(&method).cloned());
        if back.is_none() && model.map.given.is_some() {
            model.map.layout = model.map.given.as_ref().map(|given| given.layout.clone());
        }
        if back.is_none() {
            model.map.styles.clear();
        }
        // Clusters of points on their way, or of some of them, are not those of this map.
        let old = std::mem::take(&mut model.map.clusters_are_old) && model.map.part.is_none();
        if model.map.clusters.as_ref().is_some_and(|found| found.is_of_map()) && !old {
            model.map.clusters = None;
        }
        model.map.part = None;
        // What is shown again is seen from the front.
        model.map.turned = [0.0, 0.0];
        self.document.restyle.insert(id.clone());
        self.spawn_clusters(id, false);
    }

    /// Passes parameters that were changed on to the shown model's running layout.
    pub(super) fn steer(&mut self) {
        let Some(id) = self.document.shown.clone() else { return };
        let Some(live) = self.document.model(&id).and_then(|model| model.map.live) else { return };
        let Some(set) = self.document.model(&id).and_then(|model| model.set.clone()) else { return };
        let params = self.projection_params(live.method, &set, set.rows.len());
        if let Some(slot) = self.document.live.get(&id) {
            slot.steer(params);
        }
    }

    /// Shows a finished map, or begins it.
    pub(super) fn project(&mut self, id: &ModelId, method: Method) {
        let Some(model) = self.document.model_mut(id) else { return };
        let finished = model.map.layouts.get(&method).cloned();
        match finished {
            Some(layout) if model.map.live.is_none_or(|live| live.method != method) => {
                if let Some(live) = model.map.live.take() {
                    self.jobs.cancel(live.job);
                    self.document.live.remove(id);
                }
                self.show_layout(id, method, layout);
            }
            None if model.map.live.is_none_or(|live| live.method != method) => self.spawn_project(id, method),
            _ => {}
        }
    }

    fn show_layout(&mut self, id: &ModelId, method: Method, layout: Arc<Layout>) {
        let Some(model) = self.document.model_mut(id) else { return };
        model.map.method = Some(method);
        model.map.layout = Some(layout);
        model.map.part = None;
        model.map.moment = None;
        model.map.turned = [0.0, 0.0];
        self.map_changed(id);
    }

    /// Another finished map is shown: what was said of the one before no longer holds.
    pub(super) fn map_changed(&mut self, id: &ModelId) {
        let Some(model) = self.document.model_mut(id) else { return };
        model.map.trust = None;
        model.map.torn = None;
        model.map.clusters_are_old = false;
        if model.map.clusters.as_ref().is_some_and(|found| found.is_of_map()) {
            model.map.clusters = None;
        }
        model.map.labels = None;
        model.map.densities.clear();
        self.document.restyle.insert(id.clone());
        self.spawn_clusters(id, false);
        self.spawn_trust(id);
        self.spawn_torn(id);
        self.spawn_pin(id);
    }

    /// Back from a map of some rows to that of all.
    pub(super) fn show_whole(&mut self, id: &ModelId) {
        let Some(model) = self.document.model_mut(id) else { return };
        if model.map.layouts.is_empty() {
            return self.show_given(id);
        }
        let method = model.map.method.filter(|method| model.map.layouts.contains_key(method));
        let Some(method) = method.or_else(|| model.map.layouts.keys().next_back().copied()) else { return };
        if let Some(layout) = model.map.layouts.get(&method).cloned() {
            self.show_layout(id, method, layout);
        }
    }

    /// Sets the shown map aside.
    pub(super) fn keep_map(&mut self, id: &ModelId) {
        let Some(model) = self.document.model_mut(id) else { return };
        let Some(projection) = model.map.shown().cloned() else { return };
        let number = model.map.kept.iter().map(|kept| kept.number + 1).max().unwrap_or(1);
        let layout = layout_of(&MapPoints::from(&*projection));
        let name = format!("{number}: {}", made_with(&projection));
        let words = format!("Kept {name}; it can be chosen in Compare");
        model.map.kept.push(KeptMap { number, name, projection, layout });
        self.document.restyle.insert(id.clone());
        self.announce(crate::ui::context::LogLevel::Info, words, "");
    }

    /// Forgets a map that was set aside.
    pub(super) fn drop_kept(&mut self, id: &ModelId, number: u32) {
        if let Some(model) = self.document.model_mut(id) {
            model.map.kept.retain(|kept| kept.number != number);
            model.map.styles.remove(&MapChoice::Kept(number));
        }
        self.document.compare.choices.retain(|_, choice| *choice != MapChoice::Kept(number));
    }

    /// Shows a moment of the shown map's history.
    pub(super) fn scrub(&mut self, id: &ModelId, moment: Option<usize>) {
        let Some(model) = self.document.model_mut(id) else { return };
        let Some(projection) = model.map.shown().cloned() else { return };
        let moment = moment.filter(|&moment| moment + 1 < projection.history.len());
        model.map.moment = moment;
        // A map of space comes back as it is seen from the front, which is how its past was drawn.
        model.map.turned = [0.0, 0.0];
        let (generation, model_id) = (self.document.generation, id.clone());
        self.jobs.spawn(JobSpec::quiet("Showing a moment", format!("scrub {id}")), move |_| {
            let past = |moment: usize| {
                let (rows, points) = (projection.rows.clone(), projection.history[moment].points.clone());
                Arc::new(match &projection.space {
                    Some(end) => Layout::past_of_space(rows, points, end),
                    None => Layout::new(rows, points),
                })
            };
            let layout = moment.map_or_else(|| layout_of(&MapPoints::from(&*projection)), past);
            Outcome::Placed(generation, model_id, layout)
        });
    }

    /// Turns a map of three dimensions.
    pub(super) fn turn(&mut self, id: &ModelId, by: [f32; 2]) {
        let Some(model) = self.document.model_mut(id) else { return };
        let Some(map) = model.map.points().filter(|map| map.at.space().is_some()) else { return };
        // What turns is the end of the layout, not a moment of its past.
        model.map.moment = None;
        let turned = &mut model.map.turned;
        *turned = [turned[0] + by[0], (turned[1] + by[1]).clamp(-1.57, 1.57)];
        let (turned, generation, model_id) = (*turned, self.document.generation, id.clone());
        self.jobs.spawn(JobSpec::quiet("Turning the map", format!("scrub {id}")), move |_| {
            let space = map.at.space().map_or(&[][..], |space| space);
            Outcome::Placed(generation, model_id, Arc::new(Layout::of_space(map.rows.clone(), space, turned)))
        });
    }

    /// Looks for clusters of a model's rows; unasked only where their names are shown or colour the map.
    pub(super) fn spawn_clusters(&mut self, id: &ModelId, asked: bool) {
        let wanted = asked || self.settings.wants_clusters();
        let Some(corpus) = self.document.corpus.clone() else { return };
        let Some(model) = self.document.model(id) else { return };
        let (Some(set), Some(map)) = (model.set.clone(), model.map.points()) else { return };
        // While points move, only hills of the density are quick enough to follow them.
        let moving = model.map.live.is_some() && !asked;
        let follows = moving && self.settings.clusters.method == ClusterMethod::Density;
        let known = model.map.clusters.is_some() && !follows;
        if !wanted || (moving && !follows) || (!asked && known) {
            return;
        }
        let request = ClusterRequest { corpus, set, map, params: self.settings.clusters };
        if !asked && !request.is_quick() {
            return;
        }
        let title = format!("Clusters of {}", model.card.name);
        let policy = if follows { Policy::Once } else { Policy::Replace };
        self.find_clusters(id, request, JobSpec { quiet: !asked, ..spec(title, format!("clusters {id}"), policy) });
    }

    /// Looks for clusters among the selected rows alone; the others are in none.
    pub(super) fn cluster_selection(&mut self, id: &ModelId) {
        let Some(corpus) = self.document.corpus.clone() else { return };
        let Some(model) = self.document.model(id) else { return };
        let (Some(set), Some(map)) = (model.set.clone(), model.map.points()) else { return };
        let map = map.only(|row| self.document.selection.rows.binary_search(&row).is_ok());
        if map.rows.is_empty() {
            return;
        }
        let title = format!("Clusters of {} selected chunks of {}", map.rows.len(), model.card.name);
        let request = ClusterRequest { corpus, set, map, params: self.settings.clusters };
        self.find_clusters(id, request, spec(title, format!("clusters {id}"), Policy::Replace));
    }

    fn find_clusters(&mut self, id: &ModelId, request: ClusterRequest, spec: JobSpec) {
        let (generation, environment, model_id) = (self.document.generation, self.environment.clone(), id.clone());
        self.jobs.spawn(spec, move |progress| {
            let found = tasks::clusters(&request, &environment, progress);
            // For the inspector, which asks while a frame is painted.
            found.iter().for_each(|found| _ = found.prepare());
            Outcome::Clustered(generation, model_id, found)
        });
    }

    /// Measures for every point how many of its neighbours the shown map keeps: unasked only where the neighbours are known already.
    pub(super) fn spawn_trust(&mut self, id: &ModelId) {
        let asked = self.settings.colour_by == crate::workspace::Column::Trust;
        let Some(model) = self.document.model(id) else { return };
        let (Some(set), Some(map)) = (model.set.clone(), model.map.points()) else { return };
        if model.map.live.is_some() || model.map.trust.is_some() || !asked || map.at.len() < FEWEST_JUDGED {
            return;
        }
        let (generation, environment, model_id) = (self.document.generation, self.environment.clone(), id.clone());
        let title = format!("Trust of the map of {}", model.card.name);
        self.jobs.spawn(spec(title, format!("trust {id}"), Policy::Replace), move |progress| {
            Outcome::Trusted(generation, model_id, tasks::map_trust(&set, &map, &environment, progress))
        });
    }

    /// Finds where the shown map is wrong about the row looked at.
    pub(super) fn spawn_torn(&mut self, id: &ModelId) {
        let Some(row) = self.document.selection.focus else { return };
        let Some(model) = self.document.model(id) else { return };
        let (Some(set), Some(map)) = (model.set.clone(), model.map.points()) else { return };
        if model.map.live.is_some() || set.position_of(row).is_none() || map.at.len() < FEWEST_JUDGED {
            return;
        }
        let (generation, model_id) = (self.document.generation, id.clone());
        self.jobs.spawn(JobSpec::quiet("Checking neighbours on the map", format!("torn {id}")), move |_| {
            let (torn, pulled) = tasks::torn(&set, &map, row, LINES);
            Outcome::Torn(generation, model_id, TornLines { row, torn, pulled })
        });
    }
}

/// Where the points of a finished map are; those of space as they are seen from the front.
pub(super) fn layout_of(map: &MapPoints) -> Arc<Layout> {
    Arc::new(match &map.at {
        Positions::Plane(points) => Layout::new(map.rows.clone(), points.clone()),
        Positions::Space(space) => Layout::of_space(map.rows.clone(), space, [0.0, 0.0]),
    })
}

fn new_live(job: JobId, (method, engine): (Method, TsneEngine), iterations: usize) -> LiveInfo {
    LiveInfo { job, method, engine, paused: false, iteration: 0, iterations, kl: f32::NAN, before: None }
}

/// "t-SNE, perplexity 30".
fn made_with(projection: &Projection) -> String {
    let params = &projection.params;
    let rows = match params.dimensions {
        3 => " in 3-D",
        _ => "",
    };
    match params.method {
        Method::Pca => format!("PCA{rows}"),
        Method::Tsne => match params.tsne.attraction {
            Attraction::Perplexity => format!("t-SNE, perplexity {:.0}", params.tsne.perplexity),
            Attraction::Uniform { neighbours } => format!("t-SNE, {neighbours} neighbours alike"),
        },
        Method::Umap => {
            let umap = &params.umap;
            format!("UMAP{rows}, {} neighbours, distance {:.2}", umap.n_neighbors, umap.min_dist)
        }
        Method::Pacmap => {
            let near = params.pacmap.neighbours_for(projection.rows.len());
            format!("PaCMAP{rows}, {near} neighbours, further pairs {:.1}", params.pacmap.fp_ratio)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::Window;
    use crate::ui::command::Command;
    use crate::ui::context::MapModel;
    use crate::ui::settings::Perspective;
    use crate::vectors::{Vectors, npy};
    use crate::workspace::Column;

    /// A window on positions in space: two heaps of 40, the second behind the first.
    fn two_heaps() -> (Window, ModelId, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let noise = |at: usize| ((at * 7919 % 104_729) as f32 * 0.613).sin();
        let values = (0..80).flat_map(|row| {
            [noise(3 * row), noise(3 * row + 1), noise(3 * row + 2) + if row < 40 { 0.0 } else { 30.0 }]
        });
        let path = folder.path().join("space.npy");
        npy::write(&path, &Vectors::new(values.collect::<Vec<f32>>(), 3).unwrap()).unwrap();
        let mut window = Window::open(Perspective::Explore, |_| {});
        window.carry_out(Command::Open(vec![path]));
        let id = window.app.document.shown.clone().unwrap();
        (window, id, folder)
    }

    fn map(window: &Window, id: &ModelId) -> MapModel {
        window.app.document.model(id).unwrap().map.clone()
    }

    #[test]
    fn clusters_are_known_to_be_of_the_map_before_until_the_layout_ends() {
        let (mut window, id, _folder) = two_heaps();
        window.carry_out(Command::Project(id.clone(), Method::Pca));
        window.carry_out(Command::Project(id.clone(), Method::Umap));
        window.carry_out(Command::Project(id.clone(), Method::Pca));
        window.carry_out(Command::FindClusters(id.clone()));
        let of_pca = map(&window, &id).clusters.unwrap();
        for ends in [false, true] {
            window.app.spawn_project(&id, Method::Tsne);
            window.app.snapshots = window.app.jobs.snapshots();
            let running = map(&window, &id);
            assert!(running.live.is_some() && running.clusters_are_old);
            if ends {
                break;
            }
            // Cancelled, the map is the one before, and so are its clusters.
            window.carry_out(Command::CancelJob(running.live.unwrap().job));
            let back = map(&window, &id);
            assert_eq!((back.method, back.clusters_are_old, back.live), (Some(Method::Pca), false, None));
            assert!(Arc::ptr_eq(&back.clusters.unwrap(), &of_pca));
        }
        window.settle();
        let done = map(&window, &id);
        assert_eq!((done.method, done.clusters_are_old), (Some(Method::Tsne), false));
        assert!(!Arc::ptr_eq(&done.clusters.unwrap(), &of_pca), "found anew on the new map");
        // From the positions of the file, and cancelled: back to them.
        window.carry_out(Command::ShowGiven(id.clone()));
        window.app.spawn_project(&id, Method::Pacmap);
        window.app.snapshots = window.app.jobs.snapshots();
        let job = map(&window, &id).live.unwrap().job;
        window.carry_out(Command::CancelJob(job));
        assert!(map(&window, &id).is_given());
    }

    #[test]
    fn turning_changes_nothing_that_is_measured_or_found() {
        let (mut window, id, _folder) = two_heaps();
        let front = map(&window, &id);
        assert!(front.is_given() && front.turns(), "positions in space are shown as they are");
        for by in [[0.0, 0.0], [1.1, 0.4]] {
            window.carry_out(Command::Turn(id.clone(), by));
            window.app.document.model_mut(&id).unwrap().map.trust = None;
            window.carry_out(Command::ColourBy(Column::Trust));
            window.carry_out(Command::FindClusters(id.clone()));
            window.carry_out(Command::Focus(RowId(7)));
            let seen = map(&window, &id);
            assert!(seen.trust.unwrap().shares.iter().all(|&share| share == 1.0), "the map is the vectors themselves");
            let found = seen.clusters.unwrap();
            assert_eq!(found.len(), 2, "{:?}", found.fine.labels);
            assert!(found.fine.labels[..40].iter().all(|&label| label < 0 || label != found.fine.labels[60]));
            let lines = seen.torn.unwrap();
            assert_eq!((lines.torn.len(), lines.pulled.len()), (0, 0));
            window.carry_out(Command::Unfocus);
        }
        let turned = map(&window, &id).layout.unwrap();
        assert!(turned.points()[70] != front.layout.unwrap().points()[70]);
        // From another method back to the front.
        window.carry_out(Command::Project(id.clone(), Method::Pca));
        assert_eq!(map(&window, &id).method, Some(Method::Pca));
        window.carry_out(Command::ShowGiven(id.clone()));
        let back = map(&window, &id);
        assert!(back.is_given() && back.turned == [0.0, 0.0]);
    }
}
