//! k-means: a given number of clusters around means.
//!
//! Seeded by k-means++ with several tries a step (Arthur and Vassilvitskii 2007), then Lloyd's rounds as blocks of products. Values
//! that are NaN or infinite count as their column's mean. Does not choose `k`. Invariant: same seed, same clusters, at any number of
//! threads; sums are in double precision, block by block.

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;

use crate::progress::{Cancelled, Progress};
use crate::vectors::products::{Centred, column_means_unless, products_into};
use crate::vectors::{Vectors, dot, squared_distance};

/// Rows of one task.
const ROWS: usize = 512;

/// How k-means runs.
#[derive(Clone, Debug, PartialEq)]
pub struct KMeansParams {
    /// Clusters; default 8, at least 1; at most one for each row is found.
    pub k: usize,
    /// Most rounds of a start; default 300; it ends before when nothing moves.
    pub rounds: usize,
    /// Starts, of which the best is kept; default 3; more find better means.
    pub starts: usize,
    /// It ends when the means move less than this share of the variance; default 0.0001; larger ends sooner.
    pub tolerance: f64,
    /// Seed of the starts; default 0.
    pub seed: u64,
}

impl Default for KMeansParams {
    fn default() -> Self {
        Self { k: 8, rounds: 300, starts: 3, tolerance: 1e-4, seed: 0 }
    }
}

/// Clusters around means.
#[derive(Clone, Debug, PartialEq)]
pub struct KMeans {
    /// Each row's cluster, 0 the largest.
    pub labels: Vec<i32>,
    /// The means, a row of `dim` values each.
    pub means: Vec<f32>,
    /// Rows of each cluster; some may be 0 where rows are equal.
    pub sizes: Vec<u32>,
    /// Sum of the squared distances of rows to their means.
    pub inertia: f64,
}

/// Finds the clusters by Euclidean distance. Counts starts in the stage "Finding clusters".
pub fn k_means(vectors: &Vectors, params: &KMeansParams, progress: &Progress) -> Result<KMeans, Cancelled> {
    let starts = params.starts.max(1);
    progress.stage("Finding clusters", "starts", starts as u64);
    let mean = column_means_unless(vectors, &|| progress.is_cancelled());
    progress.check()?;
    let values = Centred { vectors, mean: &mean }.all_unless(&|| progress.is_cancelled());
    progress.check()?;
    let k = params.k.clamp(1, vectors.len().max(1));
    let squares: Vec<f32> = values.par_chunks(vectors.dim()).map(|row| dot(row, row)).collect();
    progress.check()?;
    let space = Space { values, squares, dim: vectors.dim() };
    if vectors.is_empty() {
        return Ok(KMeans { labels: Vec::new(), means: Vec::new(), sizes: Vec::new(), inertia: 0.0 });
    }
    let mut best: Option<Found> = None;
    for start in 0..starts {
        let mut random = Pcg64Mcg::seed_from_u64(params.seed.wrapping_add(start as u64));
        let means = space.seeds(k, &mut random, progress)?;
        let found = space.run(means, params, progress)?;
        if best.as_ref().is_none_or(|best| found.inertia < best.inertia) {
            best = Some(found);
        }
        progress.advance(1);
    }
    let Some(found) = best else { return Err(Cancelled) };
    Ok(found.numbered(k, &mean))
}

struct Found {
    of: Vec<u32>,
    means: Vec<f32>,
    inertia: f64,
}

impl Found {
    /// Numbers clusters by size, ties by first row, and moves the means back.
    fn numbered(self, k: usize, mean: &[f32]) -> KMeans {
        let mut sizes = vec![(0u32, usize::MAX, 0usize); k];
        for (row, &cluster) in self.of.iter().enumerate() {
            let entry = &mut sizes[cluster as usize];
            *entry = (entry.0 + 1, entry.1.min(row), 0);
        }
        for (at, entry) in sizes.iter_mut().enumerate() {
            entry.2 = at;
        }
        sizes.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        let mut number = vec![0i32; k];
        for (at, entry) in sizes.iter().enumerate() {
            number[entry.2] = at as i32;
        }
        let dim = mean.len();
        let moved = |entry: &(u32, usize, usize)| {
            let own = &self.means[entry.2 * dim..(entry.2 + 1) * dim];
            own.iter().zip(mean).map(|(value, mean)| value + mean).collect::<Vec<_>>()
        };
        KMeans {
            labels: self.of.iter().map(|&cluster| number[cluster as usize]).collect(),
            means: sizes.iter().flat_map(moved).collect(),
            sizes: sizes.iter().map(|entry| entry.0).collect(),
            inertia: self.inertia,
        }
    }
}

/// Centred rows.
struct Space {
    values: Vec<f32>,
    squares: Vec<f32>,
    dim: usize,
}

impl Space {
    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dim..(row + 1) * self.dim]
    }

    /// k-means++: each next seed is drawn by squared distance to those before; of a few tries the one that helps most is kept.
    fn seeds(&self, k: usize, random: &mut Pcg64Mcg, progress: &Progress) -> Result<Vec<f32>, Cancelled> {
        let rows = self.squares.len();
        let tries = 2 + (k as f64).ln() as usize;
        let first = random.random_range(0..rows);
        let mut means = self.row(first).to_vec();
        let mut nearest = self.closer(&vec![f32::INFINITY; rows], first, progress);
        for _ in 1..k {
            progress.check()?;
            let total = sum(&nearest);
            let mut best: Option<(f64, usize, Vec<f32>)> = None;
            for _ in 0..tries {
                progress.check()?;
                let chosen = draw(&nearest, random.random::<f64>() * total);
                let closer = self.closer(&nearest, chosen, progress);
                let left = sum(&closer);
                if best.as_ref().is_none_or(|best| left < best.0) {
                    best = Some((left, chosen, closer));
                }
            }
            if let Some((_, chosen, closer)) = best {
                means.extend_from_slice(self.row(chosen));
                nearest = closer;
            }
        }
        Ok(means)
    }

    /// Squared distances to the nearest seed when `chosen` is one too; not of all once cancelled.
    fn closer(&self, nearest: &[f32], chosen: usize, progress: &Progress) -> Vec<f32> {
        let seed = self.row(chosen);
        let near = |(row, &known): (usize, &f32)| {
            if progress.is_cancelled() { known } else { known.min(squared_distance(self.row(row), seed)) }
        };
        nearest.par_iter().enumerate().with_min_len(ROWS).map(near).collect()
    }

    fn run(&self, mut means: Vec<f32>, params: &KMeansParams, progress: &Progress) -> Result<Found, Cancelled> {
        let spread = sum(&self.squares) / (self.squares.len() * self.dim) as f64;
        let (mut of, mut distance) = self.assign(&means, progress)?;
        for _ in 0..params.rounds {
            let moved = self.average(&of, &distance, &means, progress)?;
            let shift: f64 = moved.iter().zip(&means).map(|(a, b)| f64::from(a - b) * f64::from(a - b)).sum();
            means = moved;
            let before = of;
            (of, distance) = self.assign(&means, progress)?;
            if before == of || shift <= params.tolerance * spread {
                break;
            }
        }
        Ok(Found { inertia: sum(&distance), of, means })
    }

    /// Each row's nearest mean (ties to the first) and its squared distance.
    fn assign(&self, means: &[f32], progress: &Progress) -> Result<(Vec<u32>, Vec<f32>), Cancelled> {
        let k = means.len() / self.dim;
        let halves: Vec<f32> = means.chunks(self.dim).map(|mean| 0.5 * dot(mean, mean)).collect();
        let blocks: Vec<Vec<(u32, f32)>> = self
            .values
            .par_chunks(ROWS * self.dim)
            .with_max_len(1)
            .map(|block| {
                progress.check()?;
                let rows = block.len() / self.dim;
                let mut products = vec![0.0; rows * k];
                products_into(block, means, self.dim, &mut products);
                Ok(products
                    .chunks(k)
                    .zip(block.chunks(self.dim))
                    .map(|(products, row)| {
                        let mut best = (f32::NEG_INFINITY, 0);
                        for (at, (product, half)) in products.iter().zip(&halves).enumerate() {
                            if product - half > best.0 {
                                best = (product - half, at);
                            }
                        }
                        let mean = &means[best.1 * self.dim..(best.1 + 1) * self.dim];
                        (best.1 as u32, squared_distance(row, mean))
                    })
                    .collect())
            })
            .collect::<Result<_, Cancelled>>()?;
        Ok(blocks.into_iter().flatten().unzip())
    }

    /// The mean of every cluster; one without rows moves to the row farthest from its own mean.
    fn average(&self, of: &[u32], distance: &[f32], old: &[f32], progress: &Progress) -> Result<Vec<f32>, Cancelled> {
        let (k, dim) = (old.len() / self.dim, self.dim);
        // Few large shares, so that partial sums stay small where k times dim is large.
        let share = (of.len().div_ceil(16)).max(ROWS);
        let partial: Vec<(Vec<f64>, Vec<u32>)> = of
            .par_chunks(share)
            .zip(self.values.par_chunks(share * dim))
            .map(|(of, values)| {
                let (mut sums, mut counts) = (vec![0.0; k * dim], vec![0u32; k]);
                for (at, (&cluster, row)) in of.iter().zip(values.chunks(dim)).enumerate() {
                    if at.is_multiple_of(4096) {
                        progress.check()?;
                    }
                    let cluster = cluster as usize;
                    counts[cluster] += 1;
                    for (sum, &value) in sums[cluster * dim..(cluster + 1) * dim].iter_mut().zip(row) {
                        *sum += f64::from(value);
                    }
                }
                Ok((sums, counts))
            })
            .collect::<Result<_, Cancelled>>()?;
        let counts: Vec<u32> = (0..k).map(|at| partial.iter().map(|(_, counts)| counts[at]).sum()).collect();
        let mut means: Vec<f32> = (0..k * dim)
            .into_par_iter()
            .with_min_len(256)
            .map(|at| {
                let sum: f64 = partial.iter().map(|(sums, _)| sums[at]).sum();
                (sum / f64::from(counts[at / dim].max(1))) as f32
            })
            .collect();
        let empty: Vec<usize> = (0..k).filter(|&at| counts[at] == 0).collect();
        if !empty.is_empty() {
            let mut far: Vec<usize> = (0..distance.len()).collect();
            far.sort_unstable_by(|&a, &b| distance[b].total_cmp(&distance[a]).then(a.cmp(&b)));
            for (&cluster, &row) in empty.iter().zip(&far) {
                means[cluster * dim..(cluster + 1) * dim].copy_from_slice(self.row(row));
            }
        }
        Ok(means)
    }
}

/// A sum in double precision, in fixed blocks.
fn sum(values: &[f32]) -> f64 {
    let partial: Vec<f64> =
        values.par_chunks(4096).map(|block| block.iter().map(|&value| f64::from(value)).sum()).collect();
    partial.iter().sum()
}

/// The row at which the running sum passes `at`.
fn draw(weights: &[f32], at: f64) -> usize {
    let mut passed = 0.0;
    for (row, &weight) in weights.iter().enumerate() {
        passed += f64::from(weight);
        if passed > at {
            return row;
        }
    }
    weights.len().saturating_sub(1)
}
