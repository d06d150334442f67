//! One step of gradient descent with momentum and gains (Jacobs 1988), as in openTSNE and scikit-learn.
//!
//! Invariant: a point's step depends on the map before the step only, so points can be moved in any order.

use super::edges::Edges;

/// Least gain of a coordinate.
const LEAST_GAIN: f32 = 0.01;
/// Longest step of a point in one iteration.
const LONGEST_STEP: f32 = 5.0;

/// How one point moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    /// Where it goes, before the map is centred again.
    pub next: [f32; 2],
    /// Its last step, which momentum carries on.
    pub step: [f32; 2],
    /// A factor on the learning rate for each axis.
    pub gain: [f32; 2],
}

impl Default for Motion {
    fn default() -> Self {
        Self { next: [0.0; 2], step: [0.0; 2], gain: [1.0; 2] }
    }
}

impl Motion {
    /// Takes a gradient into the step.
    #[inline]
    pub fn turn(&mut self, gradient: [f32; 2], rate: f32, momentum: f32) {
        for (axis, gradient) in gradient.into_iter().enumerate() {
            let turned = (gradient > 0.0) != (self.step[axis] > 0.0);
            let gain = if turned { self.gain[axis] + 0.2 } else { self.gain[axis] * 0.8 };
            self.gain[axis] = gain.max(LEAST_GAIN);
            self.step[axis] = momentum * self.step[axis] - rate * self.gain[axis] * gradient;
        }
    }
}

/// All that one iteration's step of a point depends on.
pub(super) struct Descent<'a> {
    /// Who is drawn to whom.
    pub edges: &'a Edges,
    /// The map before the step.
    pub points: &'a [[f32; 2]],
    /// Pushes by point, not divided by the normaliser.
    pub forces: &'a [[f32; 2]],
    /// One over the normaliser.
    pub share: f32,
    /// Factor on attraction.
    pub exaggeration: f32,
    /// Learning rate.
    pub rate: f32,
    /// Share of the last step that is carried on.
    pub momentum: f32,
}

impl Descent<'_> {
    /// Moves one point by its gradient (without the constant factor 4, which the learning rate holds).
    pub fn step(&self, point: usize, motion: &mut Motion) {
        let at = self.points[point];
        let drawn = self.edges.attract(point, self.points);
        let pushed = self.forces[point];
        let gradient = [0, 1].map(|axis| self.exaggeration * drawn[axis] - self.share * pushed[axis]);
        motion.turn(gradient, self.rate, self.momentum);
        let length = motion.step[0].hypot(motion.step[1]);
        if !length.is_finite() {
            motion.step = [0.0; 2];
        } else if length > LONGEST_STEP {
            motion.step = motion.step.map(|step| step * LONGEST_STEP / length);
        }
        motion.next = [at[0] + motion.step[0], at[1] + motion.step[1]];
    }
}
