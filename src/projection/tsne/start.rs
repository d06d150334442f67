//! Where t-SNE starts: a given map, made very small.
//!
//! Invariant: no two points start in one place, and all are finite.

use rand::{Rng, SeedableRng};

/// Standard deviation of the starting map along its first axis.
const START: f32 = 1e-4;

/// The starting map at its small scale; of points in one place, or in none (NaN), all but the first are jittered.
pub(super) fn scaled(start: &[[f32; 2]], seed: u64) -> Vec<[f32; 2]> {
    let sound: Vec<[f32; 2]> =
        start.iter().map(|point| if point.iter().all(|v| v.is_finite()) { *point } else { [0.0; 2] }).collect();
    let count = sound.len().max(1) as f64;
    let mean = [0, 1].map(|axis| sound.iter().map(|point| f64::from(point[axis])).sum::<f64>() / count);
    let square = sound.iter().map(|point| (f64::from(point[0]) - mean[0]).powi(2)).sum::<f64>() / count;
    let scale = if square > 0.0 { f64::from(START) / square.sqrt() } else { 0.0 };
    let mut points: Vec<[f32; 2]> =
        sound.iter().map(|point| [0, 1].map(|axis| ((f64::from(point[axis]) - mean[axis]) * scale) as f32)).collect();
    let mut order: Vec<usize> = (0..points.len()).collect();
    let bits = |point: [f32; 2]| point.map(|value| (value + 0.0).to_bits());
    order.sort_by_key(|&at| (bits(points[at]), at));
    let again: Vec<usize> =
        order.windows(2).filter(|pair| bits(points[pair[0]]) == bits(points[pair[1]])).map(|pair| pair[1]).collect();
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    let width = if scale > 0.0 { 0.1 * START } else { START };
    for at in again {
        points[at] = points[at].map(|value| value + random.random_range(-width..width));
    }
    points
}

/// A starting map of seeded noise for `count` points, for those who want another map for every seed: normal, standard deviation 1.
pub fn noise(count: usize, seed: u64) -> Vec<[f32; 2]> {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    // Box and Muller.
    let mut pair = || {
        let (radius, turn) = (1.0 - random.random::<f64>(), std::f64::consts::TAU * random.random::<f64>());
        let radius = (-2.0 * radius.ln()).sqrt();
        [(radius * turn.cos()) as f32, (radius * turn.sin()) as f32]
    };
    (0..count).map(|_| pair()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_axis_gets_its_spread_and_equal_points_part() {
        let start = [[-30.0, 1.0], [30.0, 2.0], [30.0, 2.0], [-30.0, f32::NAN], [30.0, 2.0]];
        let points = scaled(&start, 1);
        let mean = points.iter().map(|point| point[0]).sum::<f32>() / 5.0;
        let spread = (points.iter().map(|point| (point[0] - mean).powi(2)).sum::<f32>() / 5.0).sqrt();
        assert!((spread / START - 1.0).abs() < 0.2, "{spread}");
        assert!(points[1] != points[2] && points[2] != points[4] && points[1] != points[4]);
        assert!(points.iter().flatten().all(|value| value.is_finite()));
        assert_eq!(points, scaled(&start, 1));
    }
}
