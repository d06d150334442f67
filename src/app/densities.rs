//! How dense the points of the maps are: found by a job whenever that is shown and a map is another than it was found for.
//!
//! Invariant: a map that moves is followed at the pace of the job, and what is found last is of the map as it came to rest.

use std::sync::Arc;

use super::App;
use super::jobs_of::{Outcome, spec};
use crate::jobs::{JobSpec, Policy};
use crate::picture::Density;
use crate::ui::context::MapChoice;
use crate::ui::settings::Perspective;
use crate::workspace::ModelId;

impl App {
    /// Begins to find what is shown and not found yet.
    pub(super) fn spawn_densities(&mut self) {
        if !self.settings.density {
            return;
        }
        for (id, choice) in self.maps_in_view() {
            let Some(map) = self.document.model(&id).map(|model| &model.map) else { continue };
            let Some((layout, styles)) = map.seen(choice) else { continue };
            if map.densities.get(&choice).is_some_and(|found| found.is_of(layout, styles)) {
                continue;
            }
            let tried = (layout.id(), styles.id());
            let known = self.document.density_tried.get(&(id.clone(), choice)) == Some(&tried);
            if known && !map.densities.contains_key(&choice) {
                continue;
            }
            let (generation, of, layout, styles) =
                (self.document.generation, id.clone(), layout.clone(), styles.clone());
            let lane = format!("density {id} {choice:?}");
            let quiet = JobSpec { quiet: true, ..spec("Finding where points are dense", lane, Policy::Once) };
            let begun = self.jobs.spawn(quiet, move |_| {
                Outcome::Dense(generation, of, choice, Density::of(&layout, &styles).map(Arc::new))
            });
            if begun.is_some() {
                self.document.density_tried.insert((id, choice), tried);
            }
        }
    }

    /// The maps that the window shows now.
    fn maps_in_view(&self) -> Vec<(ModelId, MapChoice)> {
        match self.settings.perspective {
            Perspective::Explore => self.document.shown.iter().map(|id| (id.clone(), MapChoice::Shown)).collect(),
            Perspective::Compare => {
                let compare = &self.document.compare;
                compare.slots.iter().enumerate().map(|(place, id)| (id.clone(), compare.choice(place))).collect()
            }
        }
    }

    /// Takes what was found; of too few points there is nothing.
    pub(super) fn dense(&mut self, id: &ModelId, choice: MapChoice, density: Option<Arc<Density>>) {
        let Some(model) = self.document.model_mut(id) else { return };
        match density {
            Some(density) => model.map.densities.insert(choice, density),
            None => model.map.densities.remove(&choice),
        };
    }
}
