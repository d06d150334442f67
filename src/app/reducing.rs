//! Fewer dimensions in the window: what they cost, and sets that are made so.
//!
//! Invariant: a set that was made so stands beside the one it was made of, which stays as it is; it goes when that one's vectors do, and is
//! made again when the same is loaded anew.

use std::sync::Arc;

use super::App;
use super::document::Document;
use super::jobs_of::{Outcome, spec};
use crate::jobs::Policy;
use crate::projection::{FittedReduction, Method, Reduction};
use crate::tasks::{self, TaskError};
use crate::ui::command::Dialog;
use crate::ui::context::{LogLevel, MapModel, ModelState};
use crate::ui::widgets::plural;
use crate::workspace::{EmbeddingSet, ModelId, ModelSource};

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
        let again = self.document.made_before.iter().any(|made| made.of == *id && made.way == way);
        let policy = if again { Policy::Queue } else { Policy::Replace };
        self.jobs.spawn(spec(title, format!("shorten {id}"), policy), move |progress| {
            Outcome::Shortened(generation, Box::new(tasks::reduced_set(&set, way, &environment, progress)))
        });
    }

    /// Makes the sets again that were made of a model's vectors when the same was loaded before.
    pub(super) fn make_again(&mut self, id: &ModelId) {
        let ways: Vec<Reduction> =
            self.document.made_before.iter().filter(|made| made.of == *id).map(|made| made.way).collect();
        ways.into_iter().for_each(|way| self.spawn_shorten(id, way));
    }

    /// Takes in a set that was made of another's vectors, and shows it.
    pub(super) fn shortened(&mut self, result: Result<EmbeddingSet, TaskError>) {
        let set = match result {
            Ok(set) => set,
            Err(error) => return self.failed("The set of fewer dimensions was not made", &error),
        };
        // The vectors it was made of may have gone meanwhile, or be others.
        let ModelSource::Made { of, .. } = &set.card.source else { return };
        let of = of.clone();
        let way = set.reductions.last().map(FittedReduction::reduction);
        let before = self.document.made_before.iter().position(|made| made.of == of && Some(made.way) == way);
        let before = before.map(|at| self.document.made_before.remove(at));
        let base = self.document.model(&of).and_then(|model| model.set.as_ref());
        if base.is_none_or(|base| !set.fingerprint.starts_with(&base.fingerprint)) {
            return;
        }
        let id = set.card.id.clone();
        let vectors = plural(set.vectors.len(), "vector");
        let words = format!("{} stands among the models: {vectors} of {} dimensions", set.card.name, set.vectors.dim());
        self.document.add_model(set.card.clone());
        if let Some(model) = self.document.model_mut(&id) {
            model.set = Some(Arc::new(set));
            model.map = MapModel::default();
        }
        match &before {
            // What came back unasked takes the place of nothing that was chosen meanwhile.
            Some(made) => {
                self.log(LogLevel::Info, words, "");
                if made.shown && self.document.shown.as_ref() == Some(&of) {
                    self.show_map(&id);
                }
            }
            None => {
                self.announce(LogLevel::Info, words, "");
                self.dialogs.retain(|&dialog| dialog != Dialog::Reductions);
                self.show_map(&id);
            }
        }
        self.make_again(&id);
        self.fill_compare();
        self.spawn_project(&id, Method::Pca);
        self.ask_again();
        if let Some(row) = self.document.selection.focus {
            self.spawn_inspect(row);
        }
    }

    /// Forgets everything that belongs to a corpus; gives what was forgotten. Made sets are made again where the same `comes_again`, and are
    /// told of where they went.
    pub(super) fn clear_document(&mut self, comes_again: bool) -> Document {
        let made_sets = self.document.made_sets();
        let old = self.document.clear();
        if comes_again {
            self.document.made_before = made_sets;
            return old;
        }
        let made = old.models.iter().filter(|model| matches!(model.card.source, ModelSource::Made { .. }));
        let names: Vec<&str> = made.map(|model| model.card.name.as_str()).collect();
        if !names.is_empty() {
            let words = format!("{} went with what was loaded before: make such sets again", names.join(", "));
            self.announce(LogLevel::Info, words, "");
        }
        old
    }

    /// Sets that were made of a model's vectors, in one step or in several, go: the vectors are others from now on.
    pub(super) fn forget_made_of(&mut self, id: &ModelId) {
        let mut gone: Vec<ModelId> = Vec::new();
        // A set stands after the one that it was made of.
        for model in &self.document.models {
            if matches!(&model.card.source, ModelSource::Made { of, .. } if of == id || gone.contains(of)) {
                gone.push(model.card.id.clone());
            }
        }
        for made in &gone {
            self.forget_vectors(made);
            self.document.restyle.remove(made);
        }
        let document = &mut self.document;
        document.models.retain(|model| !gone.contains(&model.card.id));
        if document.shown.as_ref().is_some_and(|shown| gone.contains(shown)) {
            document.shown = Some(id.clone());
        }
        for place in 0..document.compare.slots.len() {
            let slots = &document.compare.slots;
            if gone.contains(&slots[place]) {
                let free = |model: &&ModelState| model.set.is_some() && !slots.contains(&model.card.id);
                let other = document.models.iter().find(free).map(|model| model.card.id.clone());
                let next = if slots.contains(id) { other } else { None };
                document.compare.slots[place] = next.unwrap_or_else(|| id.clone());
                document.compare.choices.remove(&place);
            }
        }
        if !gone.is_empty() {
            let names: Vec<&str> = gone.iter().map(|made| made.0.as_str()).collect();
            let words = format!("{} went with the vectors of {id}: make such sets again", names.join(", "));
            self.announce(LogLevel::Info, words, "");
        }
    }
}

#[cfg(test)]
#[cfg(feature = "bundled-models")]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::app::testing::Window;
    use crate::progress::Progress;
    use crate::ui::command::Command;
    use crate::ui::settings::Perspective;
    use crate::vectors::Vectors;
    use crate::workspace::{Overrides, Pooling};

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
        // The same read again, and it is back where it was, as is one that was made of it.
        let further = Reduction::Random { k: 4, seed: 1 };
        window.carry_out(Command::Shorten(id.clone(), further));
        window.carry_out(Command::ShowMap(id.clone()));
        let vectors = |window: &Window, id: &ModelId| {
            let model = window.app.document.model(id)?;
            Some((model.set.as_ref()?.vectors.values().to_vec(), model.map.layout.as_ref()?.len()))
        };
        let twice = id.shortened(&further.spelled());
        let there = [vectors(&window, &id).unwrap(), vectors(&window, &twice).unwrap()];
        window.carry_out(Command::Reload);
        assert_eq!([vectors(&window, &id).unwrap(), vectors(&window, &twice).unwrap()], there);
        assert_eq!(window.app.document.shown.as_ref(), Some(&id));
        assert!(window.app.document.made_before.is_empty());
        assert!(window.app.log.iter().all(|line| !line.summary.contains("went with what was loaded before")));
        // Another corpus, and it is gone.
        let other = tempfile::tempdir().unwrap();
        fs_err::write(other.path().join("d.txt"), "a violin").unwrap();
        window.carry_out(Command::Open(vec![other.path().to_owned()]));
        assert!(window.app.document.model(&id).is_none());
        assert!(window.app.log.iter().any(|line| line.summary.contains("went with what was loaded before")));
    }

    #[test]
    fn a_question_that_cannot_be_made_as_short_is_answered_by_the_others_with_the_reason() {
        let mut window = Window::open(Perspective::Explore, |folder| {
            for number in 0..6 {
                fs_err::write(folder.join(format!("{number}.txt")), format!("soup, part {number}")).unwrap();
            }
        });
        let base = ModelId("all-MiniLM-L6-v2-static-256".into());
        let way = Reduction::Truncate { k: 4 };
        window.carry_out(Command::Embed(base.clone()));
        window.carry_out(Command::Shorten(base.clone(), way));
        let id = base.shortened(&way.spelled());
        // As where the vectors it was made of are of another length than those of the model that made them.
        let other = Vectors::new(vec![0.5; 2 * 12], 12).unwrap();
        let fitted = FittedReduction::fit(&other, way, &Progress::new()).unwrap();
        let model = window.app.document.model_mut(&id).unwrap();
        let set = EmbeddingSet { reductions: [fitted].into(), ..EmbeddingSet::clone(model.set.as_ref().unwrap()) };
        model.set = Some(Arc::new(set));
        window.carry_out(Command::Query("soup".into()));
        let document = &window.app.document;
        let answer = document.answer.clone().unwrap();
        let [(of, why)] = &answer.unanswered[..] else { panic!("{:?}", answer.unanswered) };
        assert_eq!(*of, id);
        assert!(why.starts_with(&format!("{} cannot be asked: ", document.model(&id).unwrap().card.name)), "{why}");
        assert!(why.contains("12") && why.contains("256"), "{why}");
        assert!(answer.groups.iter().any(|group| group.model == base && group.hits.len() == 6));
        assert!(answer.groups.iter().all(|group| group.model != id));
        assert!(
            document.model(&id).unwrap().map.pinned().is_none() && document.model(&base).unwrap().map.pin.is_some()
        );
        let failed = |line: &crate::ui::context::LogLine| line.summary.contains("not answered");
        assert!(!window.app.log.iter().any(failed), "one set that cannot be asked is no failed question");
    }

    #[test]
    fn sets_made_of_a_model_go_when_it_is_used_otherwise() {
        let mut window = Window::open(Perspective::Explore, |folder| {
            for number in 0..6 {
                fs_err::write(folder.join(format!("{number}.txt")), format!("soup, part {number}")).unwrap();
            }
        });
        let encoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders/bert");
        let base = ModelId(encoder.display().to_string());
        let random = |k| Reduction::Random { k, seed: 1 };
        let (once, twice) = (base.shortened("random:8"), base.shortened("random:8").shortened("random:4"));
        window.carry_out(Command::Embed(base.clone()));
        window.carry_out(Command::Shorten(base.clone(), random(8)));
        window.carry_out(Command::Shorten(once.clone(), random(4)));
        window.carry_out(Command::CompareModel(0, base.clone()));
        window.carry_out(Command::CompareModel(1, twice.clone()));
        window.carry_out(Command::Query("soup".into()));
        let document = &window.app.document;
        assert_eq!(document.shown.as_ref(), Some(&twice));
        assert!(document.answer.as_ref().unwrap().groups.iter().any(|group| group.model == once));
        let wanted = Overrides { pooling: Some(Pooling::Max), ..Overrides::default() };
        window.carry_out(Command::UseModel(base.clone(), wanted));
        let document = &window.app.document;
        assert!(document.model(&once).is_none() && document.model(&twice).is_none());
        assert_eq!((document.shown.as_ref(), &document.compare.slots[0]), (Some(&base), &base));
        assert!(document.compare.slots.len() == 2 && document.model(&document.compare.slots[1]).is_some());
        let answer = document.answer.clone().unwrap();
        assert!(answer.groups.iter().all(|group| document.model(&group.model).is_some()), "{answer:?}");
        // Made again, it is of the new vectors.
        window.carry_out(Command::Shorten(base.clone(), random(8)));
        let set = |id: &ModelId| window.app.document.model(id).unwrap().set.clone().unwrap();
        assert!(set(&once).fingerprint.starts_with(&set(&base).fingerprint));
        assert_eq!(set(&once).card.pooling, Pooling::Max);
    }
}
