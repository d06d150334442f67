//! linfa-tsne as a second opinion: another program's t-SNE behind the same parameters.
//!
//! Starts from noise, cannot be watched or stopped, and is slow, hence the limit. Invariant: same input and parameters, same map.

use linfa::traits::Transformer;
use ndarray::Array2;

use super::{ProjectionError, TsneParams};
use crate::vectors::Vectors;

/// Most points it is offered for.
pub const LINFA_LIMIT: usize = 5000;

/// Lays the vectors out with linfa-tsne. Uses perplexity (clipped to a third of the other points), theta, the iterations; its
/// learning rate, exaggeration and start are its own.
///
/// Errors: more than [`LINFA_LIMIT`] points; what linfa refuses. Sets of less than four points stay at the origin.
pub fn linfa_tsne(vectors: &Vectors, params: &TsneParams) -> Result<Vec<[f32; 2]>, ProjectionError> {
    let rows = vectors.len();
    if rows > LINFA_LIMIT {
        return Err(ProjectionError::TooManyForLinfa { rows, limit: LINFA_LIMIT });
    }
    if rows < 4 {
        return Ok(vec![[0.0; 2]; rows]);
    }
    let dim = vectors.dim().max(2);
    let mut data = Array2::<f64>::zeros((rows, dim));
    for (mut out, row) in data.rows_mut().into_iter().zip(vectors.rows()) {
        for (out, &value) in out.iter_mut().zip(row) {
            *out = if value.is_finite() { f64::from(value) } else { 0.0 };
        }
    }
    let most = (rows - 1) as f64 / 3.0;
    let perplexity = if params.perplexity.is_finite() { f64::from(params.perplexity) } else { 30.0 };
    let theta = if params.theta.is_finite() { f64::from(params.theta).clamp(0.0, 1.0) } else { 0.5 };
    let made = linfa_tsne::TSneParams::embedding_size(2)
        .perplexity(perplexity.clamp(1.0, most.max(1.0)))
        .approx_threshold(theta)
        .max_iter(params.iterations)
        .preliminary_iter(params.exaggeration_iterations.min(params.iterations))
        .transform(data)
        .map_err(|error| ProjectionError::Linfa(error.to_string()))?;
    Ok(made.rows().into_iter().map(|row| [row[0] as f32, row[1] as f32]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_sets_are_refused_with_the_numbers() {
        let vectors = Vectors::new(vec![0.0; 5001], 1).unwrap();
        let message = linfa_tsne(&vectors, &TsneParams::default()).unwrap_err().to_string();
        assert!(message.contains("5000") && message.contains("5001"), "{message}");
    }

    #[test]
    fn small_sets_are_laid_out() {
        let params = TsneParams { iterations: 20, exaggeration_iterations: 10, ..TsneParams::default() };
        for rows in [0, 1, 3, 4, 12] {
            let vectors = Vectors::new((0..rows).map(|i| i as f32).collect::<Vec<_>>(), 1).unwrap();
            let points = linfa_tsne(&vectors, &params).unwrap();
            assert_eq!(points.len(), rows);
            assert!(points.iter().flatten().all(|value| value.is_finite()));
        }
    }
}
