//! What a user sets for a model in place of what its folder says.
//!
//! Plain values; whoever opens a model applies them. Invariant: the default changes nothing.

use super::{Pooling, Prompts};

/// What is set in place of what the model says; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Overrides {
    /// What is put before questions and texts.
    pub prompts: Option<Prompts>,
    /// How token vectors become one.
    pub pooling: Option<Pooling>,
    /// Whether vectors are brought to length 1.
    pub normalize: Option<bool>,
}

impl Overrides {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
