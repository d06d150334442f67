//! A few largest eigenvectors of a large symmetric matrix, without those that nobody asked for: block Lanczos with a proof.
//!
//! A subspace that grows by blocks of products with the matrix holds the largest eigenvectors long before it is the whole (Golub and
//! Underwood 1977; Musco and Musco 2015). What is found is taken only with a proof: each pair's residual is measured, and the matrix
//! without the pairs found is shown to have no greater eigenvalue, by a Cholesky decomposition that fails otherwise. Without the proof,
//! as where eigenvalues come too many at a time, there is no answer and the whole is to be decomposed. Invariant: every sum is in an
//! order of its own, so the answer does not depend on the pool.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rand::{Rng, SeedableRng};

use super::dense::{orthonormalize, whole};

/// Columns of a block.
const BLOCK: usize = 8;
/// Sides from which this pays.
const FROM: usize = 256;
/// Blocks from one look at what is found to the next.
const LOOK: usize = 5;
/// Length that a residual may have, as a share of the geometric mean of the largest eigenvalue and its own. Sums in single precision
/// are off by as much, and so is the decomposition of the whole for a vector here and there.
const RESIDUAL: f64 = 1e-7;
/// Share of a column's length that must be new, or the subspace is about to close.
const NEW: f64 = 1e-7;

/// Eigenvalues, largest first, and their unit vectors.
pub(super) type Pairs = (Vec<f64>, Vec<Vec<f64>>);

/// The `count` largest eigenvalues of a finite symmetric matrix (row-major, `size` x `size`) and their unit vectors; `None` where there
/// is no proof of them, or it would take no less than decomposing the whole.
pub(super) fn largest(matrix: &[f64], size: usize, count: usize, par: Par) -> Option<Pairs> {
    let most = size * 2 / 5 / BLOCK * BLOCK;
    let first = (3 * count).max(8 * BLOCK).next_multiple_of(BLOCK);
    if size < FROM || count == 0 || first > most {
        return None;
    }
    let matrix = MatRef::from_row_major_slice(matrix, size, size);
    let mut space = Space { matrix, basis: Mat::zeros(size, most), images: Mat::zeros(size, most), taken: 0, par };
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(0);
    let mut block: Vec<f64> = (0..size * BLOCK).map(|_| random.random_range(-1.0..1.0)).collect();
    let mut look = first;
    while space.taken < most && space.take(&mut block) {
        if space.taken >= look {
            look = space.taken + LOOK * BLOCK;
            if let Some(pairs) = space.pairs(count) {
                return no_greater(matrix, &pairs, par).then_some(pairs);
            }
        }
        space.next_block(&mut block);
    }
    None
}

/// A subspace and what the matrix makes of it.
struct Space<'a> {
    matrix: MatRef<'a, f64>,
    /// Orthonormal columns, of which the first `taken` count.
    basis: Mat<f64>,
    /// The matrix times each of them.
    images: Mat<f64>,
    taken: usize,
    par: Par,
}

impl Space<'_> {
    /// Takes a block of columns (row-major) in, made orthonormal to all there are; says no where they depend on those.
    fn take(&mut self, block: &mut [f64]) -> bool {
        let (size, at) = (self.matrix.nrows(), self.taken);
        let before = lengths(block);
        let basis = self.basis.subcols(0, at);
        let mut along = Mat::<f64>::zeros(at, BLOCK);
        for round in 0..2 {
            let own = MatMut::from_row_major_slice_mut(&mut *block, size, BLOCK);
            matmul(along.as_mut(), Accum::Replace, basis.transpose(), own.as_ref(), 1.0, Par::Seq);
            matmul(own, Accum::Add, basis, along.as_ref(), -1.0, Par::Seq);
            let after = lengths(block);
            if round == 0 && after.iter().zip(&before).any(|(after, before)| *after <= NEW * before) {
                return false;
            }
            // What is near to the columns before it in the block is no longer across to the basis: hence the second round.
            orthonormalize(block, size, BLOCK);
            if lengths(block).contains(&0.0) {
                return false;
            }
        }
        let own = MatRef::from_row_major_slice(&*block, size, BLOCK);
        self.basis.subcols_mut(at, BLOCK).copy_from(own);
        let images = self.images.subcols_mut(at, BLOCK);
        matmul(images, Accum::Replace, self.matrix, self.basis.subcols(at, BLOCK), 1.0, self.par);
        self.taken += BLOCK;
        true
    }

    /// Writes what the matrix makes of the last block over `block`.
    fn next_block(&self, block: &mut [f64]) {
        let last = self.images.subcols(self.taken - BLOCK, BLOCK);
        MatMut::from_row_major_slice_mut(block, self.matrix.nrows(), BLOCK).copy_from(last);
    }

    /// The largest eigenpairs of the matrix inside the subspace, if all are eigenpairs of the whole.
    fn pairs(&self, count: usize) -> Option<Pairs> {
        let (size, taken) = (self.matrix.nrows(), self.taken);
        let (basis, images) = (self.basis.subcols(0, taken), self.images.subcols(0, taken));
        let mut inside = Mat::<f64>::zeros(taken, taken);
        matmul(inside.as_mut(), Accum::Replace, basis.transpose(), images, 1.0, self.par);
        let even = Mat::from_fn(taken, taken, |row, column| 0.5 * (inside[(row, column)] + inside[(column, row)]));
        let (values, turns) = whole(even.as_ref(), count, Par::Seq).ok()?;
        let turns = Mat::from_fn(taken, count, |row, column| turns[column][row]);
        let (mut vectors, mut residuals) = (Mat::<f64>::zeros(size, count), Mat::<f64>::zeros(size, count));
        matmul(vectors.as_mut(), Accum::Replace, basis, turns.as_ref(), 1.0, self.par);
        matmul(residuals.as_mut(), Accum::Replace, images, turns.as_ref(), 1.0, self.par);
        for (column, &value) in values.iter().enumerate() {
            let of = residuals.col(column).iter().zip(vectors.col(column).iter());
            let square: f64 = of.map(|(image, unit)| (image - value * unit) * (image - value * unit)).sum();
            if square.sqrt() > slack(&values, column) || square.is_nan() {
                return None;
            }
        }
        Some((values, (0..count).map(|column| vectors.col(column).iter().copied().collect()).collect()))
    }
}

/// Whether the matrix has no eigenvalue above the last of the pairs, but for those of the pairs.
fn no_greater(matrix: MatRef<'_, f64>, (values, vectors): &Pairs, par: Par) -> bool {
    let (size, count) = (matrix.nrows(), values.len());
    let bound = values[count - 1] + slack(values, count - 1);
    let units = Mat::from_fn(size, count, |row, column| vectors[column][row]);
    let scaled = Mat::from_fn(size, count, |row, column| values[column] * vectors[column][row]);
    let mut rest = Mat::from_fn(size, size, |row, column| if row == column { bound } else { 0.0 });
    rest -= matrix;
    matmul(rest.as_mut(), Accum::Add, scaled.as_ref(), units.transpose(), 1.0, par);
    let mut room = MemBuffer::new(cholesky_in_place_scratch::<f64>(size, par, Default::default()));
    let none = Default::default();
    cholesky_in_place(rest.as_mut(), none, par, MemStack::new(&mut room), Default::default()).is_ok()
}

/// What one eigenvalue may be off by.
fn slack(values: &[f64], at: usize) -> f64 {
    RESIDUAL * (values[0] * values[at]).max(0.0).sqrt()
}

/// Lengths of the columns of a block.
fn lengths(block: &[f64]) -> [f64; BLOCK] {
    let mut squares = [0.0; BLOCK];
    for row in block.as_chunks::<BLOCK>().0 {
        squares.iter_mut().zip(row).for_each(|(sum, value)| *sum += value * value);
    }
    squares.map(f64::sqrt)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A symmetric matrix with these eigenvalues, turned by reflections.
    fn with_values(values: &[f64]) -> Vec<f64> {
        let size = values.len();
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(3);
        let mut matrix = Mat::from_fn(size, size, |row, column| if row == column { values[row] } else { 0.0 });
        for _ in 0..3 {
            let along: Vec<f64> = (0..size).map(|_| random.random_range(-1.0..1.0)).collect();
            let square: f64 = along.iter().map(|value| value * value).sum();
            let along = Mat::from_fn(size, 1, |row, _| along[row]);
            let turned = |m: &Mat<f64>| m - (&along * (along.transpose() * m)) * faer::Scale(2.0 / square);
            let once = turned(&matrix);
            matrix = turned(&once.transpose().to_owned());
        }
        (0..size * size).map(|at| 0.5 * (matrix[(at / size, at % size)] + matrix[(at % size, at / size)])).collect()
    }

    fn falling(size: usize) -> Vec<f64> {
        (0..size).map(|at| 1000.0 * 0.93f64.powi(at as i32) + 1.0).collect()
    }

    #[test]
    fn finds_what_the_whole_decomposition_finds() {
        let values = falling(300);
        let matrix = with_values(&values);
        let (found, vectors) = largest(&matrix, 300, 12, Par::Seq).unwrap();
        let (expected, units) = whole(MatRef::from_row_major_slice(&matrix, 300, 300), 12, Par::Seq).unwrap();
        for at in 0..12 {
            assert!((found[at] - values[at]).abs() < 1e-6 && (found[at] - expected[at]).abs() < 1e-6);
            let along: f64 = vectors[at].iter().zip(&units[at]).map(|(a, b)| a * b).sum();
            assert!((along.abs() - 1.0).abs() < 1e-9, "{at}: {along}");
        }
    }

    #[test]
    fn more_equal_eigenvalues_than_a_block_has_columns_are_never_missed() {
        let mut values = falling(300);
        values[..20].fill(1000.0);
        let Some((found, _)) = largest(&with_values(&values), 300, 15, Par::Seq) else { return };
        assert!(found.iter().all(|value| (value - 1000.0).abs() < 1e-6));
    }

    #[test]
    fn a_pair_left_out_is_noticed() {
        let matrix = with_values(&falling(300));
        let of = MatRef::from_row_major_slice(&matrix, 300, 300);
        let (mut values, mut vectors) = whole(of, 6, Par::Seq).unwrap();
        assert!(no_greater(of, &(values.clone(), vectors.clone()), Par::Seq));
        values.remove(2);
        vectors.remove(2);
        assert!(!no_greater(of, &(values, vectors), Par::Seq));
    }

    #[test]
    fn nothing_is_answered_where_there_is_no_proof() {
        assert!(largest(&with_values(&vec![5.0; 300]), 300, 12, Par::Seq).is_none());
        assert!(largest(&vec![0.0; 300 * 300], 300, 12, Par::Seq).is_none());
        assert!(largest(&with_values(&falling(300)), 300, 150, Par::Seq).is_none());
        let mut low = vec![0.0; 300];
        low[..3].copy_from_slice(&[3.0, 2.0, 1.0]);
        assert!(largest(&with_values(&low), 300, 12, Par::Seq).is_none_or(|(found, _)| (found[2] - 1.0).abs() < 1e-9));
    }
}
