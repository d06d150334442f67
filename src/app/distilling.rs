//! Making static models from the window: where they are kept, the job, and what follows.
//!
//! Invariant: a model that was made before is never written over.

use std::path::PathBuf;

use super::App;
use super::jobs_of::{Outcome, spec};
use crate::jobs::Policy;
use crate::tasks::{self, DistillRequest, Distilled, TaskError};
use crate::ui::command::DistillWish;
use crate::ui::context::LogLevel;
use crate::ui::widgets::{bytes, thousands};
use crate::workspace::ModelId;

impl App {
    /// Makes a static model; when it is there, it embeds what is loaded.
    pub(super) fn distill(&mut self, wish: DistillWish) {
        let name = self.document.model(&wish.model).map_or(wish.model.0.clone(), |model| model.card.name.clone());
        let Some(out) = self.environment.made_models_dir().map(|folder| free_folder(folder, &name, wish.dimensions))
        else {
            return self.announce(LogLevel::Error, "This system names no folder to keep models in", "");
        };
        let corpus = self.document.corpus.clone().filter(|_| wish.own_words);
        let environment = self.environment.clone();
        let mut request = DistillRequest::new(wish.model, out);
        request.dimensions = wish.dimensions;
        self.jobs.spawn(
            spec(format!("Making a static model from {name}"), "distill", Policy::Queue),
            move |progress| {
                Outcome::Distilled(Box::new(tasks::distill(&request, corpus.as_deref(), &environment, progress)))
            },
        );
    }

    pub(super) fn distilled(&mut self, result: Result<Distilled, TaskError>) {
        match result {
            Ok(made) => {
                let tokens = thousands(made.tokens as u64);
                let words = format!("A static model was made: {tokens} tokens, {}", bytes(made.bytes));
                self.announce(LogLevel::Info, words, made.folder.display().to_string());
                if self.document.corpus.is_some() {
                    self.embed(&ModelId(made.folder.display().to_string()));
                }
            }
            Err(error) => self.failed("No static model was made", &error),
        }
    }
}

/// A folder for a new model that is not there yet.
fn free_folder(folder: PathBuf, name: &str, dimensions: usize) -> PathBuf {
    let plain: String = name.chars().map(|c| if c.is_alphanumeric() || "-._".contains(c) { c } else { '-' }).collect();
    let base = format!("{plain}-static-{dimensions}");
    let numbered = (2..).map(|number| folder.join(format!("{base}-{number}")));
    std::iter::once(folder.join(&base)).chain(numbered).find(|path| !path.exists()).unwrap_or(folder)
}

#[cfg(test)]
#[cfg(feature = "bundled-models")]
mod tests {
    use super::*;
    use crate::app::testing::Window;
    use crate::ui::command::Command;
    use crate::ui::settings::Perspective;

    #[test]
    fn a_model_is_made_and_embeds_and_another_takes_another_folder() {
        let mut window = Window::open(Perspective::Explore, |folder| {
            for (name, words) in [("a.txt", "lentil soup"), ("b.txt", "a heron at the pond"), ("c.txt", "onion soup")] {
                fs_err::write(folder.join(name), words).unwrap();
            }
        });
        let small = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders/bert");
        let model = ModelId(small.display().to_string());
        window.carry_out(Command::Embed(model.clone()));
        for own_words in [false, true] {
            window.carry_out(Command::Distill(DistillWish { model: model.clone(), dimensions: 8, own_words }));
        }
        let folder = window.app.environment.made_models_dir().unwrap();
        for name in ["bert-static-8", "bert-static-8-2"] {
            let id = ModelId(folder.join(name).display().to_string());
            let made = window.app.document.model(&id).unwrap_or_else(|| panic!("{name}: {:?}", window.app.log));
            let set = made.set.as_ref().unwrap();
            assert_eq!((set.vectors.dim(), set.rows.len(), made.card.precision), (8, 3, None));
        }
        // A picture model cannot be distilled.
        let lite0 = ModelId("efficientnet-lite0".into());
        window.carry_out(Command::Distill(DistillWish { model: lite0, dimensions: 64, own_words: false }));
        assert!(window.app.log.iter().any(|line| line.summary.starts_with("No static model was made")));
    }
}
