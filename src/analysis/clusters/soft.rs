//! How much every row belongs to every cluster.
//!
//! By distance to exemplars only: the surest rows of each cluster, as in hdbscan's distance membership (its outlier membership and
//! condensed-tree heights are left out, so figures are not its own). Invariant: a row's shares sum to 1.

use rayon::prelude::*;

use super::Clusters;
use crate::progress::{Cancelled, Progress};
use crate::vectors::{Vectors, squared_distance};

/// Most rows that stand for a cluster.
const EXEMPLARS: usize = 16;

/// Shares of all clusters for one row: how likely a row is of each, by the inverse squared distance to the nearest of the cluster's
/// 16 surest rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Membership {
    /// Clusters, so values a row.
    pub clusters: usize,
    /// A share a row and cluster, row after row, 0 to 1; all 0 for a broken row.
    pub shares: Vec<f32>,
}

impl Membership {
    /// Of all rows by Euclidean distance. `vectors` are those the clusters were found of, or their layout; a set of another length
    /// gives no shares. Memory: rows times clusters. Counts rows in the stage "Weighing clusters".
    pub fn of(vectors: &Vectors, clusters: &Clusters, progress: &Progress) -> Result<Self, Cancelled> {
        progress.stage("Weighing clusters", "items", vectors.len() as u64);
        let count = clusters.count();
        if count == 0 || vectors.len() != clusters.labels.len() {
            return Ok(Self::default());
        }
        let exemplars = exemplars(clusters);
        let mut shares = vec![0.0; vectors.len() * count];
        shares.par_chunks_mut(256 * count).enumerate().try_for_each(|(block, shares)| {
            progress.check()?;
            for (at, shares) in shares.chunks_mut(count).enumerate() {
                weigh(vectors, block * 256 + at, &exemplars, shares);
            }
            progress.advance((shares.len() / count) as u64);
            Ok(())
        })?;
        Ok(Self { clusters: count, shares })
    }

    /// The likeliest cluster of a row and its share; `None` for a broken row or without clusters.
    pub fn likeliest(&self, row: usize) -> Option<(usize, f32)> {
        let shares = self.shares.get(row * self.clusters..(row + 1) * self.clusters)?;
        let best = shares.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))?;
        (best.1 > 0.0).then_some(best)
    }
}

/// The surest rows of each cluster, ties by row.
pub(super) fn exemplars(clusters: &Clusters) -> Vec<Vec<usize>> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); clusters.count()];
    for (row, &label) in clusters.labels.iter().enumerate() {
        if let Some(members) = usize::try_from(label).ok().and_then(|label| members.get_mut(label)) {
            members.push(row);
        }
    }
    for members in &mut members {
        let sure = &clusters.probabilities;
        members.sort_by(|&a, &b| sure[b].total_cmp(&sure[a]).then(a.cmp(&b)));
        // Equally sure rows may be many: take them from all over.
        let top = members.iter().take_while(|&&row| sure[row] >= sure[members[0]]).count();
        if top > EXEMPLARS {
            *members = (0..EXEMPLARS).map(|at| members[at * top / EXEMPLARS]).collect();
        }
        members.truncate(EXEMPLARS);
    }
    members
}

fn weigh(vectors: &Vectors, row: usize, exemplars: &[Vec<usize>], shares: &mut [f32]) {
    let own = vectors.row(row);
    for (share, exemplars) in shares.iter_mut().zip(exemplars) {
        let near = exemplars.iter().map(|&other| squared_distance(own, vectors.row(other)));
        *share = near.fold(f32::INFINITY, f32::min);
    }
    let nearest = shares.iter().copied().fold(f32::INFINITY, f32::min);
    if !nearest.is_finite() {
        shares.fill(0.0);
        return;
    }
    let closest = nearest.max(f32::MIN_POSITIVE);
    for share in shares.iter_mut() {
        *share = closest / share.max(closest);
    }
    let sum: f32 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= sum);
}

#[cfg(test)]
mod tests {
    use super::super::{ClusterParams, Hierarchy};
    use super::*;

    #[test]
    fn rows_belong_to_the_cluster_they_are_near() {
        let mut values: Vec<f32> = (0..60).flat_map(|i| [(i % 8) as f32, (i / 8) as f32]).collect();
        values.extend((0..60).flat_map(|i| [100.0 + (i % 8) as f32, (i / 8) as f32]));
        values.extend([40.0, 4.0, f32::NAN, 0.0]);
        let vectors = Vectors::new(values, 2).unwrap();
        let clusters = Hierarchy::of_vectors(&vectors, 5, &Progress::new()).unwrap().unwrap();
        let clusters = clusters.clusters(&ClusterParams::default());
        assert_eq!(clusters.count(), 2);
        let soft = Membership::of(&vectors, &clusters, &Progress::new()).unwrap();
        for row in 0..120 {
            assert_eq!(soft.likeliest(row).unwrap().0 as i32, clusters.labels[row]);
        }
        let (near, share) = soft.likeliest(120).unwrap();
        assert_eq!(near as i32, clusters.labels[0]);
        assert!(share > 0.5 && share < 0.9);
        assert_eq!(soft.likeliest(121), None);
    }
}
