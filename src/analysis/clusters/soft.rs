//! How much a row belongs to which clusters.
//!
//! By distance to what stands for a cluster: its surest rows, as in hdbscan's distance membership (its outlier membership and
//! condensed-tree heights are left out, so figures are not its own), or its mean. Found for a row when it is asked for: of many clusters
//! and rows it takes longer than the clusters themselves. Invariant: a row's shares of all clusters sum to 1.

use rayon::prelude::*;

use crate::progress::{Cancelled, Progress};
use crate::vectors::squared_distance;

/// Most rows that stand for a cluster.
const EXEMPLARS: usize = 16;
/// Clusters that are listed of a row.
pub const LISTED: usize = 3;

/// The likeliest clusters of a row with their shares, 0 to 1, the likeliest first; where there are fewer, the rest are −1 with nothing.
pub type Likeliest = [(i32, f32); LISTED];

/// A row's values by its position.
pub type RowOf<'a> = &'a (dyn Fn(usize) -> &'a [f32] + Sync);

/// What stands for each cluster.
#[derive(Clone, Debug, Default)]
pub struct Exemplars {
    values: Vec<f32>,
    dim: usize,
    /// Where the exemplars of each cluster end.
    ends: Vec<usize>,
}

impl Exemplars {
    /// The 16 surest rows of each cluster by its labels, ties by row; of many equally sure ones, some from all over. A label and a
    /// sureness a row.
    pub fn surest(row: RowOf<'_>, labels: &[i32], sureness: &[f32]) -> Self {
        let count = labels.iter().max().map_or(0, |&most| (most + 1).max(0) as usize);
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (at, &label) in labels.iter().enumerate() {
            if let Some(members) = usize::try_from(label).ok().and_then(|label| members.get_mut(label)) {
                members.push(at);
            }
        }
        members.iter_mut().for_each(|members| {
            members.sort_by(|&a, &b| sureness[b].total_cmp(&sureness[a]).then(a.cmp(&b)));
            let top = members.iter().take_while(|&&row| sureness[row] >= sureness[members[0]]).count();
            if top > EXEMPLARS {
                *members = (0..EXEMPLARS).map(|at| members[at * top / EXEMPLARS]).collect();
            }
            members.truncate(EXEMPLARS);
        });
        let mut found = Self::default();
        for members in members {
            for at in members {
                found.dim = row(at).len();
                found.values.extend_from_slice(row(at));
            }
            found.ends.push(found.values.len());
        }
        found
    }

    /// The means, `dim` values each.
    pub fn means(means: Vec<f32>, dim: usize) -> Self {
        let ends = (1..=means.len().checked_div(dim).unwrap_or(0)).map(|nth| nth * dim).collect();
        Self { values: means, dim, ends }
    }

    /// The shares of all clusters for one row, by the inverse squared distance to the nearest of what stands for each; all 0 for a
    /// broken row.
    fn weigh(&self, own: &[f32], shares: &mut Vec<f32>) {
        shares.clear();
        let mut start = 0;
        for &end in &self.ends {
            let near = self.values[start..end].chunks_exact(self.dim.max(1)).map(|other| match own.len() {
                // On a map the call would cost more than the work.
                ..4 => own.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum::<f32>(),
                _ => squared_distance(own, other),
            });
            shares.push(near.fold(f32::INFINITY, f32::min));
            start = end;
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

    /// The likeliest clusters of a row, ties by cluster.
    pub fn likeliest(&self, own: &[f32]) -> Likeliest {
        let mut shares = Vec::with_capacity(self.ends.len());
        self.weigh(own, &mut shares);
        let mut likeliest = [(-1, 0.0); LISTED];
        for (cluster, &share) in (0i32..).zip(&shares).filter(|(_, share)| **share > 0.0) {
            if let Some(place) = likeliest.iter().position(|&(_, other)| share > other) {
                likeliest[place..].rotate_right(1);
                likeliest[place] = (cluster, share);
            }
        }
        likeliest
    }

    /// Of every row, the share of the cluster it is in by its label; 0 for rows in none. Counts rows in the stage "Weighing clusters".
    pub fn own_shares(&self, row: RowOf<'_>, labels: &[i32], progress: &Progress) -> Result<Vec<f32>, Cancelled> {
        const BLOCK: usize = 256;
        progress.stage("Weighing clusters", "items", labels.len() as u64);
        let mut own = vec![0.0; labels.len()];
        own.par_chunks_mut(BLOCK).zip(labels.par_chunks(BLOCK)).enumerate().try_for_each(
            |(block, (own, labels))| {
                progress.check()?;
                let mut shares = Vec::new();
                for (at, (own, &label)) in own.iter_mut().zip(labels).enumerate() {
                    let Ok(label) = usize::try_from(label) else { continue };
                    self.weigh(row(block * BLOCK + at), &mut shares);
                    *own = shares.get(label).copied().unwrap_or(0.0);
                }
                progress.advance(own.len() as u64);
                Ok(())
            },
        )?;
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ClusterParams, Hierarchy};
    use super::*;
    use crate::vectors::Vectors;

    #[test]
    fn rows_belong_to_the_cluster_they_are_near() {
        let mut values: Vec<f32> = (0..60).flat_map(|i| [(i % 8) as f32, (i / 8) as f32]).collect();
        values.extend((0..60).flat_map(|i| [100.0 + (i % 8) as f32, (i / 8) as f32]));
        values.extend([40.0, 4.0, f32::NAN, 0.0]);
        let vectors = Vectors::new(values, 2).unwrap();
        let clusters = Hierarchy::of_vectors(&vectors, 5, &Progress::new()).unwrap().unwrap();
        let clusters = clusters.clusters(&ClusterParams::default());
        assert_eq!(clusters.count(), 2);
        let row = |at: usize| vectors.row(at);
        let soft = Exemplars::surest(&row, &clusters.labels, &clusters.probabilities);
        let own = soft.own_shares(&row, &clusters.labels, &Progress::new()).unwrap();
        for (at, share) in own.iter().enumerate().take(120) {
            assert_eq!(soft.likeliest(row(at))[0].0, clusters.labels[at]);
            assert!(*share > 0.9, "{share}");
        }
        let [(near, share), (far, rest), (none, nothing)] = soft.likeliest(row(120));
        assert_eq!((near, none, nothing), (clusters.labels[0], -1, 0.0));
        assert!(far == 1 - near && share > 0.5 && share < 0.9 && (share + rest - 1.0).abs() < 1e-6);
        assert_eq!(soft.likeliest(row(121)), [(-1, 0.0); LISTED]);
        assert_eq!(Exemplars::default().likeliest(row(0)), [(-1, 0.0); LISTED]);
    }

    #[test]
    fn around_means_shares_are_inverse_to_the_squared_distance() {
        let means = Exemplars::means(vec![0.0, 0.0, 30.0, 0.0, 0.0, 60.0], 2);
        let weights = [1.0 / 100.0, 1.0 / 400.0, 1.0 / 3700.0f32];
        let sum: f32 = weights.iter().sum();
        for (place, (cluster, share)) in means.likeliest(&[10.0, 0.0]).into_iter().enumerate() {
            assert!(cluster == place as i32 && (share - weights[place] / sum).abs() < 1e-6);
        }
        let own = means.own_shares(&|_| &[10.0, 0.0], &[1, -1], &Progress::new()).unwrap();
        assert!((own[0] - weights[1] / sum).abs() < 1e-6 && own[1] == 0.0);
    }
}
