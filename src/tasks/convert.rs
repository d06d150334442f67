//! Writing a model's weights again as safetensors of one type.

use std::path::PathBuf;

use super::{Environment, TaskError};
use crate::models::{self, Converted, ModelId, OpenOptions, WeightType};
use crate::progress::{Cancelled, Progress};

/// What to convert, and into what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertRequest {
    /// A folder, or a name in the hub's cache.
    pub model: ModelId,
    /// The new folder.
    pub out: PathBuf,
    /// What numbers the weights are written as.
    pub to: WeightType,
}

/// Writes a model's folder again. Pickles are parsed; nothing in them is run.
///
/// # Errors
/// Cancelled; [`TaskError::Model`] with what to do.
pub fn convert_model(request: &ConvertRequest, env: &Environment, progress: &Progress) -> Result<Converted, TaskError> {
    let options = OpenOptions { hub_cache: env.models.hub().cache.clone(), ..OpenOptions::default() };
    let ConvertRequest { model, out, to } = request;
    let done = env.run(|| models::convert(model, out, *to, &options, progress));
    let attempted = format!("convert the model {model}");
    done.map_err(|source| TaskError::Model { attempted, source })?.ok_or(TaskError::Cancelled(Cancelled))
}
