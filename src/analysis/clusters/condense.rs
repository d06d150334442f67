//! The hierarchy without the splits in which a few points fall off: clusters of a least size, their births, deaths and stability.
//!
//! As hdbscan's condensed tree (Campello, Moulavi and Sander 2013; the runt pruning of Stuetzle 2003). Densities are
//! λ = 1 / distance. Invariant: a cluster's parent has a smaller number; the root is 0 and holds every sound row.

use super::Hierarchy;
use super::hierarchy::rows_below;

/// A cluster of the condensed tree.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The cluster it split from; the root's is 0.
    pub parent: u32,
    /// The two it split into.
    pub children: Option<[u32; 2]>,
    /// λ at which it split off; 0 for the root.
    pub birth: f64,
    /// The greatest λ at which anything left it.
    pub death: f64,
    /// Excess of mass: λ − birth, summed over its rows. Not NaN.
    pub stability: f64,
}

/// The condensed tree of a hierarchy.
#[derive(Clone, Debug)]
pub(super) struct Condensed {
    pub nodes: Vec<Node>,
    /// The cluster each sound row fell out of.
    pub home: Vec<u32>,
    /// The λ at which it did; infinite where many rows are in one place.
    pub lambda: Vec<f64>,
}

impl Condensed {
    /// Splits into less than `min_size` rows are no splits. Not all of it once `stop` says yes.
    pub fn unless(hierarchy: &Hierarchy, min_size: usize, stop: &dyn Fn() -> bool) -> Self {
        let rows = hierarchy.sound.len();
        let root = Node { parent: 0, children: None, birth: 0.0, death: 0.0, stability: 0.0 };
        let mut tree = Self { nodes: vec![root], home: vec![0; rows], lambda: vec![0.0; rows] };
        if rows < 2 {
            return tree;
        }
        let merges = &hierarchy.merges;
        let size = |node: u32| (node as usize).checked_sub(rows).map_or(1, |merge| merges[merge].size);
        let mut open = std::collections::VecDeque::from([((rows + merges.len() - 1) as u32, 0u32)]);
        let mut fallen = Vec::new();
        let mut turns = 0u32;
        while let Some((node, cluster)) = open.pop_front() {
            turns += 1;
            if turns.is_multiple_of(4096) && stop() {
                break;
            }
            let Some(merge) = (node as usize).checked_sub(rows).map(|merge| merges[merge]) else { continue };
            let lambda = if merge.distance > 0.0 { 1.0 / merge.distance } else { f64::INFINITY };
            let halves = [merge.left, merge.right];
            let large = halves.map(|half| size(half) as usize >= min_size);
            if large == [true, true] {
                let children = halves.map(|half| {
                    open.push_back((half, tree.nodes.len() as u32));
                    tree.leave(cluster, lambda, size(half));
                    tree.split_off(cluster, lambda)
                });
                tree.nodes[cluster as usize].children = Some(children);
                continue;
            }
            for (half, large) in halves.into_iter().zip(large) {
                if large {
                    open.push_back((half, cluster));
                    continue;
                }
                fallen.clear();
                rows_below(merges, rows, half, &mut fallen);
                for &row in &fallen {
                    tree.home[row as usize] = cluster;
                    tree.lambda[row as usize] = lambda;
                }
                tree.leave(cluster, lambda, fallen.len() as u32);
            }
        }
        tree
    }

    fn leave(&mut self, cluster: u32, lambda: f64, rows: u32) {
        let node = &mut self.nodes[cluster as usize];
        node.death = node.death.max(lambda);
        let stays = lambda - node.birth;
        // Where both are infinite all rows are in one place, and nothing more can be said of them.
        node.stability += if stays.is_nan() { 0.0 } else { stays * f64::from(rows) };
    }

    fn split_off(&mut self, parent: u32, birth: f64) -> u32 {
        self.nodes.push(Node { parent, children: None, birth, death: 0.0, stability: 0.0 });
        (self.nodes.len() - 1) as u32
    }

    /// How far each sound row lies out (GLOSH, Campello, Moulavi, Zimek and Sander 2015), 0 to 1: how much less dense it is than
    /// the densest place below the cluster it fell out of.
    pub fn outliers(&self) -> Vec<f32> {
        let mut death: Vec<f64> = self.nodes.iter().map(|node| node.death).collect();
        for node in (1..death.len()).rev() {
            let parent = self.nodes[node].parent as usize;
            death[parent] = death[parent].max(death[node]);
        }
        let score = |(&home, &lambda): (&u32, &f64)| {
            let greatest = death[home as usize];
            match greatest {
                _ if greatest == 0.0 || !lambda.is_finite() => 0.0,
                _ if greatest.is_infinite() => 1.0,
                _ => ((greatest - lambda) / greatest) as f32,
            }
        };
        self.home.iter().zip(&self.lambda).map(score).collect()
    }
}
