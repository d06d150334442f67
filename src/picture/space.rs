//! Points of space as they are seen from one side: what turning a map of three dimensions means.
//!
//! No perspective and no depth. Invariant: a point is seen at the same place alone as among the points it belongs to.

use super::Bounds;

/// From where points of space are seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Viewpoint {
    /// What they are turned around: the middle of the finite ones.
    middle: [f32; 3],
    /// Sine and cosine of the turn about the vertical axis, then of the tilt about the horizontal one.
    turn: (f32, f32),
    tilt: (f32, f32),
}

impl Viewpoint {
    /// The points turned about the vertical axis, then tilted about the horizontal one, in radians, around their middle.
    pub fn of(space: &[[f32; 3]], turned: [f32; 2]) -> Self {
        Self { middle: middle(space), turn: turned[0].sin_cos(), tilt: turned[1].sin_cos() }
    }

    /// Where a point is seen. Distances across the line of sight keep their lengths; from the front the first two axes stay to the bit.
    pub fn seen(&self, point: [f32; 3]) -> [f32; 2] {
        let ((turn_sin, turn_cos), (tilt_sin, tilt_cos)) = (self.turn, self.tilt);
        if turn_sin == 0.0 && turn_cos == 1.0 && tilt_sin == 0.0 {
            return [point[0], point[1]];
        }
        let [x, y, z] = [0, 1, 2].map(|axis| point[axis] - self.middle[axis]);
        let (across, depth) = (x * turn_cos + z * turn_sin, z * turn_cos - x * turn_sin);
        [across + self.middle[0], y * tilt_cos - depth * tilt_sin + self.middle[1]]
    }
}

/// The square that points of space stay in, from whichever side they are seen: around their middle, as far as all but the furthest two in a
/// hundred reach.
pub(super) fn frame(space: &[[f32; 3]]) -> Bounds {
    let middle = middle(space);
    let far = |point: &[f32; 3]| (0..3).map(|axis| (point[axis] - middle[axis]).powi(2)).sum::<f32>().sqrt();
    let mut away: Vec<f32> = space.iter().filter(|point| is_sound(point)).map(far).collect();
    let place = (away.len() * 98 / 100).min(away.len().saturating_sub(1));
    let reach = match away.is_empty() {
        true => 1.0,
        false => away.select_nth_unstable_by(place, f32::total_cmp).1.max(1e-6),
    };
    Bounds { min: [middle[0] - reach, middle[1] - reach], max: [middle[0] + reach, middle[1] + reach] }
}

fn middle(space: &[[f32; 3]]) -> [f32; 3] {
    let sound = || space.iter().filter(|point| is_sound(point));
    let count = sound().count().max(1) as f32;
    sound().fold([0.0f32; 3], |sum, point| [0, 1, 2].map(|axis| sum[axis] + point[axis] / count))
}

fn is_sound(point: &[f32; 3]) -> bool {
    point.iter().all(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_keeps_distances_across_and_turns_back() {
        let space = [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]];
        let view = Viewpoint::of(&space, [std::f32::consts::FRAC_PI_2, 0.0]);
        let quarter = space.map(|point| view.seen(point));
        assert!((quarter[0][0] - 1.0).abs() < 1e-6 && quarter[2][0].abs() < 1e-6, "{quarter:?}");
        let front = Viewpoint::of(&space, [0.0, 0.0]);
        assert_eq!(space.map(|point| front.seen(point)), space.map(|[x, y, _]| [x, y]));
    }

    #[test]
    fn points_of_space_stay_in_their_frame_however_they_are_turned() {
        let space: Vec<[f32; 3]> =
            (0..500).map(|n| [n as f32, (n * 37 % 101) as f32 * 9.0, (n * 53 % 211) as f32]).collect();
        let frame = frame(&space);
        for turned in [[0.0, 0.0], [0.9, -0.4], [2.5, 1.5]] {
            let view = Viewpoint::of(&space, turned);
            let outside = space.iter().filter(|&&point| !frame.contains(view.seen(point))).count();
            assert!(outside <= 10, "{outside} of 500 outside, turned {turned:?}");
        }
        assert!(super::frame(&[]).extent()[0] > 0.0);
    }
}
