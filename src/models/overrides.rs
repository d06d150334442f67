//! What a user wants otherwise than a model's own files say.
//!
//! Plain values; whoever opens a model obeys them. Invariant: nothing set means the model's own files decide.

use super::{Pooling, Prompts};

/// What is to be otherwise than a model's own files say.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Overrides {
    /// Put these before questions and texts.
    pub prompts: Option<Prompts>,
    /// Pool so.
    pub pooling: Option<Pooling>,
    /// Bring vectors to length 1 at the end, or (false) leave that out.
    pub normalize: Option<bool>,
}

impl Overrides {
    /// Whether nothing is otherwise.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
