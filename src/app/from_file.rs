//! What comes with a file of vectors: sets that no model has to make, and positions that are shown as they are.
//!
//! Reads nothing itself. Invariant: a set from a file is shown the moment its rows are.

use std::sync::Arc;

use super::App;
use super::document::folder_lines;
use super::maps_of::layout_of;
use crate::corpus::Corpus;
use crate::projection::Method;
use crate::tasks::{Opened, OpenedSet};
use crate::ui::context::{FolderLine, GivenMap, LogLevel};
use crate::ui::widgets::{plural, thousands};
use crate::workspace::{MapPoints, ModelId};

/// What a load gives.
pub struct Loaded {
    /// Items and chunks.
    pub corpus: Arc<Corpus>,
    /// Their tree.
    pub folders: Vec<FolderLine>,
    /// Sets that came with them.
    pub sets: Vec<OpenedSet>,
}

impl From<Opened> for Loaded {
    fn from(opened: Opened) -> Self {
        Self { folders: folder_lines(&opened.corpus), corpus: opened.corpus, sets: opened.sets }
    }
}

impl App {
    /// Takes in the sets that came with a corpus, and lays them out.
    pub(super) fn show_sets(&mut self, sets: Vec<OpenedSet>) {
        let mut wanted = Vec::with_capacity(sets.len());
        for OpenedSet { set, points, notes } in sets {
            let id = set.card.id.clone();
            notes.iter().for_each(|note| self.log(LogLevel::Warning, format!("{}: {note}", set.card.name), ""));
            if !set.failed.is_empty() {
                let details: Vec<String> =
                    set.failed.iter().take(20).map(|(row, why)| format!("row {}: {why}", row.0)).collect();
                let words = format!("{} of {} left out", plural(set.failed.len(), "row"), set.card.name);
                self.announce(LogLevel::Warning, words, details.join("\n"));
            }
            let rows = thousands(set.rows.len() as u64);
            let words = format!("{}: {rows} vectors of {} dimensions", set.card.name, set.card.dimensions);
            self.log(LogLevel::Info, words, "");
            self.document.add_model(set.card.clone());
            let Some(model) = self.document.model_mut(&id) else { continue };
            model.map.given = points.map(|at| {
                let points = MapPoints { rows: set.rows.clone(), at };
                GivenMap { layout: layout_of(&points), points }
            });
            model.set = Some(Arc::new(set));
            self.document.shown.get_or_insert_with(|| id.clone());
            wanted.push(id);
        }
        self.fill_compare();
        for id in wanted {
            self.make_again(&id);
            if self.document.model(&id).is_some_and(|model| model.map.given.is_some()) {
                self.show_given(&id);
            } else {
                self.spawn_project(&id, Method::Pca);
            }
        }
    }

    /// Shows the positions that came with a set; a layout that runs is given up.
    pub(super) fn show_given(&mut self, id: &ModelId) {
        let Some(model) = self.document.model_mut(id) else { return };
        let Some(given) = model.map.given.clone() else { return };
        model.map.live = None;
        model.map.part = None;
        model.map.moment = None;
        model.map.turned = [0.0, 0.0];
        model.map.method = None;
        model.map.layout = Some(given.layout);
        self.jobs.cancel_lanes(&format!("project {id}"));
        self.document.live.remove(id);
        self.map_changed(id);
    }
}
