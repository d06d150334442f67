//! A balanced tree over points of few dimensions, and the nearest neighbours of all of them.
//!
//! Halves the widest side of every box until at most [`LEAF`] points are left; nodes are numbered as in a heap, so there are no
//! pointers. Dimensions are padded with zeros to the next of 2, 4, 8 and 16, which changes no distance. Wants finite values.
//! Invariant: same points, same tree and same neighbours (ties by row, except among points in one place), at any number of threads.

use rayon::prelude::*;

use crate::progress::{Cancelled, Progress};

/// Most points of a leaf.
pub(super) const LEAF: usize = 16;
/// Points below which halves are not split in parallel.
const ALONE: usize = 4096;
/// Leaves whose neighbours one task looks for.
const LEAVES: usize = 32;

/// A point in the order of the tree.
#[derive(Clone, Copy)]
pub(super) struct Item<const D: usize> {
    pub at: [f64; D],
    /// Which input row it is.
    pub row: u32,
}

/// The box around the points of a node.
#[derive(Clone, Copy)]
pub(super) struct Bounds<const D: usize> {
    low: [f64; D],
    high: [f64; D],
}

impl<const D: usize> Bounds<D> {
    fn of(items: &[Item<D>]) -> Self {
        let mut bounds = Self { low: [f64::INFINITY; D], high: [f64::NEG_INFINITY; D] };
        for item in items {
            for axis in 0..D {
                bounds.low[axis] = bounds.low[axis].min(item.at[axis]);
                bounds.high[axis] = bounds.high[axis].max(item.at[axis]);
            }
        }
        bounds
    }

    fn with(&self, other: &Self) -> Self {
        let mut both = *self;
        for axis in 0..D {
            both.low[axis] = both.low[axis].min(other.low[axis]);
            both.high[axis] = both.high[axis].max(other.high[axis]);
        }
        both
    }

    fn widest(&self) -> usize {
        let side = |axis: usize| self.high[axis] - self.low[axis];
        (1..D).fold(0, |widest, axis| if side(axis) > side(widest) { axis } else { widest })
    }

    /// No point of one box is nearer to a point of the other than the root of this; rounding keeps that true, because every step
    /// is the same as in [`squared`] and rounds in order.
    pub fn squared_gap(&self, other: &Self) -> f64 {
        let gap = |axis: usize| (self.low[axis] - other.high[axis]).max(other.low[axis] - self.high[axis]).max(0.0);
        (0..D).fold(0.0, |sum, axis| sum + gap(axis) * gap(axis))
    }

    /// The same for one point.
    pub fn squared_gap_to(&self, at: &[f64; D]) -> f64 {
        let gap = |axis: usize| (self.low[axis] - at[axis]).max(at[axis] - self.high[axis]).max(0.0);
        (0..D).fold(0.0, |sum, axis| sum + gap(axis) * gap(axis))
    }
}

/// Squared distance of two points.
#[inline]
pub(super) fn squared<const D: usize>(a: &[f64; D], b: &[f64; D]) -> f64 {
    (0..D).fold(0.0, |sum, axis| sum + (a[axis] - b[axis]) * (a[axis] - b[axis]))
}

/// The tree.
pub(super) struct Tree<const D: usize> {
    /// Points, leaf after leaf.
    pub items: Vec<Item<D>>,
    /// The box of every node; children of node `i` are `2 i + 1` and `2 i + 2`.
    pub bounds: Vec<Bounds<D>>,
    /// First and past-the-last item of every node.
    pub ranges: Vec<(u32, u32)>,
    /// The first node that is a leaf; all after it are.
    pub first_leaf: usize,
}

impl<const D: usize> Tree<D> {
    /// Builds the tree.
    pub fn new(mut items: Vec<Item<D>>, progress: &Progress) -> Result<Self, Cancelled> {
        let mut levels = 0;
        while items.len().div_ceil(1 << levels) > LEAF {
            levels += 1;
        }
        halve(&mut items, levels, progress);
        progress.check()?;
        let first_leaf = (1usize << levels) - 1;
        let mut ranges = vec![(0, items.len() as u32)];
        for node in 0..first_leaf {
            let (start, end) = ranges[node];
            let middle = start + (end - start) / 2;
            ranges.push((start, middle));
            ranges.push((middle, end));
        }
        let leaves: Vec<Bounds<D>> = ranges[first_leaf..]
            .par_iter()
            .with_min_len(64)
            .map(|&(start, end)| Bounds::of(&items[start as usize..end as usize]))
            .collect();
        let mut bounds = vec![Bounds::of(&[]); first_leaf];
        bounds.extend(leaves);
        for node in (0..first_leaf).rev() {
            bounds[node] = bounds[2 * node + 1].with(&bounds[2 * node + 2]);
        }
        Ok(Self { items, bounds, ranges, first_leaf })
    }

    /// Items of a node, as positions.
    pub fn range(&self, node: usize) -> std::ops::Range<usize> {
        let (start, end) = self.ranges[node];
        start as usize..end as usize
    }

    /// The `k` nearest other items of every item; `k` must be less than the items.
    pub fn nearest(&self, k: usize, progress: &Progress) -> Result<Nearest, Cancelled> {
        let leaves: Vec<usize> = (self.first_leaf..self.ranges.len()).collect();
        let blocks: Vec<(Vec<u32>, Vec<f64>)> = leaves
            .par_chunks(LEAVES)
            .with_max_len(1)
            .map(|leaves| {
                progress.check()?;
                let (mut near, mut reach) = (Vec::new(), Vec::new());
                let mut best = Shortlist::new(k);
                for &leaf in leaves {
                    for position in self.range(leaf) {
                        best.clear();
                        self.offer_leaf(leaf, position, &mut best);
                        self.descend(0, leaf, position, &mut best);
                        near.extend(best.found.iter().map(|found| found.2));
                        reach.push(best.worst());
                    }
                }
                progress.advance(reach.len() as u64);
                Ok((near, reach))
            })
            .collect::<Result<_, Cancelled>>()?;
        progress.check()?;
        let mut all = Nearest { k, near: Vec::with_capacity(self.items.len() * k), reach: Vec::new() };
        for (near, reach) in blocks {
            all.near.extend(near);
            all.reach.extend(reach);
        }
        Ok(all)
    }

    fn offer_leaf(&self, leaf: usize, position: usize, best: &mut Shortlist) {
        let at = self.items[position].at;
        for other in self.range(leaf) {
            let item = &self.items[other];
            let distance = squared(&at, &item.at);
            if distance <= best.worst() && other != position {
                best.offer((distance, item.row, other as u32));
            }
        }
    }

    /// Looks through `node`, leaving out the leaf that was looked at before.
    fn descend(&self, node: usize, done: usize, position: usize, best: &mut Shortlist) {
        if node >= self.first_leaf {
            if node != done {
                self.offer_leaf(node, position, best);
            }
            return;
        }
        let at = &self.items[position].at;
        let (left, right) = (2 * node + 1, 2 * node + 2);
        let (near, far) = (self.bounds[left].squared_gap_to(at), self.bounds[right].squared_gap_to(at));
        let mut order = [(near, left), (far, right)];
        if far < near {
            order.swap(0, 1);
        }
        for (gap, child) in order {
            // A full list of equal points is good enough: thousands of them need not be looked through.
            if gap <= best.worst() && best.worst() > 0.0 {
                self.descend(child, done, position, best);
            }
        }
    }
}

/// Puts the lower half along the widest side first, and so on within the halves; leaves off once cancelled.
fn halve<const D: usize>(items: &mut [Item<D>], levels: usize, progress: &Progress) {
    if levels == 0 || items.is_empty() || (items.len() >= ALONE && progress.is_cancelled()) {
        return;
    }
    let axis = Bounds::of(items).widest();
    let middle = items.len() / 2;
    items.select_nth_unstable_by(middle, |a, b| a.at[axis].total_cmp(&b.at[axis]).then(a.row.cmp(&b.row)));
    let alone = items.len() < ALONE;
    let (low, high) = items.split_at_mut(middle);
    if alone {
        halve(low, levels - 1, progress);
        halve(high, levels - 1, progress);
    } else {
        rayon::join(|| halve(low, levels - 1, progress), || halve(high, levels - 1, progress));
    }
}

/// The nearest items of all items, in the order of the tree.
pub(super) struct Nearest {
    /// Neighbours an item.
    pub k: usize,
    /// Their positions in the tree, nearest first.
    pub near: Vec<u32>,
    /// Squared distance of the last of them: the squared core distance.
    pub reach: Vec<f64>,
}

impl Nearest {
    /// Neighbours of one item.
    pub fn of(&self, position: usize) -> &[u32] {
        &self.near[position * self.k..(position + 1) * self.k]
    }
}

/// The best found so far: squared distance, row, position.
struct Shortlist {
    found: Vec<(f64, u32, u32)>,
    k: usize,
}

impl Shortlist {
    fn new(k: usize) -> Self {
        Self { found: Vec::with_capacity(k + 1), k }
    }

    fn clear(&mut self) {
        self.found.clear();
    }

    #[inline]
    fn worst(&self) -> f64 {
        if self.found.len() < self.k { f64::INFINITY } else { self.found[self.k - 1].0 }
    }

    fn offer(&mut self, new: (f64, u32, u32)) {
        let mut at = self.found.len();
        self.found.push(new);
        while at > 0 && (new.0, new.1) < (self.found[at - 1].0, self.found[at - 1].1) {
            self.found[at] = self.found[at - 1];
            at -= 1;
        }
        self.found[at] = new;
        self.found.truncate(self.k);
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    fn items<const D: usize>(rows: usize, steps: u32) -> Vec<Item<D>> {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(3);
        (0..rows as u32)
            .map(|row| Item { at: std::array::from_fn(|_| f64::from(random.random_range(0..steps))), row })
            .collect()
    }

    fn check<const D: usize>(rows: usize, steps: u32, k: usize) {
        let tree = Tree::new(items::<D>(rows, steps), &Progress::new()).unwrap();
        let nearest = tree.nearest(k, &Progress::new()).unwrap();
        for (position, item) in tree.items.iter().enumerate().step_by(7) {
            let mut all: Vec<(f64, u32)> = tree
                .items
                .iter()
                .filter(|other| other.row != item.row)
                .map(|other| (squared(&item.at, &other.at), other.row))
                .collect();
            all.sort_by(|a, b| a.partial_cmp(b).unwrap());
            let found: Vec<u32> = nearest.of(position).iter().map(|&p| tree.items[p as usize].row).collect();
            assert_eq!(found, all[..k].iter().map(|x| x.1).collect::<Vec<_>>());
            assert_eq!(nearest.reach[position], all[k - 1].0);
        }
    }

    #[test]
    fn neighbours_are_those_of_a_full_sort_ties_by_row() {
        check::<2>(1000, 1_000_000, 10);
        check::<2>(1000, 6, 40);
        check::<4>(500, 20, 7);
        check::<16>(300, 9, 3);
        check::<2>(2, 1, 1);
    }
}
