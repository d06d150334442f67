//! Jobs that place new points on maps that are done: items that were added, and the query.
//!
//! Invariant: no point that is on a map is moved.

use std::sync::Arc;

use super::App;
use super::document::Before;
use super::jobs_of::{Outcome, spec};
use super::maps_of::layout_of;
use crate::jobs::{JobSpec, Policy};
use crate::tasks::{self, PlaceNewRequest};
use crate::ui::context::{EarlierMap, Pin};
use crate::workspace::{MapPoints, ModelId};

impl App {
    /// Offers the map of before to a set that has grown.
    pub(super) fn offer_earlier(&mut self, id: &ModelId) {
        let Some(Before { set: before, map }) = self.document.before.get(id).cloned() else { return };
        let Some(model) = self.document.model_mut(id) else { return };
        let Some(set) = &model.set else { return };
        let same = before.fingerprint == set.fingerprint && before.vectors.dim() == set.vectors.dim();
        let new = set.rows.len().saturating_sub(before.rows.len());
        model.map.earlier = (same && new > 0).then_some(EarlierMap { method: map.params.method, new });
    }

    /// Places what was added on the map of before.
    pub(super) fn spawn_place_new(&mut self, id: &ModelId) {
        let Some(Before { set: before, map }) = self.document.before.get(id).cloned() else { return };
        let Some(model) = self.document.model_mut(id) else { return };
        let Some(set) = model.set.clone() else { return };
        // It takes the place of a layout that runs.
        model.map.live = None;
        self.document.live.remove(id);
        let (generation, environment, model_id) = (self.document.generation, self.environment.clone(), id.clone());
        let title = format!("Placing new items on the map of {}", set.card.name);
        let method = map.params.method;
        self.jobs.spawn(spec(title, format!("project {id}"), Policy::Replace), move |progress| {
            let request = PlaceNewRequest { before, map, set };
            let made = tasks::place_new(&request, &environment, progress).map(|projection| {
                let layout = layout_of(&MapPoints::from(&projection));
                (Arc::new(projection), layout)
            });
            Outcome::Projected(generation, model_id, (method, false), made)
        });
    }

    /// Finds anew where the query would lie on every model's map; nowhere without a query.
    pub(super) fn place_pins(&mut self) {
        let ids: Vec<ModelId> = self.document.models.iter().map(|model| model.card.id.clone()).collect();
        ids.iter().for_each(|id| self.spawn_pin(id));
    }

    /// Finds where the query would lie on a model's map.
    pub(super) fn spawn_pin(&mut self, id: &ModelId) {
        let answer = self.document.answer.clone();
        let Some(model) = self.document.model_mut(id) else { return };
        model.map.pin = None;
        let query = answer.and_then(|answer| {
            let vector = answer.vectors.iter().find(|(model, _)| model == id)?.1.clone();
            Some((answer.query.clone(), vector))
        });
        let Some((words, vector)) = query else { return };
        if model.map.live.is_some() || model.map.part.is_some() {
            return;
        }
        let (Some(set), Some(map)) = (model.set.clone(), model.map.shown().cloned()) else { return };
        let (generation, environment, model_id) = (self.document.generation, self.environment.clone(), id.clone());
        self.jobs.spawn(JobSpec::quiet("Placing the query", format!("pin {id}")), move |progress| {
            let at = tasks::place_query(&set, &map, &vector, &environment, progress).ok().flatten();
            let pin = at.map(|at| Pin { map, at, words });
            Outcome::Pinned(generation, model_id, pin)
        });
    }
}
