//! New points on a map that is done: each where its neighbours among the old points draw it, and no old point moves.
//!
//! The authors' package lowers the same sum, over pairs of neighbours alone, by Adam from the middle of the map; here the best of the
//! neighbours' own places is gone out from, and each step is to the mean that lowers the sum for sure. Invariant: old points do not
//! move and new points do not see each other.

use rayon::prelude::*;

use super::lanes::NEAR;
use crate::progress::{Cancelled, Progress};
use crate::projection::ProjectionError;
use crate::search::NeighbourGraph;

/// Most steps, and the way under which a point has arrived.
const STEPS: usize = 100;
const ARRIVED: f64 = 1e-4;

/// Places new vectors on a map by their neighbours there: a row of positions in `points` and scores for each new vector, of which the
/// first `n_neighbors` are used. A row without a finite score comes to the middle of the map. Errors: a row names a point that is not
/// on the map; cancelled.
pub fn pacmap_place<const D: usize>(
    points: &[[f32; D]],
    neighbours: &NeighbourGraph,
    n_neighbors: usize,
    progress: &Progress,
) -> Result<Vec<[f32; D]>, ProjectionError> {
    let rows = points.len();
    if let Some(&row) = neighbours.indices.iter().find(|&&row| row as usize >= rows) {
        return Err(ProjectionError::NoSuchRow { row, rows });
    }
    let middle: [f32; D] = std::array::from_fn(|axis| {
        let sum: f64 = points.iter().map(|point| f64::from(point[axis])).sum();
        (sum / rows.max(1) as f64) as f32
    });
    let k = neighbours.k.min(n_neighbors);
    let placed: Result<Vec<[f32; D]>, Cancelled> = (0..neighbours.len())
        .into_par_iter()
        .with_min_len(64)
        .map(|row| {
            progress.check()?;
            let found = neighbours.of(row)[..k].iter().zip(neighbours.scores_of(row));
            let near: Vec<[f64; D]> = found
                .filter(|(_, score)| score.is_finite())
                .map(|(&old, _)| points[old as usize].map(f64::from))
                .collect();
            Ok(settled(&near).map_or(middle, |place| place.map(|value| value as f32)))
        })
        .collect();
    Ok(placed?)
}

/// d = 1 + |a − b|².
fn apart<const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    1.0 + a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
}

/// Where the sum of d / (10 + d) over `near` is least, as far as can be found from the best of these; `None` where there are none.
fn settled<const D: usize>(near: &[[f64; D]]) -> Option<[f64; D]> {
    let softness = f64::from(NEAR[1]);
    let sum = |at: &[f64; D]| near.iter().map(|other| apart(at, other)).map(|d| d / (softness + d)).sum::<f64>();
    let mut place = *near.iter().min_by(|a, b| sum(a).total_cmp(&sum(b)))?;
    for _ in 0..STEPS {
        let (mut mean, mut total) = ([0.0; D], 0.0);
        for other in near {
            let weight = (softness + apart(&place, other)).powi(-2);
            (0..D).for_each(|axis| mean[axis] += weight * other[axis]);
            total += weight;
        }
        let next = mean.map(|value| value / total);
        let way = apart(&place, &next) - 1.0;
        place = next;
        if way < ARRIVED * ARRIVED {
            break;
        }
    }
    Some(place)
}
