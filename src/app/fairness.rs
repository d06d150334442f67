//! The fairness of what Compare shows: measured in the background, weighed when the places change, mended when asked.
//!
//! Decides nothing about what is fair. Invariant: the concerns shown are of the sets shown.

use super::App;
use super::jobs_of::Outcome;
use crate::jobs::{JobSpec, Policy};
use crate::tasks::{self, Compared, Expected};
use crate::ui::context::{LogLevel, MapModel};
use crate::workspace::{ModelId, Overrides, Remedy, SetFacts};

impl App {
    /// Begins to measure the sets of the models in Compare's places, and weighs what is measured.
    pub(super) fn weigh_compared(&mut self) {
        let Some(corpus) = self.document.corpus.clone() else { return };
        let compared = |id: &ModelId| self.document.model(id).and_then(|model| model.set.clone());
        let slots = self.document.compare.slots.clone();
        for (id, set) in slots.iter().filter_map(|id| Some((id.clone(), compared(id)?))).collect::<Vec<_>>() {
            if !self.document.facts_tried.insert(id.clone()) {
                continue;
            }
            let (generation, corpus) = (self.document.generation, corpus.clone());
            let title = format!("Looking at the vectors of {}", set.card.name);
            let spec = JobSpec { title, lane: format!("facts {id}"), policy: Policy::Replace, quiet: true };
            self.jobs.spawn(spec, move |progress| {
                match tasks::set_facts(&corpus, &set, &tasks::expected_of(&set.card), progress) {
                    Ok(facts) => Outcome::Weighed(generation, id, facts),
                    Err(_) => Outcome::Nothing,
                }
            });
        }
        // A model may stand in two places, with two of its maps.
        let mut ready: Vec<ModelId> = Vec::new();
        for id in slots {
            let measured = self.document.model(&id).is_some_and(|model| model.facts.is_some() && model.set.is_some());
            if measured && !ready.contains(&id) {
                ready.push(id);
            }
        }
        if ready == self.document.compare.weighed {
            return;
        }
        let models: Vec<_> = ready.iter().filter_map(|id| self.document.model(id)).collect();
        let expected: Vec<Expected> = models.iter().map(|model| tasks::expected_of(&model.card)).collect();
        let parts = models.iter().zip(&expected).filter_map(|(model, expected)| {
            Some(Compared { set: model.set.as_deref()?, facts: model.facts.as_deref()?, expected })
        });
        let concerns = tasks::concerns(&parts.collect::<Vec<_>>(), &corpus);
        self.document.compare.concerns = concerns;
        self.document.compare.weighed = ready;
    }

    /// Writes what was measured of a set.
    pub(super) fn weighed(&mut self, id: &ModelId, facts: SetFacts) {
        if let Some(model) = self.document.model_mut(id) {
            model.facts = Some(facts.into());
            self.document.compare.weighed.clear();
        }
    }

    /// Does what a concern's button says.
    pub(super) fn mend(&mut self, id: &ModelId, remedy: Remedy) {
        let mut wanted = self.overrides_of(id);
        match remedy {
            Remedy::SmallerChunks(tokens) => {
                let mut options = self.settings.load.clone();
                options.chunk_tokens = tokens;
                options.overlap_tokens = options.overlap_tokens.min(tokens / 4);
                return self.read_with(options);
            }
            Remedy::Prompts(prompts) => wanted.prompts = Some(prompts),
            Remedy::Pooling(pooling) => wanted.pooling = Some(pooling),
            Remedy::Normalize => wanted.normalize = Some(true),
            Remedy::EmbedAgain => {}
        }
        self.use_overrides(id, wanted);
    }

    /// What a model is used with otherwise than its own files say.
    pub(super) fn overrides_of(&self, id: &ModelId) -> Overrides {
        self.settings.overrides.get(id.parts().0).cloned().unwrap_or_default()
    }

    /// Uses a model otherwise from now on, in whatever precision, and embeds again where its vectors are there.
    pub(super) fn use_overrides(&mut self, id: &ModelId, wanted: Overrides) {
        let name = id.parts().0.to_owned();
        self.environment.models.set_overrides(id, wanted.clone());
        match wanted.is_empty() {
            true => _ = self.settings.overrides.remove(&name),
            false => _ = self.settings.overrides.insert(name.clone(), wanted),
        }
        let same = self.document.models.iter().filter(|model| model.card.id.parts().0 == name && model.set.is_some());
        for id in same.map(|model| model.card.id.clone()).collect::<Vec<_>>() {
            self.forget_made_of(&id);
            self.forget_vectors(&id);
            if let Some(name) = self.document.model(&id).map(|model| model.card.name.clone()) {
                self.log(LogLevel::Info, format!("{name} embeds again"), "");
            }
            self.spawn_embed(&id);
        }
    }

    /// A model's vectors go, and so does what was found out about them.
    pub(super) fn forget_vectors(&mut self, id: &ModelId) {
        for lane in ["project", "style", "clusters", "trust", "torn", "scrub", "pin", "reductions", "shorten", "facts"]
        {
            self.jobs.cancel_lane(&format!("{lane} {id}"));
        }
        for lane in ["agree", "speed", "query", "inspect"] {
            self.jobs.cancel_lanes(lane);
        }
        let document = &mut self.document;
        document.live.remove(id);
        document.before.remove(id);
        document.facts_tried.remove(id);
        document.speed_tried.remove(id);
        document.agree_tried.retain(|(a, b)| a != id && b != id);
        let compare = &mut document.compare;
        compare.agreements.retain(|pair| pair.agreement.a != *id && pair.agreement.b != *id);
        compare.failures.retain(|((a, b), _)| a != id && b != id);
        compare.weighed.clear();
        compare.concerns.retain(|concern| concern.model != *id);
        if let Some(model) = document.model_mut(id) {
            (model.set, model.facts, model.speed, model.error) = (None, None, None, None);
            model.map = MapModel::default();
        }
    }
}

#[cfg(test)]
#[cfg(feature = "bundled-models")]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::app::testing::Window;
    use crate::ui::command::Command;
    use crate::ui::settings::Perspective;
    use crate::workspace::{ConcernKind, Pooling};

    fn window() -> Window {
        let long = "soup ".repeat(100);
        Window::open(Perspective::Compare, |folder| {
            for (name, words) in [("a.txt", "lentil soup"), ("b.txt", "a heron at the pond"), ("c.txt", &long)] {
                fs_err::write(folder.join(name), words).unwrap();
            }
        })
    }

    /// A small encoder with room for 62 tokens.
    fn small() -> ModelId {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders/bert");
        ModelId(folder.display().to_string())
    }

    #[test]
    fn what_was_cut_is_told_and_smaller_chunks_mend_it() {
        let (mut window, id) = (window(), small());
        assert_eq!(window.app.document.compare.concerns, []);
        assert_eq!(window.app.document.compare.weighed.len(), 2);
        window.carry_out(Command::Embed(id.clone()));
        window.carry_out(Command::CompareModel(1, id.clone()));
        let concerns = &window.app.document.compare.concerns;
        let cut = concerns.iter().find(|concern| concern.kind == ConcernKind::Truncation).unwrap();
        assert_eq!(cut.model, id);
        let told = concerns.len();
        window.carry_out(Command::CompareModel(0, id.clone()));
        assert!(window.app.document.compare.concerns.len() <= told, "a model in two places is told of once");
        let concerns = &window.app.document.compare.concerns;
        let cut = concerns.iter().find(|concern| concern.kind == ConcernKind::Truncation).unwrap();
        let Some(Remedy::SmallerChunks(tokens)) = cut.remedy else { panic!("{cut:?}") };
        let limit = window.app.document.model(&id).unwrap().card.context_tokens.unwrap();
        assert!(tokens < limit, "{tokens} {limit}");
        window.carry_out(Command::Mend(id, Remedy::SmallerChunks(tokens)));
        let corpus = window.app.document.corpus.clone().unwrap();
        assert!(corpus.chunks.iter().all(|chunk| chunk.tokens as usize <= tokens) && corpus.chunks.len() > 3);
    }

    #[test]
    fn a_model_used_otherwise_embeds_again_and_goes_back() {
        let (mut window, id) = (window(), small());
        window.carry_out(Command::Embed(id.clone()));
        let set = |window: &Window| window.app.document.model(&id).unwrap().set.clone().unwrap();
        let mean = set(&window);
        let wanted = Overrides { pooling: Some(Pooling::Max), ..Overrides::default() };
        window.carry_out(Command::UseModel(id.clone(), wanted));
        let max = set(&window);
        assert_eq!((max.card.pooling, max.rows.len()), (Pooling::Max, 3));
        assert!(max.vectors.values() != mean.vectors.values());
        assert!(window.app.document.model(&id).unwrap().map.method.is_some(), "it has a map again");
        window.carry_out(Command::Mend(id.clone(), Remedy::Pooling(mean.card.pooling)));
        let back = set(&window);
        assert_eq!((back.vectors.values(), back.cached), (mean.vectors.values(), 3));
        window.carry_out(Command::UseModel(id.clone(), Overrides::default()));
        assert!(window.app.settings.overrides.is_empty());
    }
}
