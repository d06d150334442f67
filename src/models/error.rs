//! What can go wrong with a model. Invariant: each message names the thing and the next step.

/// What can go wrong with a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No such model here.
    #[error("model {id} is not here: {hint}")]
    NotFound {
        /// The id asked for.
        id: String,
        /// Where was looked, and what to do.
        hint: String,
    },
    /// A file of the model is missing or makes no sense.
    #[error("model file {path}: {message}")]
    BadFile {
        /// The file.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// An architecture or option this version cannot run.
    #[error("model {id} cannot be run: {message}")]
    Unsupported {
        /// The model.
        id: String,
        /// Why.
        message: String,
    },
    /// A text was given to a picture model or the other way round.
    #[error("{model} reads {reads}, not {given}")]
    WrongInput {
        /// The model's name.
        model: String,
        /// What it reads.
        reads: &'static str,
        /// What was given.
        given: &'static str,
    },
    /// It could not be fetched from the hub.
    #[error(transparent)]
    Hub(super::HubError),
    /// The tokenizer failed.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// A computation failed.
    #[error("tensor computation: {0}")]
    Tensor(String),
}
