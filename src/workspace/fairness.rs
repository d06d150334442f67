//! What makes a comparison of models unfair: what was measured of a set, and what follows from it with its remedy.
//!
//! Types only; the task of the same name fills them. Invariant: a concern names one model, and its remedy mends what it names.

use std::sync::Arc;

use crate::models::{ModelId, Pooling, Prompts};

/// What a fair comparison asks of an embedding set.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct SetFacts {
    /// Rows that are texts or code.
    pub texts: usize,
    /// Tokens of them that the model saw, special ones and prompts counted.
    pub tokens: u64,
    /// Tokens of them that it did not see.
    pub tokens_cut: u64,
    /// Texts of which it did not see all.
    pub texts_cut: usize,
    /// Texts that already begin with the prompt that the model, or its makers, put before passages.
    pub prompted: usize,
    /// Length of the shortest and of the longest vector.
    pub lengths: [f32; 2],
}

/// Something that favours or harms a model in a comparison.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Concern {
    /// The model it is about.
    pub model: ModelId,
    /// What kind it is.
    pub kind: ConcernKind,
    /// One sentence.
    pub summary: String,
    /// Why it matters, in a sentence or two.
    pub why: String,
    /// What mends it.
    pub remedy: Option<Remedy>,
}

/// Kinds of concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConcernKind {
    /// Tokens were lost because texts are longer than the model reads.
    Truncation,
    /// The model's prompts are missing, or others than its makers'.
    Prompts,
    /// A prompt stands twice before texts.
    DoubledPrompt,
    /// It pools otherwise than its makers do.
    Pooling,
    /// Its vectors have different lengths and are meant for dot products.
    Lengths,
    /// It was embedded from another reading of the corpus.
    Revision,
    /// It lacks rows that another model has.
    Rows,
}

/// What a button does about a concern.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// Read the corpus again in chunks of at most so many tokens.
    SmallerChunks(usize),
    /// Embed again with these prompts.
    Prompts(Prompts),
    /// Embed again with this pooling.
    Pooling(Pooling),
    /// Embed again and bring the vectors to length 1.
    Normalize,
    /// Embed again.
    EmbedAgain,
}

impl Remedy {
    /// The button's words.
    pub fn words(&self) -> String {
        match self {
            Self::SmallerChunks(tokens) => format!("Cut the corpus into chunks of {tokens} tokens"),
            Self::Prompts(prompts) if prompts.passage.is_empty() && prompts.query.is_empty() => {
                "Embed again without a prompt".to_owned()
            }
            Self::Prompts(prompts) if prompts.passage.is_empty() => {
                format!("Embed again with \"{}\" before questions only", prompts.query.trim_end())
            }
            Self::Prompts(prompts) => format!("Embed again with \"{}\" before texts", prompts.passage.trim_end()),
            Self::Pooling(pooling) => format!("Embed again with {}", pooling.words()),
            Self::Normalize => "Embed again with vectors of length 1".to_owned(),
            Self::EmbedAgain => "Embed again".to_owned(),
        }
    }
}

/// The concerns about the models compared.
pub type Concerns = Arc<[Concern]>;
