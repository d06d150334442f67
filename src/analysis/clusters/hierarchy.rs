//! The hierarchy of all density levels: which points hang together at which mutual reachability distance.
//!
//! Exact for points of few dimensions. Does not choose clusters. Invariant: merges hold every sound row once; rows
//! with NaN or infinities are in no cluster.

use super::condense::Condensed;
use super::kdtree::{Item, Tree};
use super::merges::{Edge, Merge, merges};
use super::select::{ClusterParams, Clusters, select};
use super::spanning::spanning_tree;
use crate::progress::{Cancelled, Progress};
use crate::vectors::Vectors;

/// Most dimensions for which [`Hierarchy::of_vectors`] is exact.
pub(super) const FEW_DIMENSIONS: usize = 16;

/// A single-linkage tree over mutual reachability distances.
#[derive(Clone, Debug)]
pub struct Hierarchy {
    /// Rows of the input, broken ones too.
    pub(super) rows: usize,
    /// The sound rows; merges count these.
    pub(super) sound: Vec<u32>,
    pub(super) merges: Vec<Merge>,
}

impl Hierarchy {
    /// Of points of a map of two or three dimensions, exactly.
    ///
    /// `min_samples`: the core distance of a point is the distance to that many-th other point (as in hdbscan); usual 5 to 15, at
    /// least 1; larger calls more points noise. Counts points in the stage "Finding clusters".
    pub fn of_points<const D: usize>(
        points: &[[f32; D]],
        min_samples: usize,
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        let values: Vec<&[f32]> = points.iter().map(<[f32; D]>::as_slice).collect();
        of_rows::<D>(&values, min_samples, progress)
    }

    /// Of rows of up to 16 dimensions, exactly, by Euclidean distance; slower the more dimensions.
    ///
    /// `None` for more dimensions: there the neighbour graph is the way. `min_samples` as for [`Hierarchy::of_points`].
    pub fn of_vectors(vectors: &Vectors, min_samples: usize, progress: &Progress) -> Result<Option<Self>, Cancelled> {
        let rows: Vec<&[f32]> = vectors.rows().collect();
        match vectors.dim() {
            0..=2 => of_rows::<2>(&rows, min_samples, progress).map(Some),
            3..=4 => of_rows::<4>(&rows, min_samples, progress).map(Some),
            5..=8 => of_rows::<8>(&rows, min_samples, progress).map(Some),
            9..=FEW_DIMENSIONS => of_rows::<16>(&rows, min_samples, progress).map(Some),
            _ => Ok(None),
        }
    }

    pub(super) fn of_edges(
        rows: usize,
        sound: Vec<u32>,
        mut edges: Vec<Edge>,
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        for edge in &mut edges {
            edge.length = edge.length.sqrt();
            edge.apart = edge.apart.sqrt();
        }
        let merges = merges(edges, sound.len(), progress)?;
        Ok(Self { rows, sound, merges })
    }

    /// Rows it was made of.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Chooses clusters; takes a few milliseconds for 100,000 rows.
    pub fn clusters(&self, params: &ClusterParams) -> Clusters {
        select(&Condensed::unless(self, params.min_size.max(2), &|| false), params, self)
    }

    /// As [`Hierarchy::clusters`], for a million rows, for which it takes most of a second.
    pub fn clusters_with(&self, params: &ClusterParams, progress: &Progress) -> Result<Clusters, Cancelled> {
        let tree = Condensed::unless(self, params.min_size.max(2), &|| progress.is_cancelled());
        progress.check()?;
        let clusters = select(&tree, params, self);
        progress.check().map(|()| clusters)
    }
}

fn of_rows<const D: usize>(rows: &[&[f32]], min_samples: usize, progress: &Progress) -> Result<Hierarchy, Cancelled> {
    progress.stage("Finding clusters", "points", rows.len() as u64);
    let sound: Vec<u32> = (0u32..)
        .zip(rows)
        .filter(|(_, row)| row.iter().all(|value| value.is_finite()))
        .map(|(number, _)| number)
        .collect();
    if sound.len() < 2 {
        return Ok(Hierarchy { rows: rows.len(), sound, merges: Vec::new() });
    }
    let items: Vec<Item<D>> = (0u32..)
        .zip(&sound)
        .map(|(row, &number)| {
            let mut at = [0.0; D];
            for (at, &value) in at.iter_mut().zip(rows[number as usize]) {
                *at = f64::from(value);
            }
            Item { at, row }
        })
        .collect();
    progress.check()?;
    let tree = Tree::new(items, progress)?;
    let nearest = tree.nearest(min_samples.clamp(1, sound.len() - 1), progress)?;
    let edges = spanning_tree(&tree, &nearest, progress)?;
    drop((tree, nearest));
    Hierarchy::of_edges(rows.len(), sound, edges, progress)
}

/// Positions of all rows below a node.
pub(super) fn rows_below(merges: &[Merge], rows: usize, node: u32, out: &mut Vec<u32>) {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match (node as usize).checked_sub(rows) {
            None => out.push(node),
            Some(merge) => open.extend([merges[merge].right, merges[merge].left]),
        }
    }
}
