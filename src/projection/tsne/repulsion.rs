//! How points push each other away: between all pairs where they are few, through a tree or a grid where they are many.
//!
//! Invariant: pushes are summed in an order that depends on the points alone.

use rayon::prelude::*;

use super::field::{Field, Frame};
use super::lanes::{GROUP, Push, Source, repel};
use super::tree::{Sorted, Tree};
use crate::progress::{Cancelled, Progress};
use crate::projection::Repulsion;

/// Points up to which every pair is computed.
const EXACT: usize = 1000;
/// Points from which the grid is faster than the tree.
const GRID: usize = 4000;

/// Pushes on all points, and the memory they are computed in.
#[derive(Clone, Debug, Default)]
pub(super) struct Pushes {
    sorted: Sorted,
    tree: Tree,
    all: Vec<Source>,
    pushes: Vec<Push>,
    field: Field,
    forces: Vec<[f32; 2]>,
}

impl Pushes {
    /// Computes the pushes at `points` and gives the normaliser Z: Σ 1 / (1 + distance²) over all ordered pairs. Errors: cancelled; the
    /// pushes are of no use then.
    pub fn compute(
        &mut self,
        points: &[[f32; 2]],
        way: Repulsion,
        theta: f32,
        progress: &Progress,
    ) -> Result<f64, Cancelled> {
        let finite = points.iter().flatten().all(|value| value.abs() < 1e30);
        let frame = Frame::around(points, 0.0);
        let way = match way {
            _ if !finite => Repulsion::BarnesHut,
            Repulsion::Automatic if points.len() <= EXACT => Repulsion::Exact,
            Repulsion::Automatic if points.len() < GRID || frame.is_stretched() => Repulsion::BarnesHut,
            Repulsion::Automatic => Repulsion::Fft,
            chosen => chosen,
        };
        if way == Repulsion::Fft {
            self.by_field(points, frame, progress)
        } else {
            let exact = way == Repulsion::Exact || points.len() <= EXACT;
            self.by_group(points, (!exact).then_some(theta), progress)
        }
    }

    fn by_field(&mut self, points: &[[f32; 2]], frame: Frame, progress: &Progress) -> Result<f64, Cancelled> {
        self.field.compute(points, frame, progress)?;
        self.forces.resize(points.len(), [0.0; 2]);
        Ok(self.field.read(points, &mut self.forces).max(f64::MIN_POSITIVE))
    }

    /// Through a tree with this theta; between all pairs where there is none.
    fn by_group(&mut self, points: &[[f32; 2]], theta: Option<f32>, progress: &Progress) -> Result<f64, Cancelled> {
        self.sorted.sort(points);
        progress.check()?;
        let exact = theta.is_none();
        if exact {
            let places = 0..points.len();
            self.all.clear();
            self.all.extend(places.map(|at| Source { x: self.sorted.x[at], y: self.sorted.y[at], mass: 1.0 }));
        }
        if let Some(theta) = theta {
            self.tree.build(&self.sorted, theta);
        }
        self.pushes.resize(points.len().div_ceil(GROUP), Push::default());
        let (sorted, tree, all) = (&self.sorted, &self.tree, &self.all);
        self.pushes.par_iter_mut().enumerate().with_min_len(4).for_each_init(Vec::new, |sources, (group, push)| {
            if progress.is_cancelled() {
                return;
            }
            let first = group * GROUP;
            let lanes = |values: &[f32]| std::array::from_fn(|lane| values[first + lane]);
            let sources = if exact {
                all
            } else {
                tree.sources(sorted, first..(first + GROUP).min(points.len()), sources);
                &*sources
            };
            *push = repel(&lanes(&sorted.x), &lanes(&sorted.y), sources);
        });
        progress.check()?;
        self.forces.resize(points.len(), [0.0; 2]);
        let mut normaliser = 0.0f64;
        for (place, &point) in self.sorted.order.iter().enumerate() {
            let (push, lane) = (&self.pushes[place / GROUP], place % GROUP);
            self.forces[point as usize] = [push.x[lane], push.y[lane]];
            normaliser += f64::from(push.z[lane]) - 1.0; // without the point itself, whose q is 1
        }
        Ok(normaliser.max(f64::MIN_POSITIVE))
    }

    /// Pushes by point, not yet divided by Z.
    pub fn forces(&self) -> &[[f32; 2]] {
        &self.forces
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    fn exact(points: &[[f32; 2]]) -> (Vec<[f64; 2]>, f64) {
        let mut sum = 0.0;
        let mut forces = Vec::new();
        for (i, a) in points.iter().enumerate() {
            let mut force = [0.0f64; 2];
            for (_, b) in points.iter().enumerate().filter(|&(j, _)| j != i) {
                let (dx, dy) = (f64::from(a[0]) - f64::from(b[0]), f64::from(a[1]) - f64::from(b[1]));
                let q = 1.0 / (1.0 + dx * dx + dy * dy);
                sum += q;
                force = [force[0] + q * q * dx, force[1] + q * q * dy];
            }
            forces.push(force);
        }
        (forces, sum)
    }

    /// How far the normaliser and the forces are off, as shares.
    fn off(points: &[[f32; 2]], way: Repulsion, theta: f32) -> [f64; 2] {
        let mut pushes = Pushes::default();
        let normaliser = pushes.compute(points, way, theta, &Progress::new()).unwrap();
        let (forces, expected) = exact(points);
        let size = forces.iter().map(|f| f[0] * f[0] + f[1] * f[1]).sum::<f64>().max(f64::MIN_POSITIVE);
        let found = pushes.forces().iter().zip(&forces);
        let away: f64 = found.map(|(f, e)| (f64::from(f[0]) - e[0]).powi(2) + (f64::from(f[1]) - e[1]).powi(2)).sum();
        [(normaliser - expected).abs() / expected.max(1.0), (away / size).sqrt()]
    }

    fn cloud(count: usize, size: f32) -> Vec<[f32; 2]> {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(2);
        (0..count).map(|_| [random.random_range(-size..size), random.random_range(-size..size)]).collect()
    }

    #[test]
    fn the_tree_comes_near_to_all_pairs_and_all_pairs_are_exact() {
        for (count, theta, bound) in
            [(1, 0.5, 1e-6), (2, 0.5, 1e-6), (700, 0.5, 1e-4), (3000, 0.0, 1e-4), (3000, 0.5, 0.02)]
        {
            let off = off(&cloud(count, 30.0), Repulsion::BarnesHut, theta);
            assert!(off[0] <= bound && off[1] <= bound, "{count} points, theta {theta}: {off:?}");
        }
    }

    #[test]
    fn the_grid_comes_nearer_than_the_tree_from_a_speck_to_a_wide_map() {
        for (count, size, bound) in [(3000, 1e-4, 0.02), (3000, 0.1, 1e-3), (3000, 3.0, 1e-4), (3000, 30.0, 0.02)] {
            let off = off(&cloud(count, size), Repulsion::Fft, 0.5);
            assert!(off[0] <= bound && off[1] <= bound, "{count} points within {size}: {off:?}");
        }
    }
}
