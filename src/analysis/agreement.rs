//! How far two embedding sets over the same rows agree: locally by neighbours, as a whole by CKA and Procrustes.
//!
//! Costs one product of columns with columns, so 100,000 rows are no matter. Values that are NaN or infinite count as their column's
//! mean. Invariant: symmetric in its two arguments up to rounding.

use rayon::prelude::*;

use super::AnalysisError;
use crate::search::NeighbourGraph;
use crate::vectors::Vectors;
use crate::vectors::dense::singular_values;
use crate::vectors::products::{Centred, column_means, cross_products, scatter};

/// For every row the share of nearest neighbours that both graphs name, 0 to 1; of graphs of unequal depth the shallower counts, and
/// of unequal length the common beginning.
pub fn neighbour_overlap(a: &NeighbourGraph, b: &NeighbourGraph) -> Vec<f32> {
    let k = a.k.min(b.k);
    (0..a.len().min(b.len()))
        .into_par_iter()
        .with_min_len(256)
        .map(|row| {
            let (a, b) = (&a.of(row)[..k], &b.of(row)[..k]);
            a.iter().filter(|neighbour| b.contains(neighbour)).count() as f32 / k as f32
        })
        .collect()
}

/// Linear centred kernel alignment (Kornblith et al. 2019), 0 to 1: 1 when one set is the other turned and scaled.
///
/// Errors: different numbers of rows; a set without variance.
pub fn linear_cka(a: &Vectors, b: &Vectors) -> Result<f64, AnalysisError> {
    let (mean_a, mean_b) = (column_means(a), column_means(b));
    let (a, b) = centred(a, &mean_a, b, &mean_b)?;
    let length = |values: &[f64]| values.iter().map(|value| value * value).sum::<f64>().sqrt();
    let scale = length(&scatter(a)) * length(&scatter(b));
    let cross = length(&cross_products(a, b));
    share(cross * cross, scale)
}

/// Procrustes disparity as `scipy.spatial.procrustes` gives it, the narrower set padded with zeros: 0 when one set is the other moved,
/// turned, mirrored and scaled; at most 1.
///
/// Errors: different numbers of rows; a set without variance.
pub fn procrustes(a: &Vectors, b: &Vectors) -> Result<f64, AnalysisError> {
    let (mean_a, mean_b) = (column_means(a), column_means(b));
    let (a, b) = centred(a, &mean_a, b, &mean_b)?;
    let (tall, wide) = (a.vectors.dim(), b.vectors.dim());
    let trace = |c: Centred<'_>| -> f64 {
        let partial: Vec<f64> =
            c.all().par_chunks(1 << 16).map(|part| part.iter().map(|&v| f64::from(v) * f64::from(v)).sum()).collect();
        partial.iter().sum()
    };
    let scale = (trace(a) * trace(b)).sqrt();
    let values = singular_values(&cross_products(a, b), tall, wide).map_err(|_| AnalysisError::NoVariance)?;
    let together = share(values.iter().sum(), scale)?;
    Ok(1.0 - together * together)
}

fn centred<'a>(
    a: &'a Vectors,
    mean_a: &'a [f32],
    b: &'a Vectors,
    mean_b: &'a [f32],
) -> Result<(Centred<'a>, Centred<'a>), AnalysisError> {
    if a.len() != b.len() {
        return Err(AnalysisError::RowsDiffer { a: a.len(), b: b.len() });
    }
    Ok((Centred { vectors: a, mean: mean_a }, Centred { vectors: b, mean: mean_b }))
}

/// A quotient brought into 0 to 1.
fn share(part: f64, whole: f64) -> Result<f64, AnalysisError> {
    let share = part / whole;
    if share.is_finite() && whole > 0.0 { Ok(share.clamp(0.0, 1.0)) } else { Err(AnalysisError::NoVariance) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::Metric;

    fn graph(k: usize, indices: &[u32]) -> NeighbourGraph {
        let scores = vec![0.0; indices.len()];
        NeighbourGraph::new(k, Metric::Cosine, indices, scores)
    }

    #[test]
    fn overlap_is_the_share_both_name() {
        let (a, b) = (graph(2, &[1, 2, 0, 2, 0, 1]), graph(3, &[2, 1, 9, 3, 0, 2, 4, 5, 0]));
        assert_eq!(neighbour_overlap(&a, &b), [1.0, 0.5, 0.0]);
        assert!(neighbour_overlap(&graph(0, &[]), &a).is_empty());
    }

    #[test]
    fn a_turned_scaled_and_moved_copy_agrees_wholly() {
        let values: Vec<f32> = (0..60).map(|i| ((i * 37) % 23) as f32).collect();
        let turned: Vec<f32> = values.chunks(2).flat_map(|v| [3.0 * v[1] + 5.0, -3.0 * v[0] - 1.0, 0.0]).collect();
        let (a, b) = (Vectors::new(values, 2).unwrap(), Vectors::new(turned, 3).unwrap());
        assert!((linear_cka(&a, &b).unwrap() - 1.0).abs() < 1e-5);
        assert!(procrustes(&a, &b).unwrap().abs() < 1e-5);
        assert!((procrustes(&b, &a).unwrap() - procrustes(&a, &b).unwrap()).abs() < 1e-6);
    }

    #[test]
    fn what_cannot_be_compared_says_why() {
        let of = |values: &[f32]| Vectors::new(values.to_vec(), 1).unwrap();
        assert_eq!(linear_cka(&of(&[1.0, 2.0]), &of(&[1.0])), Err(AnalysisError::RowsDiffer { a: 2, b: 1 }));
        assert_eq!(procrustes(&of(&[1.0, 2.0]), &of(&[3.0, 3.0])), Err(AnalysisError::NoVariance));
        assert_eq!(linear_cka(&of(&[]), &of(&[])), Err(AnalysisError::NoVariance));
    }
}
