//! Which clusters of the condensed tree are shown, and how surely each row belongs to its own.
//!
//! Excess of mass or leaves, as in hdbscan, with its least distance between clusters (Malzer and Baum 2020). The root is never a
//! cluster unless asked for. Invariant: chosen clusters never hold one another.

use super::Hierarchy;
use super::condense::Condensed;

/// How clusters are chosen from the hierarchy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// Those that last longest: few and stable ones, of any density.
    #[default]
    ExcessOfMass,
    /// Those that do not split: more and smaller ones of like size.
    Leaves,
}

/// What a cluster is.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterParams {
    /// Fewest rows of a cluster; default 15, usual 5 to 500, at least 2; larger finds fewer.
    pub min_size: usize,
    /// Which are chosen; default excess of mass.
    pub selection: Selection,
    /// Clusters nearer than this distance are not parted; default 0 (off); in the units of the input.
    pub epsilon: f64,
    /// Whether all rows may be one cluster; default no. Then only the densest of them belong to it, as in hdbscan.
    pub allow_single: bool,
}

impl Default for ClusterParams {
    fn default() -> Self {
        Self { min_size: 15, selection: Selection::ExcessOfMass, epsilon: 0.0, allow_single: false }
    }
}

/// The clusters of a set of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clusters {
    /// Each row's cluster, 0 the largest; −1 for noise and for broken rows.
    pub labels: Vec<i32>,
    /// How surely each row belongs to it, 0 to 1: its density as a share of the cluster's densest; 0 for noise.
    pub probabilities: Vec<f32>,
    /// How far each row lies out (GLOSH), 0 to 1; 1 for broken rows.
    pub outliers: Vec<f32>,
    /// Rows of each cluster.
    pub sizes: Vec<u32>,
    /// How long each lasts over all densities (its excess of mass for every row, as a share of the greatest density), 0 to 1.
    pub stabilities: Vec<f32>,
}

impl Clusters {
    /// How many clusters.
    pub fn count(&self) -> usize {
        self.sizes.len()
    }

    /// Share of rows in no cluster, 0 to 1.
    pub fn noise(&self) -> f32 {
        let noise = self.labels.iter().filter(|&&label| label < 0).count();
        noise as f32 / self.labels.len().max(1) as f32
    }
}

pub(super) fn select(tree: &Condensed, params: &ClusterParams, hierarchy: &Hierarchy) -> Clusters {
    let mut chosen = match params.selection {
        Selection::ExcessOfMass => by_mass(tree, params.allow_single),
        Selection::Leaves => leaves(tree, params.allow_single),
    };
    if params.epsilon > 0.0 {
        merge_near(tree, &mut chosen, params);
    }
    label(tree, &chosen, params, hierarchy)
}

/// From the leaves up: a cluster is chosen over all below it unless those have more excess of mass together.
fn by_mass(tree: &Condensed, allow_single: bool) -> Vec<bool> {
    let mut chosen = vec![true; tree.nodes.len()];
    let mut mass: Vec<f64> = tree.nodes.iter().map(|node| node.stability).collect();
    chosen[0] = allow_single;
    for node in (usize::from(!allow_single)..tree.nodes.len()).rev() {
        let Some(children) = tree.nodes[node].children else { continue };
        let below: f64 = children.iter().map(|&child| mass[child as usize]).sum();
        if below > mass[node] {
            chosen[node] = false;
            mass[node] = below;
        }
    }
    only_topmost(tree, &mut chosen);
    chosen
}

/// Unchooses whatever lies below a chosen cluster.
fn only_topmost(tree: &Condensed, chosen: &mut [bool]) {
    let mut covered = chosen.to_vec();
    for node in 1..tree.nodes.len() {
        let above = covered[tree.nodes[node].parent as usize];
        chosen[node] &= !above;
        covered[node] |= above;
    }
}

fn leaves(tree: &Condensed, allow_single: bool) -> Vec<bool> {
    let mut chosen: Vec<bool> = tree.nodes.iter().map(|node| node.children.is_none()).collect();
    chosen[0] &= allow_single;
    chosen
}

/// Replaces clusters born nearer than epsilon by the first ancestor born farther out.
fn merge_near(tree: &Condensed, chosen: &mut [bool], params: &ClusterParams) {
    if chosen[0] {
        return;
    }
    let distance = |node: usize| 1.0 / tree.nodes[node].birth;
    for node in 1..tree.nodes.len() {
        if !chosen[node] || distance(node) >= params.epsilon {
            continue;
        }
        let mut at = node;
        loop {
            let parent = tree.nodes[at].parent as usize;
            if parent == 0 {
                at = if params.allow_single { 0 } else { at };
                break;
            }
            at = parent;
            if distance(at) > params.epsilon {
                break;
            }
        }
        chosen[node] = false;
        chosen[at] = true;
    }
    only_topmost(tree, chosen);
}

/// Gives every row the chosen cluster that holds it, numbered by size.
fn label(tree: &Condensed, chosen: &[bool], params: &ClusterParams, hierarchy: &Hierarchy) -> Clusters {
    const NOBODY: u32 = u32::MAX;
    let mut owner = vec![NOBODY; tree.nodes.len()];
    for node in 0..tree.nodes.len() {
        owner[node] = if chosen[node] { node as u32 } else { owner[tree.nodes[node].parent as usize] };
    }
    let single = if params.epsilon > 0.0 { 1.0 / params.epsilon } else { tree.nodes[0].death };
    let belongs = |row: usize| {
        let owner = owner[tree.home[row] as usize];
        let loose = owner == 0 && tree.lambda[row] < single;
        if loose { NOBODY } else { owner }
    };
    let owners: Vec<u32> = (0..tree.home.len()).map(belongs).collect();
    let mut clusters: Vec<(u32, usize, u32)> = (0..tree.nodes.len() as u32).map(|node| (0, usize::MAX, node)).collect();
    for (row, &owner) in owners.iter().enumerate().filter(|(_, owner)| **owner != NOBODY) {
        let entry = &mut clusters[owner as usize];
        entry.0 += 1;
        entry.1 = entry.1.min(row);
    }
    clusters.retain(|&(size, _, _)| size > 0);
    clusters.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut number = vec![-1i32; tree.nodes.len()];
    for (at, &(_, _, node)) in clusters.iter().enumerate() {
        number[node as usize] = at as i32;
    }
    let greatest = tree.nodes.iter().map(|node| node.death).fold(0.0, f64::max);
    let lasting = |&(size, _, node): &(u32, usize, u32)| {
        let share = tree.nodes[node as usize].stability / (f64::from(size) * greatest);
        if share.is_finite() { share as f32 } else { 1.0 }
    };
    let mut found = Clusters {
        labels: vec![-1; hierarchy.rows],
        probabilities: vec![0.0; hierarchy.rows],
        outliers: vec![1.0; hierarchy.rows],
        sizes: clusters.iter().map(|&(size, _, _)| size).collect(),
        stabilities: clusters.iter().map(lasting).collect(),
    };
    let outliers = tree.outliers();
    for (at, &row) in hierarchy.sound.iter().enumerate() {
        let row = row as usize;
        found.outliers[row] = outliers[at];
        if owners[at] != NOBODY {
            found.labels[row] = number[owners[at] as usize];
            found.probabilities[row] = sureness(tree.lambda[at], tree.nodes[owners[at] as usize].death);
        }
    }
    found
}

fn sureness(lambda: f64, death: f64) -> f32 {
    if death == 0.0 || !lambda.is_finite() { 1.0 } else { (lambda.min(death) / death) as f32 }
}
