//! Where a map begins: the coordinates given at a hundredth of the scale of the vectors' values, as the authors' package has it.
//!
//! Does not look for coordinates. Invariant: what comes out is finite.

use rayon::prelude::*;

use crate::projection::umap::random::unit;
use crate::vectors::Vectors;

/// Size of the starting map, where the vectors' values range over 1.
const SIZE: f32 = 0.01;
/// Jitter, in the same measure, so that equal points part.
const JITTER: f32 = 1e-5;

/// Coordinates scaled by the range of all values of the vectors, and jittered; what is not a number goes to the middle.
pub(super) fn scaled<const D: usize>(start: &[[f32; D]], vectors: &Vectors, seed: u64) -> Vec<[f32; D]> {
    let wider = |a: [f32; 2], b: [f32; 2]| [a[0].min(b[0]), a[1].max(b[1])];
    let [low, high] = vectors
        .values()
        .par_chunks(1 << 14)
        .map(|part| {
            let sound = part.iter().filter(|value| value.is_finite());
            sound.fold([f32::INFINITY, f32::NEG_INFINITY], |range, &value| wider(range, [value, value]))
        })
        .reduce(|| [f32::INFINITY, f32::NEG_INFINITY], wider);
    let scale = SIZE / (high - low);
    let place = |value: f32| {
        let scaled = value * scale;
        if scaled.is_finite() { scaled } else { 0.0 }
    };
    let jitter = |row: u64, axis: usize| JITTER * SIZE * (unit(seed ^ 0x9ac3, row, axis as u64) - 0.5);
    (0u64..).zip(start).map(|(row, point)| std::array::from_fn(|axis| place(point[axis]) + jitter(row, axis))).collect()
}
