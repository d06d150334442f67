//! The speed of a model whose vectors nearly all came from the cache: a few rows are embedded anew.

use std::sync::Arc;

use super::{EmbedRequest, Environment, SeenPictures, TaskError, embed};
use crate::corpus::Corpus;
use crate::progress::Progress;
use crate::workspace::{EmbeddingSet, Speed};

/// Inputs from which on a run tells the model's speed; fewer tell more of its first steps. As many are embedded anew where a run
/// had fewer.
pub const SPEED_SAMPLE: usize = 64;

/// The speed of the model that made `set`: from its run where that embedded [`SPEED_SAMPLE`] inputs, else measured on as many of
/// its rows, without the cache and without what other models have seen; the first input, which warms the model up, is not counted. `None` for an empty set.
///
/// # Errors
/// Cancelled; the model cannot be opened any more; none of the rows could be embedded.
pub fn measure_speed(
    corpus: &Arc<Corpus>,
    set: &EmbeddingSet,
    env: &Environment,
    progress: &Progress,
) -> Result<Option<Speed>, TaskError> {
    if set.embedded >= SPEED_SAMPLE || set.rows.is_empty() {
        return Ok(set.speed());
    }
    let step = (set.rows.len() / SPEED_SAMPLE).max(1);
    let rows: Arc<[_]> = set.rows.iter().copied().step_by(step).take(SPEED_SAMPLE).collect();
    let request = EmbedRequest { corpus: corpus.clone(), model: set.card.id.clone(), rows: Some(rows) };
    let seen = SeenPictures::default();
    let env = Environment { cache_dir: None, seen, ..env.clone() };
    let warm = EmbedRequest { rows: Some(set.rows[..1].into()), ..request.clone() };
    embed(&warm, &env, progress)?;
    let (fresh, _) = embed(&request, &env, progress)?;
    Ok(fresh.speed())
}
