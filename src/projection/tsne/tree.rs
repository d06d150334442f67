//! The quadtree of Barnes and Hut over points in Morton order, in one flat array.
//!
//! Nodes stand in the order of a walk, each knowing where the walk goes on when it is not opened, so that a walk needs no stack.
//! A node is opened for a whole group of points at once. Invariant: a node that holds a point of the group is never taken as one
//! unless all its points coincide, so every point meets itself exactly once.

use rayon::prelude::*;

use super::lanes::{GROUP, Source};

/// Points a leaf may hold.
const LEAF: usize = 8;

/// Points in Morton order, filled up to whole groups, and the order they stand in.
#[derive(Clone, Debug, Default)]
pub(super) struct Sorted {
    /// `order[place]` is the point there.
    pub order: Vec<u32>,
    /// Coordinates by place; the last group is filled up with its last point.
    pub x: Vec<f32>,
    /// The same.
    pub y: Vec<f32>,
    codes: Vec<(u64, u32)>,
}

impl Sorted {
    /// Sorts the points anew, into the memory it has.
    pub fn sort(&mut self, points: &[[f32; 2]]) {
        let (low, scale) = frame(points);
        self.codes.resize(points.len(), (0, 0));
        self.codes.par_iter_mut().zip(points).enumerate().with_min_len(4096).for_each(|(point, (code, at))| {
            let cell = |axis: usize| ((at[axis] - low[axis]) * scale) as u32;
            *code = (spread(cell(0)) | spread(cell(1)) << 1, point as u32);
        });
        if points.len() < 4096 {
            self.codes.sort_unstable();
        } else {
            self.codes.par_sort_unstable();
        }
        self.order.clear();
        self.order.extend(self.codes.iter().map(|&(_, point)| point));
        let filled = points.len().next_multiple_of(GROUP);
        for (axis, out) in [&mut self.x, &mut self.y].into_iter().enumerate() {
            out.clear();
            out.extend(self.order.iter().map(|&point| points[point as usize][axis]));
            let last = out.last().copied().unwrap_or_default();
            out.resize(filled, last);
        }
    }
}

/// Places of the points in Morton order.
pub(super) fn near_together(points: &[[f32; 2]]) -> Vec<u32> {
    let mut sorted = Sorted::default();
    sorted.sort(points);
    sorted.order
}

/// The lowest corner and how many cells a unit is; all points fall into 2³² x 2³² cells.
fn frame(points: &[[f32; 2]]) -> ([f32; 2], f32) {
    let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
    for point in points {
        for axis in 0..2 {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    let side = (high[0] - low[0]).max(high[1] - low[1]);
    (low, if side > 0.0 && side.is_finite() { 4.294_967e9 / side } else { 0.0 })
}

/// Puts a zero between every two bits.
fn spread(value: u32) -> u64 {
    let mut wide = u64::from(value);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        wide = (wide | wide << shift) & mask;
    }
    wide
}

/// One square of the tree.
#[derive(Clone, Copy, Debug)]
struct Node {
    centre: Source,
    /// Seen as one from a squared distance greater than this: (side / theta)², 0 where all its points coincide.
    reach: f32,
    /// Its points' places.
    start: u32,
    end: u32,
    /// Where a walk goes on when it does not open this.
    next: u32,
    leaf: bool,
}

/// A box around points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    low: [f32; 2],
    high: [f32; 2],
}

impl Bounds {
    /// Around points given by axis.
    pub fn of(x: &[f32], y: &[f32]) -> Self {
        let mut bounds = Self { low: [f32::INFINITY; 2], high: [f32::NEG_INFINITY; 2] };
        for (axis, values) in [x, y].into_iter().enumerate() {
            for &value in values {
                bounds.low[axis] = bounds.low[axis].min(value);
                bounds.high[axis] = bounds.high[axis].max(value);
            }
        }
        bounds
    }

    fn side(&self) -> f32 {
        (self.high[0] - self.low[0]).max(self.high[1] - self.low[1])
    }

    fn with(&self, other: &Self) -> Self {
        Self {
            low: [self.low[0].min(other.low[0]), self.low[1].min(other.low[1])],
            high: [self.high[0].max(other.high[0]), self.high[1].max(other.high[1])],
        }
    }

    /// Squared distance from the nearest point of the box; 0 inside.
    #[inline]
    fn squared_distance(&self, at: &Source) -> f32 {
        let dx = (self.low[0] - at.x).max(at.x - self.high[0]).max(0.0);
        let dy = (self.low[1] - at.y).max(at.y - self.high[1]).max(0.0);
        dx * dx + dy * dy
    }
}

/// The tree over sorted points.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Builds the tree anew, into the memory it has. `theta` is the accuracy; 0 opens everything.
    pub fn build(&mut self, sorted: &Sorted, theta: f32) {
        self.nodes.clear();
        if !sorted.order.is_empty() {
            self.add(sorted, 0..sorted.order.len(), theta);
        }
    }

    fn add(&mut self, sorted: &Sorted, range: std::ops::Range<usize>, theta: f32) -> Bounds {
        let codes = &sorted.codes[range.clone()];
        let own = self.nodes.len();
        let differing = codes[0].0 ^ codes[codes.len() - 1].0;
        let leaf = codes.len() <= LEAF || differing == 0;
        self.nodes.push(Node {
            centre: Source::default(),
            reach: 0.0,
            start: range.start as u32,
            end: range.end as u32,
            next: 0,
            leaf,
        });
        let (sum, bounds) = if leaf {
            let (x, y) = (&sorted.x[range.clone()], &sorted.y[range.clone()]);
            (([x, y]).map(|values| values.iter().sum::<f32>()), Bounds::of(x, y))
        } else {
            self.add_children(sorted, range.clone(), differing, theta)
        };
        let mass = range.len() as f32;
        let side = bounds.side();
        let next = self.nodes.len() as u32;
        let node = &mut self.nodes[own];
        node.next = next;
        // Coinciding points are one in their very place: a mean would round it away.
        let coincide = side == 0.0;
        let place = if coincide { bounds.low } else { [sum[0] / mass, sum[1] / mass] };
        node.centre = Source { x: place[0], y: place[1], mass };
        node.reach = if coincide { 0.0 } else { (side / theta).powi(2) };
        bounds
    }

    fn add_children(
        &mut self,
        sorted: &Sorted,
        range: std::ops::Range<usize>,
        differing: u64,
        theta: f32,
    ) -> ([f32; 2], Bounds) {
        let shift = (63 - differing.leading_zeros()) & !1;
        let mut sum = [0.0f32; 2];
        let mut bounds: Option<Bounds> = None;
        let mut start = range.start;
        while start < range.end {
            let quarter = sorted.codes[start].0 >> shift;
            let end = start + sorted.codes[start..range.end].partition_point(|&(code, _)| code >> shift == quarter);
            let child = self.nodes.len();
            let around = self.add(sorted, start..end, theta);
            let centre = self.nodes[child].centre;
            sum = [sum[0] + centre.mass * centre.x, sum[1] + centre.mass * centre.y];
            bounds = Some(bounds.map_or(around, |bounds| bounds.with(&around)));
            start = end;
        }
        (sum, bounds.unwrap_or_else(|| Bounds::of(&[], &[])))
    }

    /// Everything that pushes the group of points at `places`, written over `sources`.
    pub fn sources(&self, sorted: &Sorted, places: std::ops::Range<usize>, sources: &mut Vec<Source>) {
        sources.clear();
        let bounds = Bounds::of(&sorted.x[places.clone()], &sorted.y[places.clone()]);
        let (first, last) = (places.start as u32, places.end as u32);
        let mut at = 0;
        while let Some(node) = self.nodes.get(at) {
            let far = bounds.squared_distance(&node.centre) > node.reach && (node.end <= first || node.start >= last);
            if far || node.reach == 0.0 {
                sources.push(node.centre);
                at = node.next as usize;
            } else if node.leaf {
                let range = node.start as usize..node.end as usize;
                let points = sorted.x[range.clone()].iter().zip(&sorted.y[range]);
                sources.extend(points.map(|(&x, &y)| Source { x, y, mass: 1.0 }));
                at = node.next as usize;
            } else {
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    fn points(count: usize) -> Vec<[f32; 2]> {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(9);
        (0..count).map(|_| [random.random_range(-9.0..9.0), random.random_range(-3.0..3.0)]).collect()
    }

    fn tree(points: &[[f32; 2]], theta: f32) -> (Sorted, Tree) {
        let (mut sorted, mut tree) = (Sorted::default(), Tree::default());
        sorted.sort(points);
        tree.build(&sorted, theta);
        (sorted, tree)
    }

    #[test]
    fn every_group_meets_the_mass_of_all_points() {
        let mut points = points(1234);
        points.extend([[1.0, 1.0]; 300]);
        for theta in [0.0, 0.5, 1.0] {
            let (sorted, tree) = tree(&points, theta);
            let mut sources = Vec::new();
            for first in (0..points.len()).step_by(GROUP) {
                tree.sources(&sorted, first..(first + GROUP).min(points.len()), &mut sources);
                assert_eq!(sources.iter().map(|source| source.mass).sum::<f32>(), 1534.0);
                if theta == 0.0 {
                    assert!(sources.len() > 1200, "nothing but coinciding points is taken as one");
                }
            }
        }
    }

    #[test]
    fn places_are_a_permutation_and_groups_are_filled_up() {
        let points = points(21);
        let (sorted, _) = tree(&points, 0.5);
        let mut order = sorted.order.clone();
        order.sort_unstable();
        assert_eq!(order, (0..21).collect::<Vec<u32>>());
        assert_eq!((sorted.x.len(), sorted.x[31]), (32, sorted.x[20]));
    }

    #[test]
    fn coinciding_points_make_no_endless_tree() {
        let (sorted, tree) = tree(&[[0.1, 0.7]; 100], 0.5);
        let mut sources = Vec::new();
        tree.sources(&sorted, 0..GROUP, &mut sources);
        assert_eq!(sources, [Source { x: 0.1, y: 0.7, mass: 100.0 }]);
    }
}
