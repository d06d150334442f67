//! How much every row belongs to which clusters.
//!
//! By distance to what stands for a cluster: its surest rows, as in hdbscan's distance membership (its outlier membership and
//! condensed-tree heights are left out, so figures are not its own), or its mean. Invariant: a row's shares of all clusters sum to 1.

use rayon::prelude::*;

use crate::progress::{Cancelled, Progress};
use crate::vectors::{Vectors, squared_distance};

/// Most rows that stand for a cluster, and most multiplications for the distances to them: part of a second. Of very many rows and clusters
/// fewer stand for each.
const EXEMPLARS: usize = 16;
const WORK: f64 = 4e9;
/// Clusters that are listed of a row.
pub const LISTED: usize = 3;

/// The likeliest clusters of a row with their shares, 0 to 1, the likeliest first; where there are fewer, the rest are −1 with nothing.
pub type Likeliest = [(i32, f32); LISTED];

/// What stands for each cluster.
#[derive(Clone, Debug)]
pub struct Exemplars<'a> {
    of: Vec<Vec<&'a [f32]>>,
}

impl<'a> Exemplars<'a> {
    /// The 16 surest rows of each cluster by its labels, ties by row; of many equally sure ones, some from all over. `vectors` are those
    /// the clusters were found of, or their layout, with a label and a sureness each.
    pub fn surest(vectors: &'a Vectors, labels: &[i32], sureness: &[f32]) -> Self {
        let count = labels.iter().max().map_or(0, |&most| (most + 1).max(0) as usize);
        let fewer = WORK / (vectors.len().max(1) as f64 * vectors.dim() as f64 * count.max(1) as f64);
        let most = EXEMPLARS.min(fewer as usize).max(1);
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (row, &label) in labels.iter().enumerate().take(vectors.len()) {
            if let Some(members) = usize::try_from(label).ok().and_then(|label| members.get_mut(label)) {
                members.push(row);
            }
        }
        for members in &mut members {
            members.sort_by(|&a, &b| sureness[b].total_cmp(&sureness[a]).then(a.cmp(&b)));
            let top = members.iter().take_while(|&&row| sureness[row] >= sureness[members[0]]).count();
            if top > most {
                *members = (0..most).map(|at| members[at * top / most]).collect();
            }
            members.truncate(most);
        }
        Self { of: members.iter().map(|rows| rows.iter().map(|&row| vectors.row(row)).collect()).collect() }
    }

    /// The means, `dim` values each.
    pub fn means(means: &'a [f32], dim: usize) -> Self {
        Self { of: means.chunks_exact(dim.max(1)).map(|mean| vec![mean]).collect() }
    }

    /// The shares of all clusters for one row, by the inverse squared distance to the nearest of what stands for each; all 0 for a
    /// broken row.
    fn weigh(&self, own: &[f32], shares: &mut [f32]) {
        for (share, exemplars) in shares.iter_mut().zip(&self.of) {
            let near = exemplars.iter().map(|other| match own.len() {
                // On a map the call would cost more than the work.
                ..4 => own.iter().zip(*other).map(|(a, b)| (a - b) * (a - b)).sum::<f32>(),
                _ => squared_distance(own, other),
            });
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
}

/// How much rows belong to clusters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memberships {
    /// The likeliest clusters of each row.
    pub likeliest: Vec<Likeliest>,
    /// The share of the cluster each row is in by its label; 0 for rows in none.
    pub own: Vec<f32>,
}

/// Weighs the clusters for every row, by Euclidean distance. Counts rows in the stage "Weighing clusters".
pub fn memberships(
    vectors: &Vectors,
    labels: &[i32],
    exemplars: &Exemplars<'_>,
    progress: &Progress,
) -> Result<Memberships, Cancelled> {
    const BLOCK: usize = 256;
    progress.stage("Weighing clusters", "items", vectors.len() as u64);
    let rows = vectors.len().min(labels.len());
    let mut found = Memberships { likeliest: vec![[(-1, 0.0); LISTED]; rows], own: vec![0.0; rows] };
    let blocks = found.likeliest.par_chunks_mut(BLOCK).zip(found.own.par_chunks_mut(BLOCK)).enumerate();
    blocks.try_for_each(|(block, (likeliest, own))| {
        progress.check()?;
        let mut shares = vec![0.0; exemplars.of.len()];
        for (at, (likeliest, own)) in likeliest.iter_mut().zip(own.iter_mut()).enumerate() {
            let row = block * BLOCK + at;
            exemplars.weigh(vectors.row(row), &mut shares);
            *own = usize::try_from(labels[row]).ok().and_then(|label| shares.get(label)).copied().unwrap_or(0.0);
            list(&shares, likeliest);
        }
        progress.advance(own.len() as u64);
        Ok(())
    })?;
    Ok(found)
}

/// The greatest shares, ties by cluster.
fn list(shares: &[f32], likeliest: &mut Likeliest) {
    for (cluster, &share) in (0i32..).zip(shares).filter(|(_, share)| **share > 0.0) {
        let place = likeliest.iter().position(|&(_, other)| share > other);
        if let Some(place) = place {
            likeliest[place..].rotate_right(1);
            likeliest[place] = (cluster, share);
        }
    }
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
        let exemplars = Exemplars::surest(&vectors, &clusters.labels, &clusters.probabilities);
        let soft = memberships(&vectors, &clusters.labels, &exemplars, &Progress::new()).unwrap();
        for row in 0..120 {
            assert_eq!(soft.likeliest[row][0].0, clusters.labels[row]);
            assert!(soft.own[row] == 0.0 || soft.own[row] > 0.9, "{}", soft.own[row]);
        }
        let [(near, share), (far, rest), (none, nothing)] = soft.likeliest[120];
        assert_eq!((near, none, nothing), (clusters.labels[0], -1, 0.0));
        assert!(far == 1 - near && share > 0.5 && share < 0.9 && (share + rest - 1.0).abs() < 1e-6);
        assert_eq!(soft.likeliest[121], [(-1, 0.0); LISTED]);
        // Around means the shares are inverse to the squared distance.
        let means = Exemplars::means(&[0.0, 0.0, 30.0, 0.0, 0.0, 60.0], 2);
        let point = Vectors::new(vec![10.0, 0.0], 2).unwrap();
        let found = memberships(&point, &[0], &means, &Progress::new()).unwrap();
        let weights = [1.0 / 100.0, 1.0 / 400.0, 1.0 / 3700.0f32];
        let sum: f32 = weights.iter().sum();
        for (place, (cluster, share)) in found.likeliest[0].into_iter().enumerate() {
            assert!(cluster == place as i32 && (share - weights[place] / sum).abs() < 1e-6);
        }
        assert!((found.own[0] - weights[0] / sum).abs() < 1e-6);
    }
}
