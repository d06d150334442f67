//! Nearest points on a map of two or three dimensions, by a balanced tree of boxes.
//!
//! Knows positions only, nothing of what they were laid out from. Points with a coordinate that is NaN or infinite are nobody's
//! neighbour and have none. Invariant: neighbours are those of a full sort by squared distance, then by position.

use rayon::prelude::*;

use crate::progress::{Cancelled, Progress};

/// Most points of a leaf.
const LEAF: usize = 12;
/// Points of one task.
const TASK: usize = 1024;
/// Stands for "no neighbour".
const NONE: u32 = u32::MAX;

/// A tree over the points of a map. `D` is 2 or 3.
#[derive(Clone, Debug)]
pub struct PlaneTree<const D: usize> {
    /// The finite points, leaf after leaf.
    points: Vec<([f32; D], u32)>,
    /// Where the points of a node lie, heap order: the children of node `n` are `2n + 1` and `2n + 2`.
    nodes: Vec<Node<D>>,
    /// Nodes from this one on are leaves.
    first_leaf: usize,
    /// All points as given.
    given: Vec<[f32; D]>,
}

#[derive(Clone, Copy, Debug)]
struct Node<const D: usize> {
    start: u32,
    end: u32,
    low: [f32; D],
    high: [f32; D],
    /// The least position in it.
    least: u32,
}

/// The nearest points of every point of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaneNeighbours {
    k: usize,
    indices: Vec<u32>,
}

impl PlaneNeighbours {
    /// Neighbours of the point at `position`, nearest first: `k`, or fewer where there are fewer.
    pub fn of(&self, position: usize) -> &[u32] {
        let own = &self.indices[position * self.k..(position + 1) * self.k];
        &own[..own.iter().position(|&other| other == NONE).unwrap_or(self.k)]
    }

    /// Most neighbours a point.
    pub fn k(&self) -> usize {
        self.k
    }
}

/// One search: where from, without whom, and the best few found so far, nearest first.
struct Search<const D: usize> {
    own: [f32; D],
    skip: u32,
    k: usize,
    held: Vec<(f32, u32)>,
}

impl<const D: usize> Search<D> {
    fn new(k: usize) -> Self {
        Self { own: [0.0; D], skip: NONE, k, held: Vec::new() }
    }

    /// Whether something at this distance, with this or a later position, could still come in.
    fn wants(&self, distance: f32, position: u32) -> bool {
        match self.held.last() {
            Some(&(worst, last)) if self.held.len() == self.k => {
                distance < worst || (distance == worst && position < last)
            }
            _ => true,
        }
    }

    fn offer(&mut self, distance: f32, position: u32) {
        if self.wants(distance, position) {
            if self.held.len() == self.k {
                self.held.pop();
            }
            let mut at = self.held.len();
            while at > 0 && (distance, position) < self.held[at - 1] {
                at -= 1;
            }
            self.held.insert(at, (distance, position));
        }
    }
}

fn squared<const D: usize>(a: &[f32; D], b: &[f32; D]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

impl<const D: usize> PlaneTree<D> {
    /// Builds the tree over the points of a map.
    pub fn new(points: &[[f32; D]]) -> Self {
        Self::unless(points, &|| false)
    }

    /// As [`PlaneTree::new`], for maps of a million points, for which it takes most of a second.
    pub fn new_with(points: &[[f32; D]], progress: &Progress) -> Result<Self, Cancelled> {
        let tree = Self::unless(points, &|| progress.is_cancelled());
        progress.check().map(|()| tree)
    }

    /// Finds hardly anything once `stop` says yes.
    fn unless(points: &[[f32; D]], stop: &dyn Fn() -> bool) -> Self {
        let finite = |point: &[f32; D]| point.iter().all(|value| value.is_finite());
        let mut held: Vec<([f32; D], u32)> =
            points.iter().copied().zip(0..NONE).filter(|(point, _)| finite(point)).collect();
        let leaves = held.len().div_ceil(LEAF).max(1).next_power_of_two();
        let nothing = Node { start: 0, end: 0, low: [0.0; D], high: [0.0; D], least: NONE };
        let mut nodes = vec![nothing; 2 * leaves - 1];
        let mut level = vec![(0usize, 0usize, held.as_mut_slice())];
        while !level.is_empty() && !stop() {
            let made: Vec<(usize, Node<D>)> =
                level.par_iter_mut().map(|(at, start, points)| (*at, split(points, *start))).collect();
            for (at, node) in made {
                nodes[at] = node;
            }
            let halves = level.into_iter().filter(|(at, _, _)| *at < leaves - 1).flat_map(|(at, start, points)| {
                let middle = points.len() / 2;
                let (left, right) = points.split_at_mut(middle);
                [(2 * at + 1, start, left), (2 * at + 2, start + middle, right)]
            });
            level = halves.collect();
        }
        Self { points: held, nodes, first_leaf: leaves - 1, given: points.to_vec() }
    }

    /// Number of points given.
    pub fn len(&self) -> usize {
        self.given.len()
    }

    /// Whether no points were given.
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// The `k` points nearest to the point at `position`, nearest first, without itself.
    pub fn nearest(&self, position: usize, k: usize) -> Vec<u32> {
        let Some(own) = self.given.get(position) else { return Vec::new() };
        self.search(own, position as u32, &mut Search::new(k))
    }

    /// The `k` points nearest to a place, nearest first.
    pub fn nearest_to(&self, place: [f32; D], k: usize) -> Vec<u32> {
        self.search(&place, NONE, &mut Search::new(k))
    }

    /// The `k` nearest of every point. Counts points in the running stage.
    pub fn all(&self, k: usize, progress: &Progress) -> Result<PlaneNeighbours, Cancelled> {
        let k = k.min(self.points.len().saturating_sub(1));
        let parts: Vec<Vec<u32>> = self
            .points
            .par_chunks(TASK)
            .map(|points| {
                progress.check()?;
                let mut found = Search::new(k);
                let near = points.iter().flat_map(|(own, position)| self.search(own, *position, &mut found)).collect();
                progress.advance(points.len() as u64);
                Ok(near)
            })
            .collect::<Result<_, Cancelled>>()?;
        let mut indices = vec![NONE; k * self.len()];
        progress.check()?;
        if k > 0 {
            let lists = parts.iter().flat_map(|part| part.chunks_exact(k));
            for ((_, position), list) in self.points.iter().zip(lists) {
                indices[*position as usize * k..(*position as usize + 1) * k].copy_from_slice(list);
            }
        }
        Ok(PlaneNeighbours { k, indices })
    }

    fn search(&self, own: &[f32; D], skip: u32, found: &mut Search<D>) -> Vec<u32> {
        (found.own, found.skip) = (*own, skip);
        found.held.clear();
        if found.k > 0 && own.iter().all(|value| value.is_finite()) {
            self.visit(0, 0.0, found);
        }
        found.held.iter().map(|&(_, position)| position).collect()
    }

    fn visit(&self, at: usize, away: f32, found: &mut Search<D>) {
        let node = &self.nodes[at];
        if node.start == node.end || !found.wants(away, node.least) {
            return;
        }
        if at >= self.first_leaf {
            for (point, position) in &self.points[node.start as usize..node.end as usize] {
                if *position != found.skip {
                    found.offer(squared(&found.own, point), *position);
                }
            }
            return;
        }
        let children = [2 * at + 1, 2 * at + 2];
        let [left, right] = children.map(|child| self.away(child, &found.own));
        let mut order = [(children[0], left), (children[1], right)];
        if (right, self.nodes[children[1]].least) < (left, self.nodes[children[0]].least) {
            order.swap(0, 1);
        }
        for (child, away) in order {
            self.visit(child, away, found);
        }
    }

    /// Squared distance to the box of a node: never more, rounded, than that to a point in it.
    fn away(&self, at: usize, own: &[f32; D]) -> f32 {
        let node = &self.nodes[at];
        let sides = own.iter().zip(node.low.iter().zip(&node.high));
        sides
            .map(|(own, (low, high))| {
                let outside = (low - own).max(own - high).max(0.0);
                outside * outside
            })
            .sum()
    }
}

/// Measures the points of a node and parts them at the middle of their longer side.
fn split<const D: usize>(points: &mut [([f32; D], u32)], start: usize) -> Node<D> {
    let (mut low, mut high, mut least) = ([f32::INFINITY; D], [f32::NEG_INFINITY; D], NONE);
    for (point, position) in points.iter() {
        for axis in 0..D {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
        least = least.min(*position);
    }
    let side = |axis: &usize| high[*axis] - low[*axis];
    let longest = (0..D).reduce(|best, axis| if side(&axis) > side(&best) { axis } else { best }).unwrap_or(0);
    if points.len() > 1 {
        points.select_nth_unstable_by(points.len() / 2, |(a, p), (b, q)| {
            a[longest].total_cmp(&b[longest]).then(p.cmp(q))
        });
    }
    Node { start: start as u32, end: (start + points.len()) as u32, low, high, least }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    fn by_sorting<const D: usize>(points: &[[f32; D]], own: usize, k: usize) -> Vec<u32> {
        let finite = |at: &usize| points[*at].iter().all(|value| value.is_finite());
        let mut all: Vec<(f32, u32)> = (0..points.len())
            .filter(|at| *at != own && finite(at) && finite(&own))
            .map(|at| (squared(&points[own], &points[at]), at as u32))
            .collect();
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        all.iter().take(k).map(|&(_, position)| position).collect()
    }

    fn check<const D: usize>(points: &[[f32; D]], k: usize) {
        let tree = PlaneTree::new(points);
        let all = tree.all(k, &Progress::new()).unwrap();
        for own in 0..points.len() {
            let expected = by_sorting(points, own, k);
            assert_eq!(tree.nearest(own, k), expected);
            assert_eq!(all.of(own), expected);
        }
    }

    #[test]
    fn neighbours_are_those_of_a_full_sort() {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(3);
        for count in [0, 1, 2, 12, 13, 700] {
            check(&(0..count).map(|_| [random.random::<f32>(), random.random()]).collect::<Vec<_>>(), 10);
            check(&(0..count).map(|_| [random.random_range(0..5) as f32; 3]).collect::<Vec<_>>(), 7);
            let clumps = |_| [random.random_range(0..3) as f32 * 1e6, random.random::<f32>().powi(9)];
            check(&(0..count).map(clumps).collect::<Vec<_>>(), 15);
        }
    }

    #[test]
    fn equal_and_broken_points_are_no_trouble() {
        let mut points = vec![[1.0f32, 2.0]; 500];
        (points[3], points[40]) = ([f32::NAN, 0.0], [0.0, f32::INFINITY]);
        check(&points, 5);
        let many = PlaneTree::new(&vec![[0.0f32; 2]; 100_000]);
        let all = many.all(10, &Progress::new()).unwrap();
        assert_eq!(all.of(99_999), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(many.nearest_to([f32::NAN; 2], 3).is_empty() && many.nearest(200_000, 3).is_empty());
        assert_eq!(PlaneTree::new(&[[0.0f32; 2], [f32::NAN; 2]]).all(3, &Progress::new()).unwrap().k(), 0);
    }
}
