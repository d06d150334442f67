//! Repulsion through a grid: points are spread over nodes, the nodes' potentials found by Fourier transforms, and read back.
//!
//! Linderman et al. 2019 interpolate four charges and the squared kernel; here one charge and the potential Σ 1 / (1 + distance²) are
//! enough, since repulsion is its slope, and cubic B-splines (as in Essmann et al. 1995) can be differentiated. Invariant: a node
//! sums its points in the order they are given in, whatever the number of threads.

use rayon::prelude::*;

use super::own::Own;
use super::spline::{REACH, slopes, weights};
use super::waves::Waves;
use crate::progress::{Cancelled, Progress};

/// Spacing of nodes in units of the map (the kernel is about 1 wide), and up to which span of the map it is used: narrow maps
/// are dense, so that all points are off in one direction, and small grids cost next to nothing.
const SPACINGS: [(f32, f32); 3] = [(8.0, 1.0 / 16.0), (16.0, 1.0 / 8.0), (48.0, 1.0 / 4.0)];
/// Spacing of nodes for wider maps.
const WIDEST: f32 = 1.0 / 3.0;
/// Most nodes along an axis; beyond it they stand further apart and near points are pushed less exactly.
const MOST: usize = 2048;
/// Rows of nodes that one task spreads points to.
const BAND: usize = 8;
/// Points that one task reads back.
const TASK: usize = 1024;

/// Where the nodes are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Frame {
    low: [f32; 2],
    spacing: f32,
    /// Nodes along each axis.
    nodes: [usize; 2],
}

impl Frame {
    /// Around points, with `spare` map units on every side. Points must be finite.
    pub fn around(points: &[[f32; 2]], spare: f32) -> Self {
        let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for point in points {
            for axis in 0..2 {
                low[axis] = low[axis].min(point[axis]);
                high[axis] = high[axis].max(point[axis]);
            }
        }
        if points.is_empty() {
            (low, high) = ([0.0; 2], [0.0; 2]);
        }
        let low = low.map(|value| value - spare);
        let span = [0, 1].map(|axis| high[axis] + spare - low[axis]);
        let widest = span[0].max(span[1]);
        let wished = SPACINGS.iter().find(|&&(most, _)| widest <= most).map_or(WIDEST, |&(_, spacing)| spacing);
        // In steps, so that the kernel's transform is found again.
        let step = |spacing: f32| (spacing * (MOST - 6) as f32 <= widest).then_some(spacing * 1.25);
        let spacing = std::iter::successors(Some(wished), |&spacing| step(spacing)).last().unwrap_or(wished);
        Self { low, spacing, nodes: span.map(|span| ((span / spacing) as usize).min(MOST - 5) + REACH + 1) }
    }

    /// The first of a point's four nodes along an axis, and how far past the second it is. Points outside stand at the edge.
    #[inline(always)]
    fn place(&self, point: [f32; 2], axis: usize) -> (usize, f32) {
        let at = (point[axis] - self.low[axis]) * (1.0 / self.spacing);
        let at = at.clamp(0.0, (self.nodes[axis] - REACH) as f32);
        let node = (at as usize).min(self.nodes[axis] - REACH);
        (node, at - node as f32)
    }

    /// Whether the nodes stand further apart than wished.
    pub fn is_stretched(&self) -> bool {
        self.spacing > WIDEST
    }

    /// Nodes in all.
    pub fn len(&self) -> usize {
        self.nodes[0] * self.nodes[1]
    }
}

/// The potential of many points on a grid, and the memory it is computed in.
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    frame: Frame,
    values: Vec<f32>,
    waves: Waves,
    own: Own,
    /// Points by band of rows, in their order within one, and where each band starts.
    sorted: Vec<u32>,
    starts: Vec<u32>,
}

/// What a point feels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Felt {
    /// Σ q.
    pub potential: f32,
    /// Σ q² (own − other).
    pub push: [f32; 2],
}

impl Field {
    /// Computes the potential of `points`. Errors: cancelled; there is no potential then.
    pub fn compute(&mut self, points: &[[f32; 2]], frame: Frame, progress: &Progress) -> Result<(), Cancelled> {
        self.frame = frame;
        self.own.prepare(frame.spacing);
        self.values.clear();
        self.values.resize(frame.len(), 0.0);
        self.sort(points);
        progress.check()?;
        self.spread(points);
        progress.check()?;
        self.waves.convolve(&mut self.values, frame.nodes[0], frame.spacing, progress)
    }

    /// Counting sort by band.
    fn sort(&mut self, points: &[[f32; 2]]) {
        let bands = self.frame.nodes[1].div_ceil(BAND);
        let band = |point: [f32; 2]| self.frame.place(point, 1).0 / BAND;
        self.starts.clear();
        self.starts.resize(bands + 1, 0);
        for &point in points {
            self.starts[band(point) + 1] += 1;
        }
        (0..bands).for_each(|band| self.starts[band + 1] += self.starts[band]);
        let mut next = self.starts.clone();
        self.sorted.resize(points.len(), 0);
        for (place, &point) in (0u32..).zip(points) {
            let at = &mut next[band(point)];
            self.sorted[*at as usize] = place;
            *at += 1;
        }
    }

    /// Every band takes its own points and those of the band before that reach over.
    fn spread(&mut self, points: &[[f32; 2]]) {
        let (frame, sorted, starts) = (self.frame, &self.sorted, &self.starts);
        let width = frame.nodes[0];
        self.values.par_chunks_mut(BAND * width).enumerate().for_each(|(band, rows)| {
            let (top, count) = (band * BAND, rows.len() / width);
            let first = starts[band.saturating_sub(1)] as usize;
            for &place in &sorted[first..starts[band + 1] as usize] {
                let point = points[place as usize];
                let ((x, t), (y, u)) = (frame.place(point, 0), frame.place(point, 1));
                let (across, down) = (weights(t), weights(u));
                for (step, weight) in down.into_iter().enumerate() {
                    let Some(row) = (y + step).checked_sub(top).filter(|&row| row < count) else { continue };
                    let nodes = &mut rows[row * width + x..][..REACH];
                    for (node, across) in nodes.iter_mut().zip(across) {
                        *node += weight * across;
                    }
                }
            }
        });
    }

    /// What one of the points feels of the others.
    #[inline]
    pub fn felt_of_others(&self, point: [f32; 2]) -> Felt {
        let (all, own) = (self.felt(point), self.own.felt(self.frame.place(point, 0).1, self.frame.place(point, 1).1));
        Felt { potential: all.potential - own.potential, push: [all.push[0] - own.push[0], all.push[1] - own.push[1]] }
    }

    /// What a place feels of all points.
    #[inline]
    pub fn felt(&self, point: [f32; 2]) -> Felt {
        let ((x, t), (y, u)) = (self.frame.place(point, 0), self.frame.place(point, 1));
        let (across, across_slope, down, down_slope) = (weights(t), slopes(t), weights(u), slopes(u));
        let width = self.frame.nodes[0];
        // What the nodes have in common is taken off, so that slopes do not drown in its rounding.
        let common = self.values[(y + 1) * width + x + 1];
        let mut lanes = [[0.0f32; REACH]; 2];
        for row in 0..REACH {
            let nodes = &self.values[(y + row) * width + x..][..REACH];
            for lane in 0..REACH {
                let value = nodes[lane] - common;
                lanes[0][lane] += down[row] * value;
                lanes[1][lane] += down_slope[row] * value;
            }
        }
        let sum = |lanes: [f32; REACH], by: [f32; REACH]| {
            (lanes[0] * by[0] + lanes[1] * by[1]) + (lanes[2] * by[2] + lanes[3] * by[3])
        };
        // The slope of the potential is -2 Σ q² (own - other).
        let scale = -0.5 / self.frame.spacing;
        Felt {
            potential: common + sum(lanes[0], across),
            push: [scale * sum(lanes[0], across_slope), scale * sum(lanes[1], across)],
        }
    }

    /// What the points feel of each other, written over `forces`; gives Σ potential.
    pub fn read(&self, points: &[[f32; 2]], forces: &mut [[f32; 2]]) -> f64 {
        let partial: Vec<f64> = forces
            .par_chunks_mut(TASK)
            .zip(points.par_chunks(TASK))
            .map(|(forces, points)| {
                let mut sum = 0.0f64;
                for (force, &point) in forces.iter_mut().zip(points) {
                    let felt = self.felt_of_others(point);
                    *force = felt.push;
                    sum += f64::from(felt.potential);
                }
                sum
            })
            .collect();
        partial.iter().sum()
    }
}
