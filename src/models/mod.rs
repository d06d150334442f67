//! Models: what is known of each (cards), where their weights come from, and embedders that turn chunks into vectors.
//!
//! It knows no corpus: inputs are plain texts and pictures. Invariant: the same
//! input gives the same vector (to 1e-5) alone or in any batch, in any order, at any number of threads.
//!
//! [`cards`] lists what is inside the program, [`catalogue`] what is known of models whether they are here or not, [`open`] loads
//! a model by id, folder or name in the local hub cache.

mod bundled;
mod card;
pub mod catalogue;
mod convert;
mod embedder;
mod encoder;
mod error;
mod hub;
mod overrides;
mod precision;
mod registry;
mod text;
mod vision;
mod weights;

pub use card::*;
pub use convert::{Converted, WeightType, convert};
pub use embedder::*;
pub use error::ModelError;
pub use hub::{Downloaded, HubError, HubOptions, Token, download};
pub use overrides::Overrides;
pub use precision::Precision;
pub use registry::{OpenOptions, canonical, cards, hub_cards, open, to_fetch};
pub use text::{
    distil::{StaticVocabulary, TokenSource},
    static_save::{StaticSettings, check_new_folder, save_static},
    words::WordTokens,
};
