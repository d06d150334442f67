//! Principal components of vectors of many dimensions: by the products of the rows, or by subspace iteration.
//!
//! Invariant: the iteration starts from fixed random numbers and runs a fixed number of rounds.

use rand::{Rng, SeedableRng};
use rayon::prelude::*;

use super::seen::{ROWS, Seen, flip};
use super::{Direction, Found, failed};
use crate::progress::Progress;
use crate::projection::ProjectionError;
use crate::vectors::dense::{largest_eigenvectors, orthonormalize};
use crate::vectors::products::{Centred, products_into, scatter};
use crate::vectors::{Vectors, VectorsError};

/// Directions iterated beyond those asked for (Halko, Martinsson and Tropp 2011).
const SPARE: usize = 12;
/// Rounds of the subspace iteration.
const ROUNDS: usize = 12;

/// Where the rows are few.
pub(super) fn by_rows(seen: Seen<'_>, k: usize) -> Result<Found, ProjectionError> {
    let (rows, dim) = seen.sides();
    let mut values = Vec::new();
    seen.copy(0..rows, &mut Vec::new(), &mut values)?;
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
pub(super) fn by_iteration(seen: Seen<'_>, k: usize, progress: &Progress) -> Result<Found, ProjectionError> {
    let (rows, dim) = seen.sides();
    let width = (k + SPARE).min(dim).min(rows);
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(0);
    let mut basis: Vec<f64> = (0..dim * width).map(|_| random.random_range(-1.0..1.0)).collect();
    orthonormalize(&mut basis, dim, width);
    let mut columns = transposed(&basis, dim, width);
    progress.stage("Finding principal components", "rounds", ROUNDS as u64);
    for _ in 0..ROUNDS {
        progress.check()?;
        basis = back_projection(seen, &columns, width)?;
        progress.advance(1);
        if basis.iter().any(|value| !value.is_finite()) {
            return Err(ProjectionError::TooLarge);
        }
        orthonormalize(&mut basis, dim, width);
        columns = transposed(&basis, dim, width);
    }
    let inside =
        Vectors::new(seen.project(&columns, width, &Progress::new())?, width).map_err(|_| ProjectionError::Empty)?;
    let zero = vec![0.0; width];
    let small = scatter(Centred { vectors: &inside, mean: &zero });
    let (squares, turns) = largest_eigenvectors(&small, width, k).map_err(|error| failed(error, dim))?;
    let directions = squares.iter().zip(turns).map(|(&square, turn)| {
        let unit = (0..dim).map(|row| (0..width).map(|at| basis[row * width + at] * turn[at]).sum()).collect();
        Direction { square: square.max(0.0), unit }
    });
    Ok((seen.total_square()?, directions.collect()))
}

fn transposed(basis: &[f64], dim: usize, width: usize) -> Vec<f32> {
    (0..width * dim).map(|at| basis[(at % dim) * width + at / dim] as f32).collect()
}

/// Covariance (times n) applied to the directions: `dim` x `width`, shares of rows added in order.
fn back_projection(seen: Seen<'_>, directions: &[f32], width: usize) -> Result<Vec<f64>, VectorsError> {
    let (rows, dim) = seen.sides();
    let share = rows.div_ceil(16).next_multiple_of(ROWS);
    let parts: Vec<Vec<f64>> = (0..rows.div_ceil(share))
        .into_par_iter()
        .with_max_len(1)
        .map(|part| {
            let mut sums = vec![0.0f64; dim * width];
            let (mut room, mut block, mut sideways) = (Vec::new(), Vec::new(), Vec::new());
            let mut out = vec![0.0f32; dim * width];
            let end = rows.min((part + 1) * share);
            for first in (part * share..end).step_by(ROWS) {
                let last = (first + ROWS).min(end);
                seen.copy(first..last, &mut room, &mut block)?;
                let mut along = vec![0.0f32; (last - first) * width];
                products_into(&block, directions, dim, &mut along);
                flip(&block, last - first, dim, &mut sideways);
                let mut along_sideways = Vec::new();
                flip(&along, last - first, width, &mut along_sideways);
                products_into(&sideways, &along_sideways, last - first, &mut out);
                sums.iter_mut().zip(&out).for_each(|(sum, &value)| *sum += f64::from(value));
            }
            Ok(sums)
        })
        .collect::<Result<_, VectorsError>>()?;
    let mut sums = vec![0.0; dim * width];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
    }
    Ok(sums)
}
