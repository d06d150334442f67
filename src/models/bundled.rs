//! The models inside this program: their cards, and opening them from the bytes compiled in.
//!
//! Without the feature `bundled-models` it lists none and says how to get them. Invariant: the tokenizer and the picture
//! network are loaded once a process and shared.

/// Whether weights are compiled in.
pub(super) const PRESENT: bool = cfg!(feature = "bundled-models");

const MINILM: &str = "all-MiniLM-L6-v2";
const STATIC: &str = "all-MiniLM-L6-v2-static-256";
const LITE0: &str = "efficientnet-lite0";
const CONSE: &str = "conse-minilm-lite0";

/// The full id of a bundled model, from it or its short name.
pub(super) fn full_name(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    [(MINILM, "minilm"), (STATIC, "static"), (LITE0, "lite0"), (CONSE, "conse")]
        .into_iter()
        .find(|(full, short)| lower == full.to_ascii_lowercase() || lower == *short)
        .map(|(full, _)| full)
}

#[cfg(not(feature = "bundled-models"))]
mod absent {
    use std::sync::Arc;

    use crate::models::{Embedder, ModelCard, ModelError, Overrides, Precision, text::tokens::TextTokenizer};

    pub(in crate::models) fn cards() -> Vec<ModelCard> {
        Vec::new()
    }

    pub(in crate::models) fn open(name: &str, _: Precision, _: &Overrides) -> Result<Box<dyn Embedder>, ModelError> {
        let hint =
            "this program was built without its models; build it with the feature bundled-models, or give a folder";
        Err(ModelError::NotFound { id: name.to_owned(), hint: hint.to_owned() })
    }

    pub(in crate::models) fn tokenizer() -> Result<Arc<TextTokenizer>, ModelError> {
        Err(ModelError::Tokenizer("this program was built without its tokenizer".to_owned()))
    }
}
#[cfg(not(feature = "bundled-models"))]
pub(super) use absent::{cards, open, tokenizer};

#[cfg(feature = "bundled-models")]
mod cards;
#[cfg(feature = "bundled-models")]
mod present;
#[cfg(feature = "bundled-models")]
pub(super) use cards::cards;
#[cfg(feature = "bundled-models")]
pub(super) use present::{open, tokenizer};
