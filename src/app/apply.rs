//! The only writer of what jobs give.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::App;
use super::from_file::Loaded;
use super::jobs_of::{Outcome, Purpose};
use crate::corpus::Modality;
use crate::jobs::Finished;
use crate::picture::Layout;
use crate::projection::Method;
use crate::tasks::TaskError;
use crate::ui::command::Dialog;
use crate::ui::context::{LogLevel, MapModel};
use crate::ui::settings::Perspective;
use crate::ui::widgets::{duration, plural, thousands};
use crate::vectors::RowId;
use crate::workspace::cache::CacheReport;
use crate::workspace::{ClusterMethod, Clustering, EmbeddingSet, InputKind, ModelId, Projection};

/// Up to this many chunks a t-SNE follows the first PCA unasked.
const AUTOMATIC_TSNE: usize = 20_000;
/// How often the clusters of a moving map are found again.
const FOLLOW: Duration = Duration::from_secs(1);

impl App {
    /// Writes what a job gave; an outcome of an older corpus is dropped.
    pub(super) fn apply(&mut self, finished: Finished<Outcome>) {
        let now = self.document.generation;
        let outcome = match finished.result {
            Ok(outcome) => outcome,
            Err(panic) => {
                let words = format!("{} stopped by a fault of this program", finished.title);
                self.announce(LogLevel::Error, words, panic);
                if let Some(id) = finished.lane.strip_prefix("project ") {
                    self.end_live(&ModelId(id.to_owned()));
                }
                if finished.lane == "load" {
                    self.pending = None;
                }
                let slots = &self.document.compare.slots;
                if let (true, [a, b, ..]) = (finished.lane.starts_with("agree "), slots.as_slice()) {
                    let why = "The comparison stopped by a fault of this program.".to_owned();
                    self.document.compare.failures.push(((a.clone(), b.clone()), why));
                }
                return;
            }
        };
        match outcome {
            Outcome::Loaded(of, result) if of == self.load => self.loaded(result, finished.seconds),
            Outcome::Downloaded(id, result) => self.downloaded(&id, *result),
            Outcome::Embedded(of, id, result) if of == now => self.embedded(&id, *result),
            Outcome::Projected(of, id, made, result) if of == now => self.projected(&id, made, result),
            Outcome::Placed(of, id, layout) if of == now => {
                if let Some(model) = self.document.model_mut(&id).filter(|model| model.map.live.is_none()) {
                    model.map.layout = Some(layout);
                    self.document.restyle.insert(id);
                }
            }
            Outcome::Styled(of, id, styles, labels) if of == now => {
                if let Some(model) = self.document.model_mut(&id) {
                    model.map.styles = styles;
                    model.map.labels = labels;
                }
            }
            Outcome::Dense(of, id, choice, density) if of == now => self.dense(&id, choice, density),
            Outcome::Clustered(of, id, result) if of == now => self.clustered(&id, result),
            Outcome::Trusted(of, id, Ok(shares)) if of == now => {
                let of_shown = |map: &MapModel| map.layout.as_ref().is_some_and(|layout| *layout.rows() == shares.rows);
                if let Some(model) = self.document.model_mut(&id).filter(|model| of_shown(&model.map)) {
                    model.map.trust = Some(Arc::new(shares));
                    self.document.restyle.insert(id);
                }
            }
            Outcome::Trusted(of, _, Err(error)) if of == now => self.failed("Trust was not measured", &error),
            Outcome::Reduced(of, id, Ok(costs)) if of == now => {
                if let Some(model) = self.document.model_mut(&id) {
                    model.map.reductions = Some(costs.into());
                }
            }
            Outcome::Reduced(of, _, Err(error)) if of == now => {
                self.failed("The cost of fewer dimensions was not measured", &error);
            }
            Outcome::Shortened(of, result) if of == now => self.shortened(*result),
            Outcome::Torn(of, id, lines) if of == now => {
                let focus = self.document.selection.focus;
                if let (Some(model), true) = (self.document.model_mut(&id), focus == Some(lines.row)) {
                    model.map.torn = Some(Arc::new(lines));
                }
            }
            Outcome::Pinned(of, id, pin) if of == now => {
                if let Some(model) = self.document.model_mut(&id) {
                    model.map.pin = pin.map(Arc::new);
                }
            }
            Outcome::Answered(of, result) if of == now => match result {
                Ok(answer) => {
                    self.document.answer = Some(Arc::new(answer));
                    self.place_pins();
                }
                Err(error) => self.failed("The query was not answered", &error),
            },
            Outcome::Inspected(of, found) if of == now && self.document.selection.focus == Some(found.row) => {
                self.document.inspection = Some(found);
            }
            Outcome::Distilled(result) => self.distilled(*result),
            Outcome::Captioned(of, Ok(scored)) if of == now => self.document.captioned = Some(scored),
            Outcome::Captioned(of, Err(error)) if of == now => self.failed("The captions were not scored", &error),
            Outcome::Agreed(of, _, Ok(measured)) if of == now => {
                self.document.compare.agreements.push(Arc::new(measured));
                self.pair_changed();
            }
            Outcome::Agreed(of, pair, Err(error)) if of == now => {
                let cancelled = "The comparison was cancelled.".to_owned();
                let why = if error.is_cancelled() { cancelled } else { error.report().summary };
                self.document.compare.failures.push((pair, why));
                self.failed("The models were not compared", &error);
            }
            Outcome::Weighed(of, id, facts) if of == now => self.weighed(&id, facts),
            Outcome::Measured(of, id, result) if of == now => self.measured_speed(&id, result),
            Outcome::Listed(cards) => self.listed(cards),
            Outcome::Sorted(of, order) if of == now => self.document.item_order = order,
            Outcome::Picked(purpose, paths) if !paths.is_empty() => self.picked(purpose, paths),
            Outcome::NoDialog(purpose) => {
                let words = "This system has no file dialog (no desktop portal and no zenity)";
                self.announce(LogLevel::Warning, words, "A path can be typed, or files dropped on the window.");
                if purpose != Purpose::Query && !self.dialogs.contains(&Dialog::TypePath) {
                    self.dialogs.push(Dialog::TypePath);
                }
            }
            Outcome::Exported(Ok(path)) => {
                let words = format!("Saved {}", path.display());
                self.announce(LogLevel::Info, words, "");
            }
            Outcome::Exported(Err(error)) => self.failed("Nothing was saved", &error),
            _ => {}
        }
    }

    pub(super) fn failed(&mut self, what: &str, error: &TaskError) {
        if error.is_cancelled() {
            return;
        }
        let report = error.report();
        let mut details = report.details;
        details.extend((!report.hint.is_empty()).then_some(report.hint));
        self.announce(LogLevel::Error, format!("{what}: {}", report.summary), details.join("\n"));
    }

    fn loaded(&mut self, result: Result<Loaded, TaskError>, seconds: f64) {
        let Loaded { corpus, folders, sets } = match result {
            Ok(loaded) => loaded,
            Err(error) => {
                self.pending = None;
                self.document.load_error = Some(error.report().summary);
                return self.failed("Nothing was loaded", &error);
            }
        };
        self.settings.colour_by = self.settings.colour_by.again(self.document.corpus.as_deref(), &corpus);
        self.make_room();
        let words = format!(
            "Read {} as {} in {}",
            plural(corpus.items.len(), "item"),
            plural(corpus.chunks.len(), "chunk"),
            duration(seconds)
        );
        self.log(LogLevel::Info, words, "");
        if !corpus.skipped.is_empty() {
            let words = format!("{} skipped; everything else was loaded", plural(corpus.skipped.len(), "file"));
            self.announce(LogLevel::Warning, words, "");
        }
        if corpus.chunks.is_empty() {
            self.announce(
                LogLevel::Warning,
                "There is nothing in it that can be embedded",
                "See the skipped files for why.",
            );
        }
        self.document.item_order.rows = (0..corpus.chunks.len() as u32).map(RowId).collect();
        self.document.folders = folders;
        self.document.corpus = Some(corpus);
        self.spawn_sort();
        // Where the vectors are there already, no model embeds unasked.
        if sets.is_empty() { self.embed_all() } else { self.show_sets(sets) }
    }

    /// Queues every bundled model that reads something of the corpus; the quick ones first.
    fn embed_all(&mut self) {
        let Some(corpus) = &self.document.corpus else { return };
        let images = corpus.count(Modality::Image) as f64;
        let texts = corpus.chunks.len() as f64 - images;
        let mostly = if texts >= images { InputKind::Text } else { InputKind::Image };
        let mut wanted: Vec<(f64, ModelId)> = Vec::new();
        for model in &self.document.models {
            // Rough costs a chunk, only to bring the quick ones forward.
            let cost = match (model.card.input, model.card.context_tokens) {
                (InputKind::Text, None) => texts * 0.0005,
                (InputKind::Text, Some(_)) => texts * 0.02,
                (InputKind::Image, _) => images * 0.04,
                (InputKind::Both, _) => texts * 0.02 + images * 0.04,
            };
            if cost > 0.0 && model.card.source == crate::workspace::ModelSource::Bundled {
                wanted.push((cost, model.card.id.clone()));
            }
        }
        wanted.sort_by(|a, b| a.0.total_cmp(&b.0));
        // The first map is of what most of the corpus is: a picture among a thousand texts must not be the map shown.
        let reads = |id: &ModelId| self.document.model(id).map(|model| model.card.input);
        if let Some(first) = wanted.iter().position(|(_, id)| reads(id) == Some(mostly)) {
            wanted[..=first].rotate_right(1);
        }
        // The same kind stands in Compare from the beginning: nothing is swapped there later.
        let pair: Vec<ModelId> =
            wanted.iter().map(|(_, id)| id).filter(|id| reads(id) == Some(mostly)).take(2).cloned().collect();
        if pair.len() == 2 {
            self.document.compare.slots = pair;
        }
        for (_, id) in wanted {
            self.spawn_embed(&id);
        }
    }

    fn embedded(&mut self, id: &ModelId, result: Result<(EmbeddingSet, CacheReport), TaskError>) {
        let (set, report) = match result {
            Ok(done) => done,
            Err(error) => {
                if let (false, Some(model)) = (error.is_cancelled(), self.document.model_mut(id)) {
                    model.error = Some(error.report().summary);
                }
                return self.failed(&format!("{id} did not embed"), &error);
            }
        };
        for message in report.messages {
            self.announce(LogLevel::Warning, message, "");
        }
        if !set.failed.is_empty() {
            let details: Vec<String> = set.failed.iter().take(20).map(|(_, why)| why.clone()).collect();
            let words = format!("{} could not be embedded by {}", plural(set.failed.len(), "item"), set.card.name);
            self.announce(LogLevel::Warning, words, details.join("\n"));
        }
        self.log(LogLevel::Info, embedded_words(&set), "");
        let id = set.card.id.clone();
        self.document.add_model(set.card.clone());
        let empty = set.rows.is_empty();
        if let Some(model) = self.document.model_mut(&id) {
            model.set = Some(Arc::new(set));
            model.error = None;
        }
        self.offer_earlier(&id);
        if empty {
            return;
        }
        if self.document.shown.is_none() {
            self.document.shown = Some(id.clone());
            if self.document.item_order.by.is_some() {
                self.spawn_sort();
            }
        }
        self.fill_compare();
        self.make_again(&id);
        self.spawn_project(&id, Method::Pca);
        self.ask_again();
        if let Some(row) = self.document.selection.focus {
            self.spawn_inspect(row);
        }
    }

    /// Until the user chooses, the two models that read the same kind of items and share the most rows stand side by side.
    pub(super) fn fill_compare(&mut self) {
        // What can be compared is not swapped unasked.
        let slots = self.document.compare.slots.as_slice();
        if self.document.compare.chosen || matches!(slots, [a, b, ..] if self.comparable(a, b)) {
            return;
        }
        let ready: Vec<(&ModelId, usize)> = self
            .document
            .models
            .iter()
            .filter_map(|model| Some((&model.card.id, model.set.as_ref()?.rows.len())))
            .filter(|(_, rows)| *rows > 0)
            .collect();
        let mut best: Option<(usize, [&ModelId; 2])> = None;
        for (place, &(a, rows)) in ready.iter().enumerate() {
            for &(b, others) in ready[place + 1..].iter().filter(|(b, _)| self.comparable(a, b)) {
                let shared = rows.min(others);
                if best.is_none_or(|(most, _)| shared > most) {
                    best = Some((shared, [a, b]));
                }
            }
        }
        let slots = match best {
            Some((_, pair)) => pair.map(Clone::clone).to_vec(),
            None => ready.iter().take(2).map(|(id, _)| (*id).clone()).collect(),
        };
        self.document.compare.slots = slots;
    }

    fn comparable(&self, a: &ModelId, b: &ModelId) -> bool {
        let input = |id| self.document.model(id).map(|model| model.card.input);
        let (Some(a), Some(b)) = (input(a), input(b)) else { return false };
        a.reads_texts() && b.reads_texts() || a.reads_pictures() && b.reads_pictures()
    }

    fn projected(
        &mut self,
        id: &ModelId,
        (method, part): (Method, bool),
        result: Result<(Arc<Projection>, Arc<Layout>), TaskError>,
    ) {
        let shown = self.document.shown.as_ref() == Some(id);
        self.document.live.remove(id);
        let (projection, layout) = match result {
            Ok(done) => done,
            Err(error) => {
                self.end_live(id);
                return self.failed("No map was made", &error);
            }
        };
        let Some(model) = self.document.model_mut(id) else { return };
        model.map.live = None;
        // Of a set that came with its map, only what is asked for is laid out.
        let first = model.map.layouts.is_empty() && model.map.given.is_none();
        let count = projection.points.len();
        let seconds: f64 = projection.seconds.iter().sum();
        let words = format!(
            "{} of {}: {} points in {}",
            method.name(),
            model.card.name,
            thousands(count as u64),
            duration(seconds)
        );
        let notes = projection.notes.join("\n");
        if part {
            model.map.part = Some(projection);
        } else {
            model.map.part = None;
            model.map.projections.insert(method, projection);
            model.map.layouts.insert(method, layout.clone());
        }
        model.map.method = Some(method);
        model.map.layout = Some(layout);
        model.map.moment = None;
        model.map.turned = [0.0, 0.0];
        let name = model.card.name.clone();
        if first && !shown {
            model.map.fresh = true;
        }
        self.map_changed(id);
        self.log(LogLevel::Info, words, notes);
        if first && !shown {
            self.announce(LogLevel::Info, format!("The map of {name} is ready"), "");
        }
        if first && method == Method::Pca && (10..=AUTOMATIC_TSNE).contains(&count) {
            self.spawn_project(id, Method::Tsne);
        }
    }

    fn clustered(&mut self, id: &ModelId, result: Result<Clustering, TaskError>) {
        let found = match result {
            Ok(found) => found,
            Err(error) => return self.failed("No clusters were found", &error),
        };
        let Some(model) = self.document.model_mut(id) else { return };
        let words = format!(
            "{} of {}: {} in {}",
            found.params.method.name(),
            model.card.name,
            plural(found.len(), "cluster"),
            duration(found.seconds)
        );
        model.map.clusters = Some(Arc::new(found));
        model.map.clusters_are_old = false;
        let moving = model.map.live.is_some();
        self.document.restyle.insert(id.clone());
        if !moving {
            self.log(LogLevel::Info, words, "");
        }
    }

    fn picked(&mut self, purpose: Purpose, paths: Vec<std::path::PathBuf>) {
        use crate::ui::command::Command;
        self.commands.send(match (purpose, paths.as_slice()) {
            (Purpose::Open, _) => Command::Open(paths),
            (Purpose::Add, _) => Command::Add(paths),
            (Purpose::Query, [path, ..]) => Command::QueryImage(path.clone()),
            (Purpose::Query, []) => return,
        });
    }

    /// The newest positions of running layouts.
    pub(super) fn take_live_layouts(&mut self) {
        let jobs = &self.snapshots;
        let mut moved = Vec::new();
        for (id, slot) in &self.document.live {
            let Some(model) = self.document.models.iter_mut().find(|model| &model.card.id == id) else { continue };
            let Some(live) = &mut model.map.live else {
                // PCA is shown as soon as it is placed, before its quality is known.
                if let (Some(frame), false) = (slot.take(), model.map.layouts.contains_key(&Method::Pca)) {
                    model.map.method = Some(Method::Pca);
                    model.map.layout = Some(frame.layout);
                    self.document.restyle.insert(id.clone());
                }
                continue;
            };
            live.paused = jobs.iter().any(|job| job.id == live.job && job.view.paused);
            let Some(frame) = slot.take() else { continue };
            live.iteration = frame.iteration;
            live.iterations = frame.iterations;
            if let Some(kl) = frame.kl.filter(|kl| *kl != live.kl) {
                live.kl = kl;
                model.map.live_kl.push((frame.iteration as u32, kl));
            }
            let same_rows = model.map.layout.as_ref().is_some_and(|old| old.rows().len() == frame.layout.rows().len());
            model.map.layout = Some(frame.layout);
            if self.settings.clusters.method == ClusterMethod::Density {
                moved.push(id.clone());
            } else {
                // The names of the map before would stand beside other points.
                model.map.labels = None;
            }
            if !same_rows {
                self.document.restyle.insert(id.clone());
            }
        }
        if !moved.is_empty() && self.followed.elapsed() > FOLLOW {
            self.followed = Instant::now();
            for id in moved {
                self.spawn_clusters(&id, false);
            }
        }
    }

    /// Jobs that follow from what is shown: colours, agreement.
    pub(super) fn start_needed_jobs(&mut self) {
        let wanted: Vec<ModelId> = std::mem::take(&mut self.document.restyle).into_iter().collect();
        for id in wanted {
            self.spawn_style(&id);
        }
        self.spawn_densities();
        if std::mem::take(&mut self.document.query_stale) {
            self.ask_again();
        }
        self.compare_shown();
        self.measure_compared();
        self.weigh_compared();
    }

    /// Begins to compare the first two models of Compare, once.
    fn compare_shown(&mut self) {
        let compare = &self.document.compare;
        let [a, b, ..] = compare.slots.as_slice() else { return };
        let pair = (a.clone(), b.clone());
        // Two maps of one model are held against each other by eye and by their trust.
        if self.settings.perspective != Perspective::Compare
            || a == b
            || self.document.agree_tried.contains(&pair)
            || compare.measured(a, b).is_some()
        {
            return;
        }
        let set = |id| self.document.model(id).and_then(|model| model.set.clone());
        let (Some(of_a), Some(of_b)) = (set(a), set(b)) else { return };
        if self.comparable(&pair.0, &pair.1) {
            // Where the cancelled comparison of a corpus before has not ended yet, the next frame tries again.
            if self.spawn_agree(of_a, of_b) {
                self.document.agree_tried.insert(pair);
            }
        } else {
            self.document.agree_tried.insert(pair.clone());
            let why = "These two models read different kinds of items, so there is nothing both have embedded. \
                Choose two that read the same.";
            self.document.compare.failures.push((pair, why.to_owned()));
        }
    }
}

fn embedded_words(set: &EmbeddingSet) -> String {
    let mut words = format!("{}: {}", set.card.name, plural(set.rows.len(), "chunk"));
    if set.cached > 0 {
        words.push_str(&format!(", {} from the cache", thousands(set.cached as u64)));
    }
    if set.shared > 0 {
        words.push_str(&format!(", {} looked at already for another model", thousands(set.shared as u64)));
    }
    if let Some(rate) = set.rows_per_second() {
        words.push_str(&format!(", {}/s in {}", thousands(rate.round() as u64), duration(set.seconds)));
    }
    let cut = set.cut.iter().filter(|&&cut| cut > 0).count();
    if cut > 0 {
        words.push_str(&format!("; {} cut at the model's context length", plural(cut, "text")));
    }
    words
}
