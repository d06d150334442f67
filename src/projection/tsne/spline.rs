//! Cubic B-splines: how a point is spread over the four nearest nodes of each axis, and how their values are read back.
//!
//! Invariant: the weights of a place sum to 1 and their slopes to 0.

/// Nodes of each axis that a point touches.
pub(super) const REACH: usize = 4;

/// Weights of the four nodes around a place `t` (0 to 1) past the second of them.
#[inline(always)]
pub(super) fn weights(t: f32) -> [f32; REACH] {
    let rest = 1.0 - t;
    let (first, last) = (rest * rest * rest * (1.0 / 6.0), t * t * t * (1.0 / 6.0));
    let second = 2.0 / 3.0 - t * t * (1.0 - 0.5 * t);
    [first, second, 1.0 - first - second - last, last]
}

/// How fast those weights change with the place, per node spacing.
#[inline(always)]
pub(super) fn slopes(t: f32) -> [f32; REACH] {
    let rest = 1.0 - t;
    let (first, last) = (-0.5 * rest * rest, 0.5 * t * t);
    let second = t * (1.5 * t - 2.0);
    [first, second, -(first + second + last), last]
}

/// What spreading over nodes (or reading from them) does to the wave that turns `wave` times in `length` nodes.
pub(super) fn damping(wave: usize, length: usize) -> f64 {
    (2.0 + (std::f64::consts::TAU * wave as f64 / length as f64).cos()) / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_reproduce_the_place_and_slopes_are_their_derivative() {
        for step in 0..=20 {
            let t = step as f32 / 20.0;
            let (weights, slopes) = (super::weights(t), slopes(t));
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6 && slopes.iter().sum::<f32>().abs() < 1e-6);
            let place: f32 = weights.iter().zip([-1.0, 0.0, 1.0, 2.0]).map(|(w, at)| w * at).sum();
            assert!((place - t).abs() < 1e-6, "{place} for {t}");
            let (before, after) = (super::weights(t - 0.01), super::weights(t + 0.01));
            for node in 0..REACH {
                assert!(((after[node] - before[node]) / 0.02 - slopes[node]).abs() < 1e-3);
            }
        }
    }
}
