//! How one input was embedded, for the inspector and `embedlens inspect`.

use super::embed::images::picture_of;
use super::{Environment, TaskError};
use crate::corpus::{Content, Corpus};
use crate::models::{Explanation, Input, ModelError, ModelId};
use crate::vectors::RowId;

/// Shows a corpus row's way through a model.
///
/// # Errors
/// The model cannot be opened, or reads another kind of input; the picture cannot be read any more.
pub fn explain(corpus: &Corpus, row: RowId, model: &ModelId, env: &Environment) -> Result<Explanation, TaskError> {
    let item = corpus.item_of(row);
    match &item.content {
        Content::Text(_) => explain_text(corpus.text_of(row), model, env),
        Content::Image { .. } => {
            let attempted = format!("show how {} was embedded", item.shown_path);
            let picture = picture_of(corpus, row).map_err(|message| TaskError::Model {
                attempted: attempted.clone(),
                source: ModelError::BadFile { path: item.shown_path.clone(), message },
            })?;
            let mut model = env.models.take(model, env.offline)?;
            env.run(|| model.with(&attempted, |embedder| embedder.explain(Input::Image(&picture))))
        }
    }
}

/// Shows a text's way through a model.
///
/// # Errors
/// The model cannot be opened, or reads pictures.
pub fn explain_text(text: &str, model: &ModelId, env: &Environment) -> Result<Explanation, TaskError> {
    let mut model = env.models.take(model, env.offline)?;
    env.run(|| model.with("show how the text is embedded", |embedder| embedder.explain(Input::Text(text))))
}
