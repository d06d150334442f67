//! Where a map begins: coordinates brought to 0 to 10 along each axis, as umap-learn has it.
//!
//! Does not look for coordinates. Invariant: what comes out is finite.

use super::random::unit;

/// Length of each axis.
const LENGTH: f32 = 10.0;
/// Jitter, so that equal points part.
const JITTER: f32 = 1e-3;

/// Stretches each axis to 0 to 10 and jitters; what is not a number goes to the middle.
pub(super) fn stretched<const D: usize>(start: &[[f32; D]], seed: u64) -> Vec<[f32; D]> {
    let mut bounds = [[f32::INFINITY, f32::NEG_INFINITY]; D];
    for point in start {
        for (value, [low, high]) in point.iter().zip(&mut bounds).filter(|(value, _)| value.is_finite()) {
            (*low, *high) = (low.min(*value), high.max(*value));
        }
    }
    let place = |value: f32, [low, high]: [f32; 2]| {
        let share = (0.5 * value - 0.5 * low) / (0.5 * high - 0.5 * low);
        LENGTH * if share.is_finite() { share } else { 0.5 }
    };
    (0u64..)
        .zip(start)
        .map(|(row, point)| {
            std::array::from_fn(|axis| {
                let jitter = JITTER * (unit(seed, row, axis as u64) - 0.5);
                place(point[axis], bounds[axis]) + jitter
            })
        })
        .collect()
}

/// Random places in the square or cube of that length.
pub(super) fn scattered<const D: usize>(points: usize, seed: u64) -> Vec<[f32; D]> {
    (0..points as u64).map(|row| std::array::from_fn(|axis| LENGTH * unit(seed ^ 0x5ca7, row, axis as u64))).collect()
}
