//! What keeping fewer dimensions of a set costs: by PCA, by its first dimensions, by random directions.

use super::{Environment, TaskError};
use crate::progress::Progress;
use crate::projection::{CostSettings, ReductionCost, reduction_costs};
use crate::vectors::Metric;
use crate::workspace::EmbeddingSet;

/// Numbers of dimensions worth asking for; those below a set's own are measured.
const KEPT: [usize; 7] = [8, 16, 32, 64, 128, 256, 512];

/// The neighbours kept and the bytes a vector of each way to fewer dimensions, over a sample of vectors with neighbours among all.
///
/// # Errors
/// Cancelled; vectors without a decomposition.
pub fn reductions(set: &EmbeddingSet, env: &Environment, progress: &Progress) -> Result<Vec<ReductionCost>, TaskError> {
    let ks: Vec<usize> = KEPT.into_iter().filter(|&k| k < set.vectors.dim()).collect();
    let settings = CostSettings { metric: Metric::Cosine, ..CostSettings::default() };
    Ok(env.run(|| reduction_costs(&set.vectors, &ks, &settings, progress))?)
}
