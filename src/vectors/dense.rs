//! Eigenvectors and singular values of small dense matrices, in double precision, by faer.
//!
//! Invariant: faer's split of work is by a fixed nominal number of threads, not by the pool's, so results do not depend on the pool.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::{Mat, MatRef, Par};

use super::krylov::{self, Pairs};

/// Why a matrix has no decomposition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DenseError {
    /// It holds NaN or infinities.
    NotFinite,
    /// The iteration did not end.
    NoConvergence,
}

/// Sizes from which faer's work is split.
const SPLIT_FROM: usize = 600;
/// Into how many parts.
const PARTS: usize = 4;

fn split(size: usize) -> Par {
    if size < SPLIT_FROM { Par::Seq } else { Par::rayon(PARTS) }
}

/// The `count` largest eigenvalues of a symmetric matrix (row-major, `size` x `size`), largest first, and their unit vectors.
pub(crate) fn largest_eigenvectors(matrix: &[f64], size: usize, count: usize) -> Result<Pairs, DenseError> {
    if matrix.iter().any(|value| !value.is_finite()) {
        return Err(DenseError::NotFinite);
    }
    let par = split(size);
    match krylov::largest(matrix, size, count, par) {
        Some(pairs) => Ok(pairs),
        None => whole(MatRef::from_row_major_slice(matrix, size, size), count, par),
    }
}

/// As [`largest_eigenvectors`] of a finite matrix, by decomposing all of it.
pub(super) fn whole(matrix: MatRef<'_, f64>, count: usize, par: Par) -> Result<Pairs, DenseError> {
    let size = matrix.nrows();
    let mut values = Diag::<f64>::zeros(size);
    let mut vectors = Mat::<f64>::zeros(size, size);
    let scratch = self_adjoint_evd_scratch::<f64>(size, ComputeEigenvectors::Yes, par, Default::default());
    self_adjoint_evd(
        matrix,
        values.as_mut(),
        Some(vectors.as_mut()),
        par,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .map_err(|_| DenseError::NoConvergence)?;
    let largest = (0..size).rev().take(count);
    let columns = largest.clone().map(|column| vectors.col(column).iter().copied().collect()).collect();
    Ok((largest.map(|column| values.column_vector()[column]).collect(), columns))
}

/// Singular values of a row-major matrix, largest first.
pub(crate) fn singular_values(matrix: &[f64], rows: usize, columns: usize) -> Result<Vec<f64>, DenseError> {
    if matrix.iter().any(|value| !value.is_finite()) {
        return Err(DenseError::NotFinite);
    }
    let par = split(rows.min(columns));
    let none = ComputeSvdVectors::No;
    let mut values = Diag::<f64>::zeros(rows.min(columns));
    let scratch = svd_scratch::<f64>(rows, columns, none, none, par, Default::default());
    svd(
        MatRef::from_row_major_slice(matrix, rows, columns),
        values.as_mut(),
        None,
        None,
        par,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .map_err(|_| DenseError::NoConvergence)?;
    Ok(values.column_vector().iter().copied().collect())
}

/// Makes the columns of a row-major `rows` x `columns` matrix orthonormal (modified Gram-Schmidt, twice); a column that depends on
/// those before it becomes zero.
pub(crate) fn orthonormalize(matrix: &mut [f64], rows: usize, columns: usize) {
    let mut basis: Vec<Vec<f64>> =
        (0..columns).map(|column| (0..rows).map(|row| matrix[row * columns + column]).collect()).collect();
    for at in 0..columns {
        let (done, rest) = basis.split_at_mut(at);
        let own = &mut rest[0];
        let before = length(own);
        for _ in 0..2 {
            for other in done.iter() {
                let along: f64 = own.iter().zip(other).map(|(a, b)| a * b).sum();
                own.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
            }
        }
        let after = length(own);
        let scale = if after > 1e-10 * before { 1.0 / after } else { 0.0 };
        own.iter_mut().for_each(|value| *value *= scale);
    }
    for (column, values) in basis.iter().enumerate() {
        for (row, &value) in values.iter().enumerate() {
            matrix[row * columns + column] = value;
        }
    }
}

fn length(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvectors_of_a_known_matrix() {
        let (values, vectors) = largest_eigenvectors(&[2.0, 1.0, 1.0, 2.0], 2, 2).unwrap();
        assert!((values[0] - 3.0).abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-12);
        assert!((vectors[0][0] - vectors[0][1]).abs() < 1e-12);
        assert_eq!(largest_eigenvectors(&[f64::NAN], 1, 1), Err(DenseError::NotFinite));
    }

    #[test]
    fn singular_values_of_a_known_matrix() {
        let values = singular_values(&[3.0, 0.0, 0.0, 0.0, 4.0, 0.0], 2, 3).unwrap();
        assert!((values[0] - 4.0).abs() < 1e-12 && (values[1] - 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_split_decomposition_is_the_same_in_every_pool() {
        let size = 640;
        let mut matrix = vec![0.0; size * size];
        for i in 0..size {
            for j in 0..=i {
                let value = ((i * 31 + j * 17) % 97) as f64 - 48.0;
                (matrix[i * size + j], matrix[j * size + i]) = (value, value);
            }
        }
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let (values, vectors) = pool.install(|| largest_eigenvectors(&matrix, size, 3)).unwrap();
            (values, vectors)
        };
        assert_eq!(with(1), with(3));
    }
}
