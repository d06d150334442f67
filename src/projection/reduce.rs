//! Vectors of fewer dimensions: principal components, the first dimensions (Matryoshka), random projections; and what each costs.
//!
//! Makes vectors, no maps. Invariant: same vectors, reduction and seed give the same bytes at any number of threads.

use rand::{Rng, SeedableRng};
use rayon::prelude::*;

use super::pca::Seen;
use super::quality::draw;
use super::{FittedReduction, Pca, ProjectionError};
use crate::progress::{Cancelled, Progress};
use crate::search::Best;
use crate::vectors::products::{column_means, products_into};
use crate::vectors::{Metric, RowBlocks, Vectors, norm, normalize_rows};

/// Neighbours looked at.
const NEIGHBOURS: usize = 10;
/// Sampled vectors of one task.
const TASK: usize = 64;
/// Rows of one block of products.
const BASE: usize = 4096;
/// Rows cut at a time.
const CUT: usize = 256;

/// How vectors are made shorter, to `k` dimensions each (at most those they have; 0 counts as 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase", tag = "way")]
pub enum Reduction {
    /// The `k` directions of most variance. Keeps distances best; needs all vectors at once.
    Pca {
        /// Dimensions left.
        k: usize,
    },
    /// The first `k` dimensions, each vector brought back to its length. For models trained so (Kusupati et al. 2022); others lose
    /// much.
    Truncate {
        /// Dimensions left.
        k: usize,
    },
    /// `k` random directions with normally distributed entries of variance 1 / k (Johnson and Lindenstrauss 1984). Needs to look at
    /// no vectors.
    Random {
        /// Dimensions left.
        k: usize,
        /// Seed of the directions.
        seed: u64,
    },
}

impl Reduction {
    /// Dimensions asked for.
    pub fn k(self) -> usize {
        match self {
            Self::Pca { k } | Self::Truncate { k } | Self::Random { k, .. } => k,
        }
    }

    /// How vectors that were made shorter are compared, where the whole ones are by `whole`: those of PCA by distance, since their mean is
    /// taken off, which changes cosines and products.
    pub fn compared_by(self, whole: Metric) -> Metric {
        if matches!(self, Self::Pca { .. }) { Metric::Euclidean } else { whole }
    }

    /// As the command line takes it: "pca:50".
    pub fn spelled(self) -> String {
        let way = match self {
            Self::Pca { .. } => "pca",
            Self::Truncate { .. } => "truncate",
            Self::Random { .. } => "random",
        };
        format!("{way}:{}", self.k())
    }

    /// The name shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pca { .. } => "PCA",
            Self::Truncate { .. } => "First dimensions",
            Self::Random { .. } => "Random projection",
        }
    }
}

/// Makes every vector shorter. Values that are not finite count as their column's mean for PCA, as 0 otherwise.
///
/// Errors: no vectors; cancelled; those of [`Pca::fit`].
pub fn reduce(rows: &dyn RowBlocks, reduction: Reduction, progress: &Progress) -> Result<Vectors, ProjectionError> {
    FittedReduction::fit(rows, reduction, progress)?.apply(rows, progress)
}

/// The first `k` values of every row, at its length where asked.
pub(super) fn truncated(rows: &dyn RowBlocks, k: usize, at_length: bool) -> Result<Vectors, ProjectionError> {
    let (count, dim) = (rows.row_count(), rows.row_length());
    let mut out = vec![0.0f32; count * k];
    out.par_chunks_mut(CUT * k).enumerate().try_for_each_init(Vec::new, |room, (number, out)| {
        let block = rows.block(number * CUT..count.min((number + 1) * CUT), room)?;
        for (out, row) in out.chunks_exact_mut(k).zip(block.chunks_exact(dim)) {
            out.iter_mut().zip(row).for_each(|(out, &value)| *out = if value.is_finite() { value } else { 0.0 });
            let scale = norm(row) / norm(out);
            if at_length && scale.is_finite() {
                out.iter_mut().for_each(|value| *value *= scale);
            }
        }
        Ok::<(), ProjectionError>(())
    })?;
    Vectors::new(out, k).map_err(ProjectionError::Read)
}

/// `k` rows of `dim` normally distributed values (Box and Muller 1958).
pub(super) fn random_directions(k: usize, dim: usize, seed: u64) -> Vec<f32> {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
    let scale = 1.0 / (k as f64).sqrt();
    let mut pair = || {
        let (near, turn): (f64, f64) = (1.0 - random.random::<f64>(), random.random());
        let length = scale * (-2.0 * near.ln()).sqrt();
        let angle = std::f64::consts::TAU * turn;
        [(length * angle.cos()) as f32, (length * angle.sin()) as f32]
    };
    let mut all: Vec<f32> = (0..(k * dim).div_ceil(2)).flat_map(|_| pair()).collect();
    all.truncate(k * dim);
    all
}

/// How costs are measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostSettings {
    /// How the vectors are compared; those made shorter are by [`Reduction::compared_by`].
    pub metric: Metric,
    /// Vectors whose neighbours are looked at. Default 1,000; more are slower and more exact.
    pub sample: usize,
    /// Seed of the sample and of the random directions.
    pub seed: u64,
}

impl Default for CostSettings {
    fn default() -> Self {
        Self { metric: Metric::Cosine, sample: 1000, seed: 42 }
    }
}

/// What one reduction costs.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ReductionCost {
    /// The reduction.
    pub reduction: Reduction,
    /// Mean share of the 10 nearest neighbours among all vectors that are still among the 10 nearest, 0 to 1.
    pub kept: f32,
    /// Bytes a vector, in single precision.
    pub bytes: usize,
    /// Share of all variance kept, 0 to 1; known for PCA only.
    pub explained: Option<f32>,
}

/// What the three reductions cost at each of `ks` dimensions (those beyond the vectors' own are left out): PCA, the first dimensions,
/// random directions.
///
/// Counts reductions in the stage "Comparing reductions". Errors: no vectors; cancelled; those of [`Pca::fit`].
pub fn reduction_costs(
    vectors: &Vectors,
    ks: &[usize],
    settings: &CostSettings,
    progress: &Progress,
) -> Result<Vec<ReductionCost>, ProjectionError> {
    if vectors.is_empty() {
        return Err(ProjectionError::Empty);
    }
    let ks: Vec<usize> = ks.iter().copied().filter(|&k| (1..=vectors.dim()).contains(&k)).collect();
    let Some(&most) = ks.iter().max() else { return Ok(Vec::new()) };
    let chosen = draw(vectors.len(), settings.sample, settings.seed);
    let pca = Pca::fit_with(vectors, most, progress)?;
    let coordinates = pca.transform(vectors)?;
    let so_far = pca.explained_so_far();
    progress.stage("Comparing reductions", "reductions", 3 * ks.len() as u64);
    let before = nearest_by(settings.metric, vectors, &chosen, progress)?;
    let mut costs = Vec::new();
    for k in ks {
        let seed = settings.seed;
        for reduction in [Reduction::Pca { k }, Reduction::Truncate { k }, Reduction::Random { k, seed }] {
            let (made, explained) = match reduction {
                Reduction::Pca { .. } => (truncated(&coordinates, k, false)?, so_far.get(k - 1).copied()),
                Reduction::Truncate { .. } => (truncated(vectors, k, true)?, None),
                Reduction::Random { .. } => (reduce(vectors, reduction, &quiet(progress)?)?, None),
            };
            let after = nearest_by(reduction.compared_by(settings.metric), &made, &chosen, progress)?;
            costs.push(ReductionCost { reduction, kept: kept(&before, &after), bytes: 4 * k, explained });
            progress.advance(1);
        }
    }
    Ok(costs)
}

/// A progress that nobody watches, for a short step of watched work.
fn quiet(progress: &Progress) -> Result<Progress, Cancelled> {
    progress.check().map(|()| Progress::new())
}

/// Mean share of the first lists that is in the second; 1 where nothing is listed.
fn kept(before: &[Vec<u32>], after: &[Vec<u32>]) -> f32 {
    let listed: usize = before.iter().map(Vec::len).sum();
    let pairs = before.iter().zip(after);
    let both: usize = pairs.map(|(before, after)| before.iter().filter(|other| after.contains(other)).count()).sum();
    if listed == 0 { 1.0 } else { both as f32 / listed as f32 }
}

/// The nearest neighbours of the chosen rows among all.
fn nearest_by(
    metric: Metric,
    vectors: &Vectors,
    chosen: &[u32],
    progress: &Progress,
) -> Result<Vec<Vec<u32>>, ProjectionError> {
    if metric != Metric::Cosine {
        return nearest_of(vectors, chosen, metric == Metric::Euclidean, progress);
    }
    // At length 1 distances order as cosines do.
    let mut values = vectors.values().to_vec();
    normalize_rows(&mut values, vectors.dim());
    let unit = Vectors::new(values, vectors.dim()).map_err(ProjectionError::Read)?;
    nearest_of(&unit, chosen, true, progress)
}

/// The same by Euclidean distance, or else by the dot product.
fn nearest_of(
    vectors: &Vectors,
    chosen: &[u32],
    by_distance: bool,
    progress: &Progress,
) -> Result<Vec<Vec<u32>>, ProjectionError> {
    let (count, dim) = (vectors.len(), vectors.dim());
    let mean = if by_distance { column_means(vectors) } else { vec![0.0; dim] };
    let seen = Seen { rows: vectors, mean: &mean };
    let parts = chosen.par_chunks(TASK).with_max_len(1).map(|chosen| {
        let (mut own, mut room, mut row, mut block) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for &at in chosen {
            seen.copy(at as usize..at as usize + 1, &mut room, &mut row)?;
            own.extend_from_slice(&row);
        }
        let mut best = vec![Best::new(NEIGHBOURS); chosen.len()];
        for first in (0..count).step_by(BASE) {
            progress.check()?;
            let last = (first + BASE).min(count);
            seen.copy(first..last, &mut room, &mut block)?;
            let mut products = vec![0.0f32; chosen.len() * (last - first)];
            products_into(&own, &block, dim, &mut products);
            let half = |row: &[f32]| if by_distance { -0.5 * norm(row) * norm(row) } else { 0.0 };
            let offsets: Vec<f32> = block.chunks_exact(dim).map(half).collect();
            let rows = products.chunks_exact_mut(last - first).zip(&mut best).zip(chosen);
            for ((scores, best), &own) in rows {
                scores.iter_mut().zip(&offsets).for_each(|(score, offset)| *score += offset);
                best.offer_run(first, scores, own as usize);
            }
        }
        let positions = |best: &mut Best| best.sorted().iter().map(|hit| hit.position).collect();
        Ok(best.iter_mut().map(positions).collect::<Vec<Vec<u32>>>())
    });
    Ok(parts.collect::<Result<Vec<_>, ProjectionError>>()?.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(count: usize, dim: usize) -> Vectors {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(8);
        Vectors::new((0..count * dim).map(|_| random.random_range(-1.0f32..1.0)).collect::<Vec<_>>(), dim).unwrap()
    }

    #[test]
    fn random_directions_keep_lengths_on_average() {
        let vectors = vectors(300, 64);
        let short = reduce(&vectors, Reduction::Random { k: 32, seed: 1 }, &Progress::new()).unwrap();
        let ratio: f32 = short.rows().zip(vectors.rows()).map(|(a, b)| (norm(a) / norm(b)).powi(2)).sum::<f32>();
        assert!((ratio / 300.0 - 1.0).abs() < 0.1, "{}", ratio / 300.0);
        let again = reduce(&vectors, Reduction::Random { k: 32, seed: 1 }, &Progress::new()).unwrap();
        let other = reduce(&vectors, Reduction::Random { k: 32, seed: 2 }, &Progress::new()).unwrap();
        assert!(short.values() == again.values() && short.values() != other.values());
    }

    #[test]
    fn cut_vectors_have_their_length_again() {
        let vectors = vectors(20, 16);
        let short = reduce(&vectors, Reduction::Truncate { k: 4 }, &Progress::new()).unwrap();
        for (short, row) in short.rows().zip(vectors.rows()) {
            assert!((norm(short) - norm(row)).abs() < 1e-5 && (short[0] / short[3] - row[0] / row[3]).abs() < 1e-3);
        }
    }

    #[test]
    fn nothing_is_lost_where_all_dimensions_stay_and_odd_input_is_no_accident() {
        let vectors = vectors(200, 8);
        let settings = CostSettings { metric: Metric::Euclidean, ..CostSettings::default() };
        let costs = |vectors: &Vectors, ks: &[usize]| reduction_costs(vectors, ks, &settings, &Progress::new());
        let found = costs(&vectors, &[8, 2, 99, 0]).unwrap();
        assert_eq!(found.len(), 6);
        assert!(found[0].kept > 0.99 && found[1].kept > 0.99 && found[0].explained.unwrap() > 0.999);
        assert!(found[3].kept < 0.7 && found[3].bytes == 8 && found[3].explained.unwrap() < 0.5);
        assert_eq!(costs(&vectors.select([]), &[2]), Err(ProjectionError::Empty));
        assert_eq!(costs(&vectors.select([0]), &[2]).unwrap()[0].kept, 1.0);
        let broken = Vectors::new(vec![f32::NAN; 40], 4).unwrap();
        assert_eq!(costs(&broken, &[2]).unwrap().len(), 3);
        assert!(reduce(&vectors, Reduction::Pca { k: 0 }, &Progress::new()).unwrap().dim() == 1);
    }
}
