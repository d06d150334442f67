//! The catalogue: what is known of models, whether they are here or not.
//!
//! The facts are data (`models.json`), from the makers' model cards and papers; this room finds an entry by any of a model's names
//! and says whether this version can run it. It downloads and opens nothing. Invariant: ids and aliases name one entry each.

pub mod choose;
mod types;

use std::sync::OnceLock;

pub use types::*;

use super::{ModelCard, ModelId, Prompts};

/// Architectures of the catalogue that this version opens from a folder or the hub's cache.
const RUN: &[&str] = &[
    "bert",
    "roberta",
    "xlm-roberta",
    "distilbert",
    "mpnet",
    "electra",
    "modernbert",
    "nomic_bert",
    "jina-bert",
    "gte",
    "model2vec",
];

/// The same of models that read pictures.
const RUN_PICTURES: &[&str] = &["clip", "siglip", "vit", "dinov2", "dinov2_with_registers"];

/// All entries, bundled models first.
pub fn all() -> &'static [KnownModel] {
    static ALL: OnceLock<Vec<KnownModel>> = OnceLock::new();
    // The file is part of the program, and a test reads it: a failure here cannot come from outside.
    ALL.get_or_init(|| serde_json::from_str(include_str!("models.json")).unwrap_or_default())
}

/// The entry called `name`: by its id, an alias, the path of a folder in the hub's cache, or the last part of a path where only one entry has it.
/// An ending that names a precision ("@int8") does not count, nor does the case of letters.
pub fn known(name: &str) -> Option<&'static KnownModel> {
    let id = ModelId(name.trim().to_owned());
    let name = id.parts().0.trim_end_matches(['/', '\\']).to_ascii_lowercase();
    if let Some(entry) = all().iter().find(|entry| entry.names().any(|known| known.eq_ignore_ascii_case(&name))) {
        return Some(entry);
    }
    let cached = name.split(['/', '\\']).find_map(|part| part.strip_prefix("models--"));
    if let Some(hub) = cached.map(|part| part.replacen("--", "/", 1)) {
        return all().iter().find(|entry| entry.names().any(|known| known.eq_ignore_ascii_case(&hub)));
    }
    let last = name.rsplit(['/', '\\']).next().filter(|last| !last.is_empty())?;
    let is_called = |known: &str| known.rsplit('/').next().is_some_and(|part| part.eq_ignore_ascii_case(last));
    let mut called = all().iter().filter(|entry| entry.names().any(is_called));
    called.next().filter(|_| called.next().is_none())
}

impl KnownModel {
    /// Its id and its aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.id).chain(&self.aliases).map(String::as_str)
    }

    /// The id to open it by once its weights are here.
    pub fn model_id(&self) -> ModelId {
        ModelId(self.id.clone())
    }

    /// Whether it is inside this program.
    pub fn is_bundled(&self) -> bool {
        self.place == Place::Weights(Weights::Bundled)
    }

    /// Whether it runs behind an API only.
    pub fn is_api(&self) -> bool {
        matches!(self.place, Place::Api { .. })
    }

    /// Why this version cannot run it, in one sentence; `None` where it can.
    pub fn why_not(&self) -> Option<String> {
        match &self.place {
            Place::Api { provider, .. } => {
                Some(format!("{provider} runs it behind its API, and APIs cannot be used here yet."))
            }
            Place::Weights(Weights::Bundled) => None,
            Place::Weights(Weights::Hub) => (![RUN, RUN_PICTURES].concat().contains(&self.architecture.as_str()))
                .then(|| format!("Its architecture ({}) cannot be run here yet.", self.architecture)),
        }
    }

    /// Where it runs, in words: "inside this program", "here, once its weights are fetched from the hub", …
    pub fn runs(&self) -> String {
        match &self.place {
            Place::Api { provider, key } => {
                format!("only through the API of {provider} (its key would come from {key}); cannot be run here yet")
            }
            Place::Weights(Weights::Bundled) => "inside this program".to_owned(),
            Place::Weights(Weights::Hub) if self.why_not().is_none() => {
                "here, once its weights are on this computer".to_owned()
            }
            Place::Weights(Weights::Hub) => format!("not here yet: its architecture is {}", self.architecture),
        }
    }

    /// A published figure by its name: "MTEB retrieval".
    pub fn figure(&self, measure: &str) -> Option<f64> {
        self.quality.iter().find(|figure| figure.measure == measure).map(|figure| figure.value)
    }

    /// Whether it reads other languages than English.
    pub fn is_multilingual(&self) -> bool {
        self.languages.iter().any(|language| language == "many")
    }

    /// Its languages in words; empty for pictures.
    pub fn languages_words(&self) -> &'static str {
        match self.languages.first().map(String::as_str) {
            None => "",
            Some("many") => "many",
            Some(_) => "English",
        }
    }

    /// What it wants before a text, where it wants anything.
    pub fn prompts(&self) -> Option<&Prompts> {
        Some(&self.prompts).filter(|prompts| !prompts.is_empty())
    }

    /// `card`, of a folder or of the hub's cache, with what a folder does not tell: licence, what it is, strengths, weaknesses and uses.
    #[must_use]
    pub fn fill(&self, card: ModelCard) -> ModelCard {
        let mut weaknesses = self.weaknesses.clone();
        weaknesses.extend(card.weaknesses.into_iter().filter(|own| !self.weaknesses.iter().any(|known| known == own)));
        ModelCard {
            licence: self.licence.clone(),
            about: self.about.clone(),
            strengths: self.strengths.clone(),
            weaknesses,
            best_for: self.best_for.clone(),
            ..card
        }
    }
}

#[cfg(test)]
mod tests;
