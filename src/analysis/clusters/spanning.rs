//! The minimum spanning tree of all points by mutual reachability, exactly: Borůvka's rounds over two walks of one tree
//! (March, Ram and Gray 2010; `McInnes` and Healy 2017).
//!
//! Each round finds every component's shortest edge to another component. Whole pairs of boxes are passed over where both lie in
//! one component, or where they are farther apart than the shortest edge known. Invariant: equal edges are ordered (see [`Edge`]) and
//! only strictly longer ones are passed over, so the tree is the same at any number of threads.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rayon::prelude::*;

use super::kdtree::{Nearest, Tree, squared};
use super::merges::{Edge, Forest};
use crate::progress::{Cancelled, Progress};

/// A node whose items are in more than one component.
const MIXED: u32 = u32::MAX;
/// No partner.
const NONE: u32 = u32::MAX;
/// Tasks of one round.
const TASK_LEVEL: u32 = 9;
/// Edges joined between two looks at whether to go on.
const SOME: usize = 1 << 16;

/// Edges of the tree, one less than the points; lengths are squared, ends are rows.
pub(super) fn spanning_tree<const D: usize>(
    tree: &Tree<D>,
    nearest: &Nearest,
    progress: &Progress,
) -> Result<Vec<Edge>, Cancelled> {
    let count = tree.items.len();
    let mut forest = Forest::new(count);
    let doubles = doubles(tree, nearest);
    progress.check()?;
    let awake = Awake::new(tree, &doubles);
    let mut edges = first_edges(tree, nearest, &doubles);
    let mut chosen = Vec::with_capacity(count.saturating_sub(1));
    let node_reach = smallest_reach(tree, nearest);
    let mut inside = vec![false; count];
    loop {
        progress.check()?;
        edges.par_sort_unstable_by(Candidate::order);
        for some in edges.chunks(SOME) {
            progress.check()?;
            let joined = some.iter().filter(|edge| forest.join(edge.from, edge.to));
            chosen.extend(joined.map(Candidate::named));
        }
        if chosen.len() + 1 >= count {
            return Ok(chosen);
        }
        progress.check()?;
        let (component, components) = forest.components();
        progress.check()?;
        let known = Known { tree, nearest, node_reach: &node_reach, awake: &awake };
        let round = Round::new(known, &component, components, &mut inside);
        progress.check()?;
        round.walk(progress)?;
        edges = round.shortest(components);
    }
}

/// An edge between two positions of the tree.
#[derive(Clone, Copy)]
struct Candidate {
    length: f64,
    apart: f64,
    low_row: u32,
    high_row: u32,
    from: u32,
    to: u32,
}

impl Candidate {
    fn new<const D: usize>(tree: &Tree<D>, length: f64, from: usize, to: usize) -> Self {
        let (a, b) = (&tree.items[from], &tree.items[to]);
        let apart = squared(&a.at, &b.at);
        let (a, b) = (a.row, b.row);
        Self { length, apart, low_row: a.min(b), high_row: a.max(b), from: from as u32, to: to as u32 }
    }

    fn order(a: &Self, b: &Self) -> std::cmp::Ordering {
        Edge::order(&a.named(), &b.named())
    }

    fn named(&self) -> Edge {
        Edge { length: self.length, apart: self.apart, a: self.low_row, b: self.high_row }
    }
}

/// Items that share their place with one of a lower row, each with the lowest there.
fn doubles<const D: usize>(tree: &Tree<D>, nearest: &Nearest) -> Vec<(usize, usize)> {
    let at = |position: u32| &tree.items[position as usize].at;
    let mut shared: Vec<u32> = (0..tree.items.len() as u32)
        .filter(|&position| nearest.of(position as usize).first().is_some_and(|&other| at(other) == at(position)))
        .collect();
    let row = |position: u32| tree.items[position as usize].row;
    shared.sort_unstable_by(|&a, &b| {
        at(a).partial_cmp(at(b)).unwrap_or(std::cmp::Ordering::Equal).then(row(a).cmp(&row(b)))
    });
    let same = shared.chunk_by(|&a, &b| at(a) == at(b));
    same.flat_map(|same| same[1..].iter().map(|&other| (same[0] as usize, other as usize))).collect()
}

/// The edges known without a walk: from every item to its nearest neighbour that is as dense, and between items in one place;
/// nothing can be shorter than an item's own core distance.
fn first_edges<const D: usize>(tree: &Tree<D>, nearest: &Nearest, doubles: &[(usize, usize)]) -> Vec<Candidate> {
    let along = doubles.iter().map(|&(first, other)| Candidate::new(tree, nearest.reach[first], first, other));
    (0..tree.items.len())
        .filter_map(|position| {
            let own = nearest.reach[position];
            let other = nearest.of(position).iter().find(|&&other| nearest.reach[other as usize] <= own)?;
            Some(Candidate::new(tree, own, position, *other as usize))
        })
        .chain(along)
        .collect()
}

/// Whether an item is worth looking at: all but the doubles, which are joined beforehand and can do nothing that the first in their
/// place cannot.
struct Awake {
    items: Vec<bool>,
    nodes: Vec<bool>,
}

impl Awake {
    fn new<const D: usize>(tree: &Tree<D>, doubles: &[(usize, usize)]) -> Self {
        let mut items = vec![true; tree.items.len()];
        for &(_, other) in doubles {
            items[other] = false;
        }
        let mut nodes = vec![false; tree.ranges.len()];
        for node in (0..nodes.len()).rev() {
            nodes[node] = if node >= tree.first_leaf {
                items[tree.range(node)].contains(&true)
            } else {
                nodes[2 * node + 1] || nodes[2 * node + 2]
            };
        }
        Self { items, nodes }
    }
}

/// The smallest squared core distance in every node.
fn smallest_reach<const D: usize>(tree: &Tree<D>, nearest: &Nearest) -> Vec<f64> {
    let mut smallest = vec![f64::INFINITY; tree.ranges.len()];
    for node in (0..smallest.len()).rev() {
        smallest[node] = if node >= tree.first_leaf {
            nearest.reach[tree.range(node)].iter().copied().fold(f64::INFINITY, f64::min)
        } else {
            smallest[2 * node + 1].min(smallest[2 * node + 2])
        };
    }
    smallest
}

/// What stays the same from round to round.
#[derive(Clone, Copy)]
struct Known<'a, const D: usize> {
    tree: &'a Tree<D>,
    nearest: &'a Nearest,
    node_reach: &'a [f64],
    awake: &'a Awake,
}

/// One round of Borůvka.
///
/// The shortest length of a component is shared by all tasks, and may fall at any time; that only decides how much is passed over.
struct Round<'a, const D: usize> {
    tree: &'a Tree<D>,
    reach: &'a [f64],
    node_reach: &'a [f64],
    awake: &'a Awake,
    component: &'a [u32],
    node_component: Vec<u32>,
    /// For mixed nodes: the greatest of the shortest lengths of their components (bits of an f64).
    node_bound: Vec<AtomicU64>,
    /// The shortest length known of every component (bits of an f64; lengths are not negative, so bits order as numbers).
    bound: Vec<AtomicU64>,
    /// The shortest edge found of every item; written by the one task that owns its leaf.
    length: Vec<AtomicU64>,
    partner: Vec<AtomicU32>,
}

fn read(cell: &AtomicU64) -> f64 {
    f64::from_bits(cell.load(Ordering::Relaxed))
}

fn write(cell: &AtomicU64, value: f64) {
    cell.store(value.to_bits(), Ordering::Relaxed);
}

impl<'a, const D: usize> Round<'a, D> {
    fn new(known: Known<'a, D>, component: &'a [u32], components: usize, inside: &mut [bool]) -> Self {
        let Known { tree, nearest, node_reach, awake } = known;
        let endless = || AtomicU64::new(f64::INFINITY.to_bits());
        let round = Self {
            tree,
            reach: &nearest.reach,
            node_reach,
            awake,
            component,
            node_component: node_components(tree, component),
            node_bound: (0..tree.ranges.len()).map(|_| endless()).collect(),
            bound: (0..components).map(|_| endless()).collect(),
            length: component.iter().map(|_| endless()).collect(),
            partner: component.iter().map(|_| AtomicU32::new(NONE)).collect(),
        };
        inside.par_iter_mut().enumerate().with_min_len(1024).for_each(|(position, inside)| {
            if !*inside {
                *inside = round.start_from_neighbours(position, nearest.of(position));
            }
        });
        for node in (0..tree.ranges.len()).rev() {
            round.refresh(node);
        }
        round
    }

    /// Offers the known neighbours that are in other components; says whether there are none.
    fn start_from_neighbours(&self, position: usize, near: &[u32]) -> bool {
        let own = self.component[position];
        let mut inside = true;
        for &other in near {
            let other = other as usize;
            if self.component[other] != own {
                inside = false;
                self.offer(position, other, self.reach[position].max(self.reach[other]));
            }
        }
        inside
    }

    #[inline]
    fn offer(&self, position: usize, other: usize, length: f64) {
        let known = read(&self.length[position]);
        if length > known {
            return;
        }
        if length == known {
            let old = self.partner[position].load(Ordering::Relaxed) as usize;
            let candidate = Candidate::new(self.tree, length, position, other);
            if old != NONE as usize
                && Candidate::order(&Candidate::new(self.tree, known, position, old), &candidate).is_le()
            {
                return;
            }
        }
        write(&self.length[position], length);
        self.partner[position].store(other as u32, Ordering::Relaxed);
        self.bound[self.component[position] as usize].fetch_min(length.to_bits(), Ordering::Relaxed);
    }

    /// Nothing longer than this helps any component of the node.
    #[inline]
    fn bound_of(&self, node: usize) -> f64 {
        match self.node_component[node] {
            MIXED => read(&self.node_bound[node]),
            component => read(&self.bound[component as usize]),
        }
    }

    fn refresh(&self, node: usize) {
        if self.node_component[node] != MIXED {
            return;
        }
        let bound = if node >= self.tree.first_leaf {
            let of = |position: usize| read(&self.bound[self.component[position] as usize]);
            self.tree.range(node).map(of).fold(0.0, f64::max)
        } else {
            self.bound_of(2 * node + 1).max(self.bound_of(2 * node + 2))
        };
        write(&self.node_bound[node], bound);
    }

    fn walk(&self, progress: &Progress) -> Result<(), Cancelled> {
        let level = TASK_LEVEL.min((self.tree.first_leaf + 1).ilog2());
        let first = (1usize << level) - 1;
        (first..2 * first + 1).into_par_iter().with_max_len(1).try_for_each(|node| {
            progress.check()?;
            self.visit(node, level, 0, 0);
            Ok(())
        })
    }

    /// Looks for edges from the items of `own` to those of `other`; both with their level in the tree.
    fn visit(&self, own: usize, own_level: u32, other: usize, other_level: u32) {
        if !self.awake.nodes[own] || !self.awake.nodes[other] {
            return;
        }
        let component = self.node_component[own];
        if component != MIXED && component == self.node_component[other] || self.gap(own, other) > self.bound_of(own) {
            return;
        }
        let (own_leaf, other_leaf) = (own >= self.tree.first_leaf, other >= self.tree.first_leaf);
        if own_leaf && other_leaf {
            self.compare(own, other);
        } else if own_leaf || other_level < own_level {
            self.visit_halves(own, own_level, other, other_level);
        } else {
            for half in [2 * own + 1, 2 * own + 2] {
                if other_leaf {
                    self.visit(half, own_level + 1, other, other_level);
                } else {
                    self.visit_halves(half, own_level + 1, other, other_level);
                }
            }
            self.refresh(own);
        }
    }

    fn visit_halves(&self, own: usize, own_level: u32, other: usize, other_level: u32) {
        let bounds = &self.tree.bounds;
        let mut halves = [2 * other + 1, 2 * other + 2];
        if bounds[own].squared_gap(&bounds[halves[1]]) < bounds[own].squared_gap(&bounds[halves[0]]) {
            halves.swap(0, 1);
        }
        for half in halves {
            self.visit(own, own_level, half, other_level + 1);
        }
    }

    /// No edge between the nodes is shorter.
    fn gap(&self, own: usize, other: usize) -> f64 {
        let boxes = self.tree.bounds[own].squared_gap(&self.tree.bounds[other]);
        boxes.max(self.node_reach[own]).max(self.node_reach[other])
    }

    fn compare(&self, own: usize, other: usize) {
        for position in self.tree.range(own) {
            let (item, component, reach) = (&self.tree.items[position], self.component[position], self.reach[position]);
            let bound = &self.bound[component as usize];
            let least = reach.max(self.node_reach[other]).max(self.tree.bounds[other].squared_gap_to(&item.at));
            if !self.awake.items[position] || component == self.node_component[other] || least > read(bound) {
                continue;
            }
            for at in self.tree.range(other) {
                let length = squared(&item.at, &self.tree.items[at].at).max(reach).max(self.reach[at]);
                if self.component[at] != component && self.awake.items[at] && length <= read(bound) {
                    self.offer(position, at, length);
                }
            }
        }
        self.refresh(own);
    }

    /// Every component's shortest edge.
    fn shortest(&self, components: usize) -> Vec<Candidate> {
        let mut best: Vec<Option<Candidate>> = vec![None; components];
        for (position, &component) in self.component.iter().enumerate() {
            let length = read(&self.length[position]);
            if length > read(&self.bound[component as usize]) {
                continue;
            }
            let partner = self.partner[position].load(Ordering::Relaxed);
            if partner == NONE {
                continue;
            }
            let candidate = Candidate::new(self.tree, length, position, partner as usize);
            let best = &mut best[component as usize];
            if best.is_none_or(|best| Candidate::order(&candidate, &best).is_lt()) {
                *best = Some(candidate);
            }
        }
        best.into_iter().flatten().collect()
    }
}

fn node_components<const D: usize>(tree: &Tree<D>, component: &[u32]) -> Vec<u32> {
    let mut of_node = vec![MIXED; tree.ranges.len()];
    for node in (0..of_node.len()).rev() {
        of_node[node] = if node >= tree.first_leaf {
            let own = &component[tree.range(node)];
            own.first().copied().filter(|first| own.iter().all(|other| other == first)).unwrap_or(MIXED)
        } else if of_node[2 * node + 1] == of_node[2 * node + 2] {
            of_node[2 * node + 1]
        } else {
            MIXED
        };
    }
    of_node
}
