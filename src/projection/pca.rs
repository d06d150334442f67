//! Principal components: by the covariance of the columns, by the products of the rows where they are fewer, or by subspace
//! iteration where both are many.
//!
//! Single precision products are summed in double, block by block. Signs follow scikit-learn (`svd_flip` by components): the entry
//! of greatest magnitude is positive. Values that are NaN or infinite count as their column's mean. Invariant: same vectors, same
//! bytes, at any number of threads.

use rand::{Rng, SeedableRng};
use rayon::prelude::*;

use super::ProjectionError;
use crate::vectors::Vectors;
use crate::vectors::dense::{DenseError, largest_eigenvectors, orthonormalize};
use crate::vectors::products::{Centred, column_means, products_into, scatter};

/// Sides up to which the small symmetric matrix is decomposed whole.
const WHOLE: usize = 2048;
/// Directions iterated beyond those asked for (Halko, Martinsson and Tropp 2011).
const SPARE: usize = 12;
/// Rounds of the subspace iteration.
const ROUNDS: usize = 12;
/// Rows of one block of products.
const ROWS: usize = 512;

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
        if vectors.is_empty() {
            return Err(ProjectionError::Empty);
        }
        let (rows, dim) = (vectors.len(), vectors.dim());
        let k = k.min(dim);
        let mean = column_means(vectors);
        let centred = Centred { vectors, mean: &mean };
        let (total, mut found) = if dim <= WHOLE && dim <= rows {
            by_columns(centred, k)?
        } else if rows <= WHOLE {
            by_rows(centred, k)?
        } else {
            by_iteration(centred, k)?
        };
        let nothing = Direction { square: 0.0, unit: vec![0.0; dim] };
        found.resize(k, nothing);
        let free = (rows.max(2) - 1) as f64;
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

    /// Coordinates along the directions, `k` a row. Errors: another dimension than the fitted; fitted with `k` of 0.
    pub fn transform(&self, vectors: &Vectors) -> Result<Vectors, ProjectionError> {
        let (dim, k) = (self.mean.len(), self.k());
        if vectors.dim() != dim {
            return Err(ProjectionError::Dimension { expected: dim, found: vectors.dim() });
        }
        if k == 0 {
            return Err(ProjectionError::Empty);
        }
        let centred = Centred { vectors, mean: &self.mean };
        Vectors::new(project(centred, &self.components, k), k).map_err(|_| ProjectionError::Empty)
    }

    /// The first two coordinates of every row; the second is 0 where there is only one direction.
    pub fn plane(&self, vectors: &Vectors) -> Result<Vec<[f32; 2]>, ProjectionError> {
        let coordinates = self.transform(vectors)?;
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

fn by_columns(centred: Centred<'_>, k: usize) -> Result<Found, ProjectionError> {
    let dim = centred.vectors.dim();
    let matrix = scatter(centred);
    let total = (0..dim).map(|at| matrix[at * dim + at]).sum();
    let (values, units) = largest_eigenvectors(&matrix, dim, k).map_err(|error| failed(error, dim))?;
    let directions = values.iter().zip(units).map(|(&value, unit)| Direction { square: value.max(0.0), unit });
    Ok((total, directions.collect()))
}

fn by_rows(centred: Centred<'_>, k: usize) -> Result<Found, ProjectionError> {
    let (rows, dim) = (centred.vectors.len(), centred.vectors.dim());
    let values = centred.all();
    let matrix = row_products(&values, rows, dim);
    let total: f64 = (0..rows).map(|at| matrix[at * rows + at]).sum();
    let (squares, weights) = largest_eigenvectors(&matrix, rows, k).map_err(|error| failed(error, dim))?;
    let mut directions = Vec::new();
    for (&square, weights) in squares.iter().zip(&weights) {
        if square <= 1e-12 * total {
            break;
        }
        let mut unit = vec![0.0; dim];
        for (row, &weight) in values.chunks_exact(dim).zip(weights) {
            unit.iter_mut().zip(row).for_each(|(sum, &value)| *sum += weight * f64::from(value));
        }
        unit.iter_mut().for_each(|value| *value /= square.sqrt());
        directions.push(Direction { square, unit });
    }
    Ok((total, directions))
}

/// Every row times every row, summed in double precision over strips of columns.
fn row_products(values: &[f32], rows: usize, dim: usize) -> Vec<f64> {
    let blocks: Vec<Vec<f64>> = (0..rows.div_ceil(64))
        .into_par_iter()
        .map(|block| {
            let own = &values[block * 64 * dim..rows.min((block + 1) * 64) * dim];
            let count = own.len() / dim;
            let (mut sums, mut part) = (vec![0.0f64; count * rows], vec![0.0f32; count * rows]);
            for start in (0..dim).step_by(ROWS) {
                let end = (start + ROWS).min(dim);
                let cut =
                    |all: &[f32]| all.chunks_exact(dim).flat_map(|row| row[start..end].to_vec()).collect::<Vec<_>>();
                products_into(&cut(own), &cut(values), end - start, &mut part);
                sums.iter_mut().zip(&part).for_each(|(sum, &value)| *sum += f64::from(value));
            }
            sums
        })
        .collect();
    blocks.concat()
}

/// Subspace iteration on the covariance from a seeded start, then the decomposition inside the subspace (Halko et al. 2011).
fn by_iteration(centred: Centred<'_>, k: usize) -> Result<Found, ProjectionError> {
    let (rows, dim) = (centred.vectors.len(), centred.vectors.dim());
    let width = (k + SPARE).min(dim).min(rows);
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(0);
    let mut basis: Vec<f64> = (0..dim * width).map(|_| random.random_range(-1.0..1.0)).collect();
    orthonormalize(&mut basis, dim, width);
    let mut columns = transposed(&basis, dim, width);
    for _ in 0..ROUNDS {
        basis = back_projection(centred, &columns, width);
        if basis.iter().any(|value| !value.is_finite()) {
            return Err(ProjectionError::TooLarge);
        }
        orthonormalize(&mut basis, dim, width);
        columns = transposed(&basis, dim, width);
    }
    let inside = Vectors::new(project(centred, &columns, width), width).map_err(|_| ProjectionError::Empty)?;
    let zero = vec![0.0; width];
    let small = scatter(Centred { vectors: &inside, mean: &zero });
    let (squares, turns) = largest_eigenvectors(&small, width, k).map_err(|error| failed(error, dim))?;
    let directions = squares.iter().zip(turns).map(|(&square, turn)| {
        let unit = (0..dim).map(|row| (0..width).map(|at| basis[row * width + at] * turn[at]).sum()).collect();
        Direction { square: square.max(0.0), unit }
    });
    Ok((total_square(centred), directions.collect()))
}

fn transposed(basis: &[f64], dim: usize, width: usize) -> Vec<f32> {
    (0..width * dim).map(|at| basis[(at % dim) * width + at / dim] as f32).collect()
}

/// Coordinates of all rows along `k` directions (row-major `k` x `dim`).
fn project(centred: Centred<'_>, directions: &[f32], k: usize) -> Vec<f32> {
    let (rows, dim) = (centred.vectors.len(), centred.vectors.dim());
    let mut out = vec![0.0f32; rows * k];
    out.par_chunks_mut(ROWS * k).enumerate().for_each_init(Vec::new, |block, (number, out)| {
        let first = number * ROWS;
        centred.copy(first..first + out.len() / k, 0..dim, block);
        products_into(block, directions, dim, out);
    });
    out
}

/// Covariance (times n) applied to the directions: `dim` x `width`, shares of rows added in order.
fn back_projection(centred: Centred<'_>, directions: &[f32], width: usize) -> Vec<f64> {
    let (rows, dim) = (centred.vectors.len(), centred.vectors.dim());
    let share = rows.div_ceil(16).next_multiple_of(ROWS);
    let parts: Vec<Vec<f64>> = (0..rows.div_ceil(share))
        .into_par_iter()
        .with_max_len(1)
        .map(|part| {
            let mut sums = vec![0.0f64; dim * width];
            let (mut block, mut sideways) = (Vec::new(), Vec::new());
            let mut out = vec![0.0f32; dim * width];
            let end = rows.min((part + 1) * share);
            for first in (part * share..end).step_by(ROWS) {
                let last = (first + ROWS).min(end);
                centred.copy(first..last, 0..dim, &mut block);
                let mut along = vec![0.0f32; (last - first) * width];
                products_into(&block, directions, dim, &mut along);
                flip(&block, last - first, dim, &mut sideways);
                let mut along_sideways = Vec::new();
                flip(&along, last - first, width, &mut along_sideways);
                products_into(&sideways, &along_sideways, last - first, &mut out);
                sums.iter_mut().zip(&out).for_each(|(sum, &value)| *sum += f64::from(value));
            }
            sums
        })
        .collect();
    let mut sums = vec![0.0; dim * width];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
    }
    sums
}

/// Transposes a row-major matrix into `out`.
fn flip(values: &[f32], rows: usize, columns: usize, out: &mut Vec<f32>) {
    out.clear();
    out.extend((0..rows * columns).map(|at| values[(at % rows) * columns + at / rows]));
}

fn total_square(centred: Centred<'_>) -> f64 {
    let (rows, dim) = (centred.vectors.len(), centred.vectors.dim());
    let blocks: Vec<f64> = (0..rows.div_ceil(ROWS))
        .into_par_iter()
        .map_init(Vec::new, |block, number| {
            centred.copy(number * ROWS..rows.min((number + 1) * ROWS), 0..dim, block);
            block.iter().map(|&value| f64::from(value) * f64::from(value)).sum()
        })
        .collect();
    blocks.iter().sum()
}

#[cfg(test)]
mod tests {
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
        let mean = column_means(&vectors);
        let centred = Centred { vectors: &vectors, mean: &mean };
        let ways = [by_columns(centred, 3), by_rows(centred, 3), by_iteration(centred, 3)].map(Result::unwrap);
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
}
