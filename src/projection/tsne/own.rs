//! What a point feels of itself through the grid, so that it can be taken off.
//!
//! Between nodes a point's own potential is not exactly 1, and its slope not 0: in sparse regions that would hold points at the
//! nodes. Depends on the place between the nodes only, so a small table holds it. Invariant: reading is continuous in the place.

use super::field::Felt;
use super::spline::{REACH, slopes, weights};
use super::waves::Waves;
use crate::progress::Progress;

/// Steps of the table along each axis.
const STEPS: usize = 16;
/// Nodes along each axis of the grid on which one charge is convolved.
const NODES: usize = 2 * REACH - 1;

/// Potential and push by place between nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    spacing: f32,
    /// Potential, push along x, push along y, nothing; row-major, `STEPS + 1` square.
    table: Vec<[f32; 4]>,
}

impl Own {
    /// For nodes of this spacing; does nothing where it is so already.
    pub fn prepare(&mut self, spacing: f32) {
        if self.spacing == spacing && !self.table.is_empty() {
            return;
        }
        let mut response = vec![0.0f32; NODES * NODES];
        response[NODES * NODES / 2] = 1.0;
        // Nobody cancels it.
        _ = Waves::default().convolve(&mut response, NODES, spacing, &Progress::new());
        self.spacing = spacing;
        self.table.clear();
        for at in 0..(STEPS + 1) * (STEPS + 1) {
            let place = |step: usize| step as f32 / STEPS as f32;
            let felt = felt_at(&response, place(at % (STEPS + 1)), place(at / (STEPS + 1)), spacing);
            self.table.push([felt.potential, felt.push[0], felt.push[1], 0.0]);
        }
    }

    /// What a point feels of itself that stands `t` and `u` (0 to 1) past a node.
    #[inline(always)]
    pub fn felt(&self, t: f32, u: f32) -> Felt {
        let split = |place: f32| {
            let at = place * STEPS as f32;
            let step = (at as usize).min(STEPS - 1);
            (step, at - step as f32)
        };
        let ((x, a), (y, b)) = (split(t), split(u));
        let corner = y * (STEPS + 1) + x;
        let (near, far) = (&self.table[corner..corner + 2], &self.table[corner + STEPS + 1..corner + STEPS + 3]);
        let parts = [(1.0 - a) * (1.0 - b), a * (1.0 - b), (1.0 - a) * b, a * b];
        let mut sum = [0.0f32; 4];
        for (lane, sum) in sum.iter_mut().enumerate() {
            *sum = (parts[0] * near[0][lane] + parts[1] * near[1][lane])
                + (parts[2] * far[0][lane] + parts[3] * far[1][lane]);
        }
        Felt { potential: sum[0], push: [sum[1], sum[2]] }
    }
}

fn felt_at(response: &[f32], t: f32, u: f32, spacing: f32) -> Felt {
    let (across, down) = (weights(t), weights(u));
    let sum = |across_read: [f32; REACH], down_read: [f32; REACH]| {
        let mut sum = 0.0f64;
        for at in 0..REACH.pow(4) {
            let [a, b, c, d] = [at % REACH, at / REACH % REACH, at / 16 % REACH, at / 64];
            let node = response[(REACH - 1 + b - d) * NODES + REACH - 1 + a - c];
            sum += f64::from(across_read[a] * across[c]) * f64::from(down_read[b] * down[d]) * f64::from(node);
        }
        sum as f32
    };
    let scale = -0.5 / spacing;
    Felt { potential: sum(across, down), push: [scale * sum(slopes(t), down), scale * sum(across, slopes(u))] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_feels_about_one_of_itself_and_no_push_at_nodes() {
        for spacing in [0.1f32, 0.25, 0.5] {
            let mut own = Own::default();
            own.prepare(spacing);
            for (t, u) in [(0.0, 0.0), (0.5, 0.5), (0.3, 0.9)] {
                assert!((own.felt(t, u).potential - 1.0).abs() < 0.05, "{spacing}: {:?}", own.felt(t, u));
            }
            assert!(own.felt(0.0, 1.0).push.iter().all(|push| push.abs() < 1e-3));
        }
    }
}
