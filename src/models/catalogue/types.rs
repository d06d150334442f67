//! What an entry of the catalogue says.
//!
//! A figure or fact that is not known is left out, never guessed. Invariant: an entry reads the same from its file and into JSON.

use serde::{Deserialize, Serialize};

use crate::models::{InputKind, Pooling, Prompts, Similarity};

/// What a model was made to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modality {
    /// Texts.
    Text,
    /// Program code, and words about it.
    Code,
    /// Pictures.
    Image,
    /// Texts and pictures, in one space.
    TextAndImage,
}

impl Modality {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Text, Self::Code, Self::Image, Self::TextAndImage];

    /// Its name in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Code => "code",
            Self::Image => "pictures",
            Self::TextAndImage => "text and pictures",
        }
    }

    /// What an embedder of it reads.
    pub fn input(self) -> InputKind {
        match self {
            Self::Text | Self::Code => InputKind::Text,
            Self::Image => InputKind::Image,
            Self::TextAndImage => InputKind::Both,
        }
    }
}

/// A field that a model was trained for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    /// Texts of all kinds.
    General,
    /// Statutes, judgments, contracts.
    Law,
    /// Biomedical papers.
    Biomedicine,
    /// Notes of hospitals.
    ClinicalNotes,
    /// News and reports of companies.
    Finance,
    /// Scientific papers.
    Science,
    /// Program code.
    Code,
    /// Pictures.
    Pictures,
}

impl Domain {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::General,
        Self::Law,
        Self::Biomedicine,
        Self::ClinicalNotes,
        Self::Finance,
        Self::Science,
        Self::Code,
        Self::Pictures,
    ];

    /// Its name in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Law => "law",
            Self::Biomedicine => "biomedicine",
            Self::ClinicalNotes => "clinical notes",
            Self::Finance => "finance",
            Self::Science => "science",
            Self::Code => "code",
            Self::Pictures => "pictures",
        }
    }
}

/// What a model learnt from: it tells whether its vectors mean likeness as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Training {
    /// Pairs of like texts.
    Pairs,
    /// Masked words: not likeness.
    Masked,
    /// Labels of classes.
    Labels,
    /// Pictures without labels.
    Pictures,
    /// Pictures with captions.
    Captions,
    /// Another model's vectors.
    Distilled,
}

/// Where a model runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", untagged)]
pub enum Place {
    /// Its weights are inside this program, or on the hub.
    Weights(Weights),
    /// Only behind its provider's API.
    Api {
        /// Who runs it.
        provider: String,
        /// The variable of the environment that its key would come from.
        key: String,
    },
}

/// Where weights are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weights {
    /// Inside this program.
    Bundled,
    /// On the hub.
    Hub,
}

/// What an API asks for a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// US dollars for a million tokens.
    pub dollars: f64,
    /// The day it was true: "2026-04-20".
    pub on: String,
}

/// A published measure of quality.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What was measured: "MTEB retrieval".
    pub measure: String,
    /// The value, 0 to 100.
    pub value: f64,
    /// Who says so.
    pub source: String,
}

/// What is known of a model, whether it is here or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownModel {
    /// Its name on the hub, its provider's name for it, or that of a bundled model.
    pub id: String,
    /// A short name.
    pub name: String,
    /// Other names for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What it was made to read.
    pub modality: Modality,
    /// `model_type` of its configuration.
    pub architecture: String,
    /// The same in words, with its layers.
    pub family: String,
    /// What it learnt from.
    pub training: Training,
    /// Values a vector.
    pub dimensions: usize,
    /// Numbers of first values that it was trained to be cut to, the most first; empty where it was not.
    #[serde(default)]
    pub matryoshka: Vec<usize>,
    /// Longest text in tokens, special tokens counted; `None` for pictures and where there is no limit.
    pub context_tokens: Option<usize>,
    /// How it pools; `None` where its makers do not say or where it has two towers.
    pub pooling: Option<Pooling>,
    /// What it wants before texts.
    #[serde(default)]
    pub prompts: Prompts,
    /// Whether its makers bring its vectors to length 1.
    pub normalized: bool,
    /// How its vectors are meant to be compared.
    pub similarity: Similarity,
    /// Licence: SPDX where there is one, "not stated", or "provider's terms".
    pub licence: String,
    /// Whether the licence lets it be used commercially; `None` where it is not stated.
    pub commercial: Option<bool>,
    /// Numbers in its weights.
    pub parameters: Option<u64>,
    /// Bytes of its weights as published (by arithmetic: parameters times bytes a number).
    pub size_bytes: Option<u64>,
    /// Multiplications and additions for one token, or for one picture of a model that reads pictures.
    pub operations: Option<u64>,
    /// Where it runs.
    pub place: Place,
    /// What it costs; `None` for what runs here.
    pub cost: Option<Cost>,
    /// Fields it was trained for.
    pub domains: Vec<Domain>,
    /// Languages: "en", or "many"; empty for pictures.
    #[serde(default)]
    pub languages: Vec<String>,
    /// One or two sentences: what it is.
    pub about: String,
    /// What it is good at.
    pub strengths: Vec<String>,
    /// What it cannot do.
    pub weaknesses: Vec<String>,
    /// What to use it for.
    pub best_for: String,
    /// Published figures of quality.
    #[serde(default)]
    pub quality: Vec<Figure>,
    /// Where a table of the lesson says something else than the makers do.
    pub lesson: Option<String>,
    /// Whether pairs of code and words about it were among what it learnt from.
    #[serde(default)]
    pub code_pairs: bool,
    /// The entry whose makers say that it takes this one's place.
    pub newer: Option<String>,
    /// Addresses of what was read for this entry.
    pub sources: Vec<String>,
}
