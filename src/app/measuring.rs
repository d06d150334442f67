//! Quiet jobs that find out about models: how fast a compared one is, and which ones the hub's cache holds.

use super::App;
use super::jobs_of::Outcome;
use crate::jobs::{JobSpec, Policy};
use crate::tasks::{self, SPEED_SAMPLE, TaskError};
use crate::ui::context::LogLevel;
use crate::ui::settings::Perspective;
use crate::workspace::{ModelCard, ModelId, Speed};

impl App {
    /// Lists the models of the hub's cache beside those inside this program.
    pub(super) fn spawn_listing(&self) {
        let environment = self.environment.clone();
        self.jobs.spawn(JobSpec::quiet("Looking for models", "models"), move |_| {
            Outcome::Listed(tasks::listed_models(&environment))
        });
    }

    /// Models that are here join those that are known; what is known of a model stays.
    pub(super) fn listed(&mut self, cards: Vec<ModelCard>) {
        for card in cards {
            if self.document.model(&card.id).is_none() {
                self.document.add_model(card);
            }
        }
    }

    /// Tells the speed of the models that Compare shows: of their own run, else by a job, once a set, and only while nothing else
    /// that takes the processor runs.
    pub(super) fn measure_compared(&mut self) {
        if self.settings.perspective != Perspective::Compare {
            return;
        }
        let wanted: Vec<ModelId> = self
            .document
            .compare
            .slots
            .iter()
            .filter(|&id| !self.document.speed_tried.contains(id))
            .filter(|&id| {
                self.document
                    .model(id)
                    .is_some_and(|model| model.speed.is_none() && model.set.is_some() && !model.card.is_of_file())
            })
            .cloned()
            .collect();
        for id in wanted {
            let Some(set) = self.document.model(&id).and_then(|model| model.set.clone()) else { continue };
            if set.embedded >= SPEED_SAMPLE {
                if let Some(model) = self.document.model_mut(&id) {
                    model.speed = set.speed();
                }
                continue;
            }
            let Some(corpus) = self.document.corpus.clone() else { return };
            if self.jobs.snapshots().iter().any(|job| !job.quiet) {
                return;
            }
            self.document.speed_tried.insert(id.clone());
            let (generation, environment) = (self.document.generation, self.environment.clone());
            let title = format!("Measuring the speed of {}", set.card.name);
            let spec = JobSpec { title, lane: "speed".to_owned(), policy: Policy::Queue, quiet: true };
            self.jobs.spawn(spec, move |progress| {
                Outcome::Measured(generation, id, tasks::measure_speed(&corpus, &set, &environment, progress))
            });
        }
    }

    /// Writes a measured speed.
    pub(super) fn measured_speed(&mut self, id: &ModelId, result: Result<Option<Speed>, TaskError>) {
        match result {
            Ok(speed) => {
                if let Some(model) = self.document.model_mut(id) {
                    model.speed = speed;
                }
            }
            Err(error) if error.is_cancelled() => {}
            Err(error) => {
                let words = format!("The speed of {id} was not measured: {}", error.report().summary);
                self.log(LogLevel::Warning, words, "");
            }
        }
    }
}

#[cfg(test)]
#[cfg(feature = "bundled-models")]
mod tests {
    use std::path::Path;
    use std::time::{Duration, Instant};

    use eframe::egui;

    use super::*;
    use crate::app::StartOptions;
    use crate::tasks::Environment;
    use crate::ui::map::MapBackend;
    use crate::workspace::ModelSource;

    /// An app over a folder, with a cache, that has done all its work.
    fn settled(folder: &Path, cache: &Path) -> (App, egui::Context) {
        let ctx = egui::Context::default();
        let environment = Environment { cache_dir: Some(cache.to_owned()), ..Environment::default() };
        let options = StartOptions {
            open: vec![folder.to_owned()],
            environment,
            perspective: Some(Perspective::Compare),
            ..StartOptions::default()
        };
        let mut app = App::with_backend(&ctx, options, MapBackend::Raster);
        app.decide(&ctx);
        let begun = Instant::now();
        while !app.is_idle() {
            assert!(begun.elapsed() < Duration::from_secs(240));
            app.decide(&ctx);
            std::thread::sleep(Duration::from_millis(5));
        }
        (app, ctx)
    }

    #[test]
    fn compared_models_have_a_speed_also_when_all_came_from_the_cache() {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (name, words) in [("a.txt", "lentil soup"), ("b.txt", "a heron at the pond"), ("c.txt", "onion soup")] {
            fs_err::write(folder.path().join(name), words).unwrap();
        }
        for run in ["fresh", "from the cache"] {
            let (app, _) = settled(folder.path(), cache.path());
            assert_eq!(app.document.compare.slots.len(), 2, "{run}");
            for id in &app.document.compare.slots {
                let model = app.document.model(id).unwrap();
                let speed = model.speed.unwrap_or_else(|| panic!("{id} has no speed, {run}"));
                assert!(speed.per_second > 0.0 && speed.inputs == 3, "{speed:?}");
                assert_eq!(model.set.as_ref().unwrap().cached, if run == "fresh" { 0 } else { 3 });
                assert_eq!(model.set.as_ref().unwrap().model_memory_mb.is_some(), cfg!(target_os = "linux"));
            }
        }
    }

    #[test]
    fn a_model_of_the_hub_cache_is_listed_and_waits_to_be_asked() {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs_err::write(folder.path().join("a.txt"), "lentil soup").unwrap();
        let (mut app, ctx) = settled(folder.path(), cache.path());
        let (known, mut card) = (app.document.models.len(), app.document.models[0].card.clone());
        card.id = ModelId("org/small".into());
        card.source = ModelSource::HubCache("snapshots/c".into());
        let mut other = app.document.models[1].card.clone();
        other.name = "another name".into();
        app.listed(vec![other, card.clone()]);
        assert_eq!(app.document.models.len(), known + 1);
        assert!(app.document.models[1].set.is_some() && app.document.models[1].card.name != "another name");
        // Another load keeps it, and does not embed with it.
        app.carry_out(&ctx, crate::ui::command::Command::Reload);
        while !app.is_idle() || app.document.corpus.is_none() {
            app.decide(&ctx);
            std::thread::sleep(Duration::from_millis(5));
        }
        let model = app.document.model(&card.id).unwrap();
        assert!(model.set.is_none() && model.error.is_none());
    }
}
