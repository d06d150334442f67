//! The speed of a model whose vectors nearly all came from the cache: a few rows are embedded anew.

use std::sync::Arc;

use super::{EmbedRequest, Environment, SeenPictures, TaskError, embed};
use crate::corpus::Corpus;
use crate::progress::Progress;
use crate::workspace::{EmbeddingSet, Speed};

/// Inputs from which on a run tells the model's speed; fewer tell more of its first steps. As many are embedded anew where a run
/// had fewer.
pub const SPEED_SAMPLE: usize = 64;

/// As many for models that are done with those before a clock can tell.
const QUICK_SAMPLE: usize = 4096;
/// Seconds that are too short to tell a speed from.
const SHORT: f64 = 0.1;

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
    let spread = |count: usize| -> Arc<[_]> {
        let step = (set.rows.len() / count).max(1);
        set.rows.iter().copied().step_by(step).take(count).collect()
    };
    let request = EmbedRequest { corpus: corpus.clone(), model: set.card.id.clone(), rows: Some(spread(SPEED_SAMPLE)) };
    let seen = SeenPictures::default();
    let env = Environment { cache_dir: None, seen, ..env.clone() };
    let warm = EmbedRequest { rows: Some(set.rows[..1].into()), ..request.clone() };
    embed(&warm, &env, progress)?;
    let (mut fresh, _) = embed(&request, &env, progress)?;
    if fresh.seconds < SHORT {
        let more = EmbedRequest { rows: Some(spread(QUICK_SAMPLE)), ..request };
        fresh = embed(&more, &env, progress)?.0;
    }
    Ok(fresh.speed())
}
