//! Fewer dimensions in the window: what they cost, and sets that are made so.
//!
//! Invariant: a set that was made so stands beside the one it was made of, which stays as it is.

use std::sync::Arc;

use super::App;
use super::jobs_of::{Outcome, spec};
use crate::jobs::Policy;
use crate::projection::{Method, Reduction};
use crate::tasks::{self, TaskError};
use crate::ui::command::Dialog;
use crate::ui::context::{LogLevel, MapModel};
use crate::ui::widgets::plural;
use crate::workspace::{EmbeddingSet, ModelId};

impl App {
    /// Measures what fewer dimensions of a model's vectors cost.
    pub(super) fn spawn_reductions(&mut self, id: &ModelId) {
        let Some(model) = self.document.model(id) else { return };
        let Some(set) = model.set.clone() else { return };
        let (generation, environment, model_id) = (self.document.generation, self.environment.clone(), id.clone());
        let title = format!("Fewer dimensions of {}", model.card.name);
        self.jobs.spawn(spec(title, format!("reductions {id}"), Policy::Once), move |progress| {
            Outcome::Reduced(generation, model_id, tasks::reductions(&set, &environment, progress))
        });
    }

    /// Makes a set of its own of a model's vectors, of fewer dimensions.
    pub(super) fn spawn_shorten(&mut self, id: &ModelId, way: Reduction) {
        let Some(model) = self.document.model(id) else { return };
        let Some(set) = model.set.clone() else { return };
        let (generation, environment) = (self.document.generation, self.environment.clone());
        let title = format!("Making {} {}", model.card.name, way.spelled());
        self.jobs.spawn(spec(title, format!("shorten {id}"), Policy::Replace), move |progress| {
            Outcome::Shortened(generation, Box::new(tasks::reduced_set(&set, way, &environment, progress)))
        });
    }

    /// Takes in a set that was made of another's vectors, and shows it.
    pub(super) fn shortened(&mut self, result: Result<EmbeddingSet, TaskError>) {
        let set = match result {
            Ok(set) => set,
            Err(error) => return self.failed("The set of fewer dimensions was not made", &error),
        };
        let id = set.card.id.clone();
        let vectors = plural(set.vectors.len(), "vector");
        let words = format!("{} stands among the models: {vectors} of {} dimensions", set.card.name, set.vectors.dim());
        self.document.add_model(set.card.clone());
        if let Some(model) = self.document.model_mut(&id) {
            model.set = Some(Arc::new(set));
            model.map = MapModel::default();
        }
        self.announce(LogLevel::Info, words, "");
        self.dialogs.retain(|&dialog| dialog != Dialog::Reductions);
        self.show_map(&id);
        self.fill_compare();
        self.spawn_project(&id, Method::Pca);
        self.ask_again();
        if let Some(row) = self.document.selection.focus {
            self.spawn_inspect(row);
        }
    }
}

#[cfg(test)]
#[cfg(feature = "bundled-models")]
mod tests {
    use super::*;
    use crate::app::testing::Window;
    use crate::ui::command::Command;
    use crate::ui::settings::Perspective;

    #[test]
    fn a_set_of_fewer_dimensions_is_mapped_asked_and_compared() {
        let mut window = Window::open(Perspective::Explore, |folder| {
            for (name, words) in [("a", "lentil soup"), ("b", "a heron at the pond"), ("c", "onion soup with bread")] {
                for number in 0..6 {
                    fs_err::write(folder.join(format!("{name}{number}.txt")), format!("{words}, part {number}"))
                        .unwrap();
                }
            }
        });
        let base = ModelId("all-MiniLM-L6-v2-static-256".into());
        window.carry_out(Command::Embed(base.clone()));
        window.carry_out(Command::Query("soup".into()));
        window.carry_out(Command::MeasureReductions(base.clone()));
        let costs = window.app.document.model(&base).unwrap().map.reductions.clone().unwrap();
        let way = costs[0].reduction;
        window.carry_out(Command::Shorten(base.clone(), way));
        let id = base.shortened(&way.spelled());
        let document = &window.app.document;
        let made = document.model(&id).unwrap();
        assert_eq!((document.shown.as_ref(), made.card.dimensions), (Some(&id), way.k()));
        assert_eq!(made.map.layout.as_ref().unwrap().len(), 18);
        assert!(made.map.pinned().is_some(), "the question is placed on its map too");
        let answer = document.answer.clone().unwrap();
        assert!(answer.groups.iter().any(|group| group.model == id) && answer.unanswered.is_empty(), "{answer:?}");
        assert_eq!(document.model(&base).unwrap().card.dimensions, 256);
        // Another corpus, and it is gone.
        let other = tempfile::tempdir().unwrap();
        fs_err::write(other.path().join("d.txt"), "a violin").unwrap();
        window.carry_out(Command::Open(vec![other.path().to_owned()]));
        assert!(window.app.document.model(&id).is_none());
    }
}
