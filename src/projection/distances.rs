//! How far distances on a map follow those in the original space, over all pairs of a sample.
//!
//! Global shape only: near neighbours are the business of [`super::quality`]. Invariant: the same sample and figures for the same
//! seed, at any number of threads.

use rayon::prelude::*;

use super::quality::draw;
use crate::progress::{Cancelled, Progress};
use crate::vectors::{Vectors, squared_distance};

/// Correlations of the Euclidean distances of pairs, −1 to 1; 0 where distances do not differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DistanceCorrelation {
    /// Of the distances themselves (Pearson): 1 when the map is the original to scale.
    pub pearson: f32,
    /// Of their ranks (Spearman; equal distances share the mean of their ranks): 1 when farther is always farther.
    pub spearman: f32,
    /// Pairs compared.
    pub pairs: usize,
}

/// Correlates the distances of all pairs of `sample` points (1,000 are usual and make 499,500 pairs; all where there are fewer).
///
/// Points with a value that is not finite, in either space, are left out. Counts points in the stage "Comparing distances".
pub fn distance_correlation<const D: usize>(
    vectors: &Vectors,
    points: &[[f32; D]],
    sample: usize,
    seed: u64,
    progress: &Progress,
) -> Result<DistanceCorrelation, Cancelled> {
    let count = vectors.len().min(points.len());
    let mut chosen = draw(count, sample, seed);
    let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
    chosen.retain(|&at| finite(vectors.row(at as usize)) && finite(&points[at as usize]));
    progress.stage("Comparing distances", "points", chosen.len() as u64);
    let pairs: Vec<(Vec<f32>, Vec<f32>)> = chosen
        .par_iter()
        .enumerate()
        .map(|(number, &own)| {
            progress.check()?;
            let others = chosen[..number].iter();
            let near = others.map(|&other| {
                let (a, b) = (own as usize, other as usize);
                let original = squared_distance(vectors.row(a), vectors.row(b)).sqrt();
                (original, squared_distance(&points[a], &points[b]).sqrt())
            });
            progress.advance(1);
            Ok(near.unzip())
        })
        .collect::<Result<_, Cancelled>>()?;
    let (original, on_map): (Vec<Vec<f32>>, Vec<Vec<f32>>) = pairs.into_iter().unzip();
    let (original, on_map) = (original.concat(), on_map.concat());
    progress.check()?;
    let double = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect::<Vec<_>>();
    Ok(DistanceCorrelation {
        pearson: correlation(&double(&original), &double(&on_map)),
        spearman: correlation(&ranks(&original), &ranks(&on_map)),
        pairs: original.len(),
    })
}

/// Pearson's correlation; 0 where one side does not vary.
fn correlation(a: &[f64], b: &[f64]) -> f32 {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        both += a * b;
        of_a += a * a;
        of_b += b * b;
    }
    let scale = (of_a * of_b).sqrt();
    let found = if scale > 0.0 { (both / scale) as f32 } else { 0.0 };
    if found.is_finite() { found.clamp(-1.0, 1.0) } else { 0.0 }
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(values: &[f32]) -> Vec<f64> {
    // Distances are not negative, so their bits are ordered as they are.
    let mut order: Vec<u64> = (0u64..).zip(values).map(|(at, value)| (u64::from(value.to_bits()) << 32) | at).collect();
    order.par_sort_unstable();
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for run in order.chunk_by(|a, b| a >> 32 == b >> 32) {
        let rank = first as f64 + (run.len() as f64 + 1.0) / 2.0;
        for entry in run {
            ranks[(entry & 0xffff_ffff) as usize] = rank;
        }
        first += run.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_to_scale_correlates_wholly_and_one_point_not_at_all() {
        let points: Vec<[f32; 2]> = (0..50).map(|at| [(at * at % 37) as f32, (at * 7 % 11) as f32]).collect();
        let vectors = Vectors::new(points.iter().flat_map(|p| [5.0, 2.0 * p[0], 2.0 * p[1]]).collect::<Vec<_>>(), 3);
        let vectors = vectors.unwrap();
        let measure = |points: &[[f32; 2]]| distance_correlation(&vectors, points, 1000, 1, &Progress::new()).unwrap();
        let whole = measure(&points);
        assert!(whole.pearson > 0.99999 && whole.spearman > 0.99999 && whole.pairs == 50 * 49 / 2);
        let flat = measure(&[[3.0; 2]; 50]);
        assert_eq!((flat.pearson, flat.spearman), (0.0, 0.0));
        assert_eq!(measure(&[]).pairs, 0);
        let mut broken = points.clone();
        broken[3][0] = f32::NAN;
        assert_eq!(measure(&broken).pairs, 49 * 48 / 2);
    }

    #[test]
    fn equal_values_share_their_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 0.0, 3.0]), [4.0, 2.0, 4.0, 1.0, 4.0]);
    }
}
