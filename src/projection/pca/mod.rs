//! Principal components: by the covariance of the columns, by the products of the rows where they are fewer, or by subspace
//! iteration where both are many.
//!
//! Rows are read in blocks, so they may be more than fit into memory. Single precision products are summed in double, block by
//! block. Signs follow scikit-learn (`svd_flip` by components): the entry of greatest magnitude is positive. Values that are NaN or
//! infinite count as their column's mean. Invariant: same vectors, same bytes, at any number of threads.

mod columns;
mod seen;
mod wide;

use rayon::prelude::*;

use super::ProjectionError;
use crate::progress::Progress;
use crate::vectors::dense::DenseError;
use crate::vectors::products::{column_means_of, products_into};
use crate::vectors::{RowBlocks, Vectors};
use seen::ROWS;
pub(super) use seen::Seen;

/// Sides up to which the small symmetric matrix is decomposed whole.
const WHOLE: usize = 2048;

/// A fitted PCA.
#[derive(Clone, Debug, PartialEq)]
pub struct Pca {
    /// Mean of every column, `dim` values.
    pub mean: Vec<f32>,
    /// Unit directions, `k` rows of `dim` values, the one of most variance first. A direction without variance may be all zero.
    pub components: Vec<f32>,
    /// Variance along each direction, over n − 1.
    pub explained_variance: Vec<f32>,
    /// That variance as a share of all variance of the vectors, 0 to 1.
    pub explained_variance_ratio: Vec<f32>,
}

impl Pca {
    /// Fits the `k` directions of most variance; fewer where there are fewer dimensions.
    ///
    /// Errors: no vectors; values too large for single precision; no convergence.
    pub fn fit(vectors: &Vectors, k: usize) -> Result<Self, ProjectionError> {
        Self::fit_blocks(vectors, k, &Progress::new())
    }

    /// As [`Pca::fit`], with progress. Errors beyond those: cancelled.
    pub fn fit_with(vectors: &Vectors, k: usize, progress: &Progress) -> Result<Self, ProjectionError> {
        Self::fit_blocks(vectors, k, progress)
    }

    /// As [`Pca::fit`], from rows that are read block by block: once where they have at most 2,048 dimensions and no broken values.
    ///
    /// Takes at most about 300 MB beside the rows, whatever their number. Counts vectors in the stage "Finding principal
    /// components". Errors beyond those of [`Pca::fit`]: cancelled; the rows cannot be read.
    pub fn fit_blocks(rows: &dyn RowBlocks, k: usize, progress: &Progress) -> Result<Self, ProjectionError> {
        let (count, dim) = (rows.row_count(), rows.row_length());
        if count == 0 || dim == 0 {
            return Err(ProjectionError::Empty);
        }
        let k = k.min(dim);
        progress.stage("Finding principal components", "vectors", count as u64);
        let (mean, found) = if dim <= WHOLE && dim <= count {
            columns::by_columns(rows, k, progress)?
        } else {
            let mean = column_means_of(rows)?;
            let seen = Seen { rows, mean: &mean };
            let found = if count <= WHOLE { wide::by_rows(seen, k)? } else { wide::by_iteration(seen, k, progress)? };
            (mean, found)
        };
        let (total, mut found) = found;
        let nothing = Direction { square: 0.0, unit: vec![0.0; dim] };
        found.resize(k, nothing);
        let free = (count.max(2) - 1) as f64;
        let share = |square: f64| if total > 0.0 { square / total } else { 0.0 };
        Ok(Self {
            explained_variance: found.iter().map(|direction| (direction.square / free) as f32).collect(),
            explained_variance_ratio: found.iter().map(|direction| share(direction.square) as f32).collect(),
            components: found.into_iter().flat_map(Direction::signed).collect(),
            mean,
        })
    }

    /// Directions found.
    pub fn k(&self) -> usize {
        self.explained_variance.len()
    }

    /// Share of all variance that the first direction has, the first two, the first three, …: `k` values, 0 to 1, rising.
    pub fn explained_so_far(&self) -> Vec<f32> {
        let mut sum = 0.0;
        let so_far = self.explained_variance_ratio.iter().map(|&share| {
            sum += f64::from(share);
            sum.min(1.0) as f32
        });
        so_far.collect()
    }

    /// How many directions it takes to keep `share` of all variance, 0 to 1; `None` where those fitted do not suffice.
    pub fn directions_for(&self, share: f32) -> Option<usize> {
        self.explained_so_far().iter().position(|&so_far| so_far >= share).map(|at| at + 1)
    }

    /// Coordinates along the directions, `k` a row. Errors: another dimension than the fitted; fitted with `k` of 0.
    pub fn transform(&self, vectors: &Vectors) -> Result<Vectors, ProjectionError> {
        self.transform_blocks(vectors, &Progress::new())
    }

    /// As [`Pca::transform`], from rows that are read block by block. Counts vectors in the running stage.
    ///
    /// Errors beyond those of [`Pca::transform`]: cancelled; the rows cannot be read.
    pub fn transform_blocks(&self, rows: &dyn RowBlocks, progress: &Progress) -> Result<Vectors, ProjectionError> {
        let (dim, k) = (self.mean.len(), self.k());
        if rows.row_length() != dim {
            return Err(ProjectionError::Dimension { expected: dim, found: rows.row_length() });
        }
        if k == 0 {
            return Err(ProjectionError::Empty);
        }
        let seen = Seen { rows, mean: &self.mean };
        Vectors::new(seen.project(&self.components, k, progress)?, k).map_err(|_| ProjectionError::Empty)
    }

    /// The vectors that have these coordinates, `dim` a row: what [`Pca::transform`] keeps of a vector, and the mean for what it
    /// drops. Errors: not `k` coordinates a row.
    pub fn inverse_transform(&self, coordinates: &Vectors) -> Result<Vectors, ProjectionError> {
        let (dim, k) = (self.mean.len(), self.k());
        if coordinates.dim() != k {
            return Err(ProjectionError::Dimension { expected: k, found: coordinates.dim() });
        }
        let mut sideways = Vec::new();
        seen::flip(&self.components, k, dim, &mut sideways);
        let mut out = vec![0.0f32; coordinates.len() * dim];
        out.par_chunks_mut(ROWS * dim).zip(coordinates.values().par_chunks(ROWS * k)).for_each(|(out, along)| {
            products_into(along, &sideways, k, out);
            for row in out.chunks_exact_mut(dim) {
                row.iter_mut().zip(&self.mean).for_each(|(value, &mean)| *value += mean);
            }
        });
        Vectors::new(out, dim).map_err(|_| ProjectionError::Empty)
    }

    /// The first two coordinates of every row; the second is 0 where there is only one direction.
    pub fn plane(&self, vectors: &Vectors) -> Result<Vec<[f32; 2]>, ProjectionError> {
        self.plane_with(vectors, &Progress::new())
    }

    /// As [`Pca::plane`]. Errors beyond those: cancelled.
    pub fn plane_with(&self, vectors: &Vectors, progress: &Progress) -> Result<Vec<[f32; 2]>, ProjectionError> {
        let coordinates = self.transform_blocks(vectors, progress)?;
        Ok(coordinates.rows().map(|row| [row[0], row.get(1).copied().unwrap_or(0.0)]).collect())
    }
}

/// One direction and the sum of squares along it.
#[derive(Clone)]
struct Direction {
    square: f64,
    unit: Vec<f64>,
}

impl Direction {
    /// As single precision, the entry of greatest magnitude positive.
    fn signed(self) -> impl Iterator<Item = f32> {
        let peak = self.unit.iter().fold(0.0f64, |peak, &value| if value.abs() > peak.abs() { value } else { peak });
        let sign = if peak < 0.0 { -1.0 } else { 1.0 };
        self.unit.into_iter().map(move |value| (sign * value) as f32)
    }
}

fn failed(error: DenseError, dim: usize) -> ProjectionError {
    match error {
        DenseError::NotFinite => ProjectionError::TooLarge,
        DenseError::NoConvergence => ProjectionError::NoConvergence { dim },
    }
}

/// The sum of all squares, and the directions.
type Found = (f64, Vec<Direction>);

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    /// Rows with standard deviations 5, 4, 3, 2, 1, 1, … along fixed, oblique directions, and a large mean.
    fn stretched(rows: usize, dim: usize) -> Vectors {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(11);
        let mut values = Vec::new();
        for _ in 0..rows {
            let row: Vec<f32> = (0..dim)
                .map(|column| 5usize.saturating_sub(column).max(1) as f32 * random.random_range(-1.7f32..1.7))
                .collect();
            let half = dim / 2;
            values.extend((0..dim).map(|column| 30.0 + row[column] + 0.3 * row[(column + half) % dim]));
        }
        Vectors::new(values, dim).unwrap()
    }

    fn closeness(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn the_three_ways_find_the_same_directions() {
        let vectors = stretched(300, 40);
        let progress = Progress::new();
        let (mean, by_columns) = columns::by_columns(&vectors, 3, &progress).unwrap();
        let seen = Seen { rows: &vectors, mean: &mean };
        let ways = [by_columns, wide::by_rows(seen, 3).unwrap(), wide::by_iteration(seen, 3, &progress).unwrap()];
        for (total, directions) in &ways {
            assert!((total / ways[0].0 - 1.0).abs() < 1e-5);
            for (direction, expected) in directions.iter().zip(&ways[0].1) {
                assert!((direction.square / expected.square - 1.0).abs() < 1e-4);
                let (a, b): (Vec<f32>, Vec<f32>) =
                    (direction.clone().signed().collect(), expected.clone().signed().collect());
                assert!(closeness(&a, &b) > 0.9999, "{}", closeness(&a, &b));
            }
        }
    }

    #[test]
    fn coordinates_have_the_explained_variance_and_mean_zero() {
        let vectors = stretched(500, 8);
        let pca = Pca::fit(&vectors, 2).unwrap();
        let plane = pca.plane(&vectors).unwrap();
        for axis in 0..2 {
            let mean: f32 = plane.iter().map(|point| point[axis]).sum::<f32>() / 500.0;
            let square: f32 = plane.iter().map(|point| point[axis] * point[axis]).sum::<f32>() / 499.0;
            assert!(mean.abs() < 1e-3 && (square / pca.explained_variance[axis] - 1.0).abs() < 1e-4);
        }
        let all: f32 = Pca::fit(&vectors, 8).unwrap().explained_variance_ratio.iter().sum();
        assert!((all - 1.0).abs() < 1e-5);
    }

    #[test]
    fn odd_input_is_no_accident() {
        let fit = |values: Vec<f32>, dim| Pca::fit(&Vectors::new(values, dim).unwrap(), 2);
        assert_eq!(fit(Vec::new(), 3), Err(ProjectionError::Empty));
        assert_eq!(fit(vec![1.0, 2.0, 3.0], 3).unwrap().explained_variance, [0.0, 0.0]);
        assert_eq!(fit(vec![1.0, 2.0, 3.0], 1).unwrap().k(), 1);
        assert_eq!(fit(vec![7.0; 40], 4).unwrap().explained_variance_ratio, [0.0, 0.0]);
        assert!(fit(vec![1.0, f32::NAN, 3.0, 4.0, 2.0, 7.0], 2).unwrap().components.iter().all(|v| v.is_finite()));
        assert_eq!(fit(vec![1e30, -1e30, 1e25, 3e30], 1), Err(ProjectionError::TooLarge));
        let one = fit(vec![1.0, 2.0, 4.0], 1).unwrap();
        assert_eq!(one.plane(&Vectors::new(vec![5.0], 1).unwrap()).unwrap()[0][1], 0.0);
    }

    #[test]
    fn coordinates_lead_back_to_the_vectors() {
        let vectors = stretched(60, 8);
        let back = |k| {
            let pca = Pca::fit(&vectors, k).unwrap();
            let back = pca.inverse_transform(&pca.transform(&vectors).unwrap()).unwrap();
            back.values().iter().zip(vectors.values()).map(|(a, b)| (a - b) * (a - b)).sum::<f32>() / 59.0
        };
        assert!(back(8) < 1e-6);
        let pca = Pca::fit(&vectors, 8).unwrap();
        let lost: f32 = pca.explained_variance[3..].iter().sum();
        assert!((back(3) / lost - 1.0).abs() < 1e-3, "what is lost is the variance that is not explained");
        assert_eq!(pca.directions_for(0.0), Some(1));
        assert_eq!(Pca::fit(&vectors, 1).unwrap().directions_for(0.99), None);
        assert!(pca.inverse_transform(&vectors.select([])).unwrap().is_empty());
    }

    #[test]
    fn a_cancelled_fit_says_so() {
        let progress = Progress::new();
        progress.cancel();
        assert_eq!(Pca::fit_with(&stretched(60, 8), 2, &progress), Err(ProjectionError::Cancelled));
    }

    #[test]
    fn broken_values_count_as_their_columns_mean() {
        let vectors = stretched(60, 8);
        let mut values = vectors.values().to_vec();
        let mut column: Vec<f32> = vectors.rows().skip(1).map(|row| row[2]).collect();
        values[2] = f32::NAN;
        let with = Pca::fit(&Vectors::new(values.clone(), 8).unwrap(), 3).unwrap();
        column.sort_by(f32::total_cmp);
        values[2] = (column.iter().map(|&v| f64::from(v)).sum::<f64>() / 59.0) as f32;
        let without = Pca::fit(&Vectors::new(values, 8).unwrap(), 3).unwrap();
        for (a, b) in with.components.iter().zip(&without.components) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }
}
