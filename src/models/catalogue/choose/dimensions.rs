//! How many dimensions a use wants.
//!
//! Rules of thumb, said to be such, beside the published figures they lean on. Invariant: a model is only cut to a size that it was trained for.

use serde::Serialize;

use super::Use;
use crate::models::catalogue::KnownModel;

/// A range of dimensions for a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Recommended {
    /// The fewest.
    pub from: usize,
    /// The most that is still worth its storage.
    pub to: usize,
    /// Why, in one sentence.
    pub why: &'static str,
    /// What it rests on.
    pub basis: &'static str,
}

const THUMB: &str = "Rule of thumb; measure yours under What fewer dimensions cost";
const NOMIC: &str = "Rule of thumb, in line with nomic-embed-text-v1.5 on MTEB: 62.3 with 768 dimensions, 61.0 with 256, 59.3 with 128, 56.1 with 64";

/// How many dimensions `purpose` wants.
pub fn recommended(purpose: Use) -> Recommended {
    let range = |from, to, why, basis| Recommended { from, to, why, basis };
    match purpose {
        Use::Clustering => range(
            64,
            128,
            "Groups and previews need the main directions only, and distances mean more in few dimensions.",
            NOMIC,
        ),
        Use::Duplicates => range(128, 256, "What says the same lies close together in few dimensions already.", NOMIC),
        Use::Classification => range(256, 384, "A classifier finds its directions among a few hundred.", THUMB),
        Use::SemanticSearch => {
            range(256, 384, "Search at scale: most of the quality at a third of the storage.", NOMIC)
        }
        Use::QuestionAnswering | Use::DomainTexts => {
            range(768, 1024, "Fine differences between passages use the later dimensions.", NOMIC)
        }
        Use::CodeSearch => range(384, 768, "Words and code share few directions; cutting them costs hits.", THUMB),
        Use::PicturesByWords => range(512, 768, "What CLIP and its kin give; they were not trained to be cut.", THUMB),
        Use::SimilarPictures => range(384, 768, "Likeness of pictures uses all that small picture models give.", THUMB),
    }
}

/// The dimensions that `model` would be used with: its own, or the smallest trained size that the use is content with.
pub(super) fn for_use(purpose: Use, model: &KnownModel) -> usize {
    let least = recommended(purpose).from;
    model.matryoshka.iter().copied().filter(|&size| size >= least).min().unwrap_or(model.dimensions)
}
