//! Many rows against many rows: blocks of dot products, and centred cross products of columns.
//!
//! Built on faer's matrix product, run sequentially inside fixed blocks that rayon spreads over threads. Invariant: the blocks
//! depend on the input's size only and are reduced in order, so results are the same bytes at any number of threads.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::scatter::scatter_about;
use super::{RowBlocks, Vectors, VectorsError};

/// Rows whose products are summed in single precision before they are added in double.
const DEPTH: usize = 512;
/// Columns of one task.
const STRIP: usize = 128;
/// Rows of one block when columns are averaged.
const MEAN_ROWS: usize = 4096;
/// Most bytes that partial sums may take.
const PARTIAL_BYTES: usize = 256 << 20;

/// `out[i * rows_of_b + j]` = row `i` of `a` times row `j` of `b`. Wants `out` to be exactly as long.
pub(crate) fn products_into(a: &[f32], b: &[f32], dim: usize, out: &mut [f32]) {
    let (rows, columns) = (a.len() / dim, b.len() / dim);
    let a = MatRef::from_row_major_slice(a, rows, dim);
    let b = MatRef::from_row_major_slice(b, columns, dim);
    let out = MatMut::from_row_major_slice_mut(out, rows, columns);
    matmul(out, Accum::Replace, a, b.transpose(), 1.0, Par::Seq);
}

/// Mean of every column, counting finite values only; 0 for a column without any.
pub(crate) fn column_means(vectors: &Vectors) -> Vec<f32> {
    column_means_of(vectors).unwrap_or_else(|_| vec![0.0; vectors.dim()]) // vectors in memory are always there
}

/// As [`column_means`]; wrong once `stop` says yes.
pub(crate) fn column_means_unless(vectors: &Vectors, stop: &(dyn Fn() -> bool + Sync)) -> Vec<f32> {
    means(vectors, stop).unwrap_or_else(|_| vec![0.0; vectors.dim()]) // vectors in memory are always there
}

/// As [`column_means`], of rows that are read block by block.
pub(crate) fn column_means_of(rows: &dyn RowBlocks) -> Result<Vec<f32>, VectorsError> {
    means(rows, &|| false)
}

fn means(rows: &dyn RowBlocks, stop: &(dyn Fn() -> bool + Sync)) -> Result<Vec<f32>, VectorsError> {
    let (count, dim) = (rows.row_count(), rows.row_length());
    let block_of = |number: usize| number * MEAN_ROWS..count.min((number + 1) * MEAN_ROWS);
    let partial: Vec<(Vec<f64>, Vec<u32>)> = (0..count.div_ceil(MEAN_ROWS))
        .into_par_iter()
        .map_init(Vec::new, |room, number| {
            let (mut sums, mut counts) = (vec![0.0; dim], vec![0; dim]);
            let taken = if stop() { 0..0 } else { block_of(number) };
            for row in rows.block(taken, room)?.chunks_exact(dim) {
                for ((sum, count), &value) in sums.iter_mut().zip(&mut counts).zip(row) {
                    let finite = value.is_finite();
                    *sum += if finite { f64::from(value) } else { 0.0 };
                    *count += u32::from(finite);
                }
            }
            Ok((sums, counts))
        })
        .collect::<Result<_, VectorsError>>()?;
    let means = (0..dim).map(|column| {
        let sum: f64 = partial.iter().map(|(sums, _)| sums[column]).sum();
        let count: f64 = partial.iter().map(|(_, counts)| f64::from(counts[column])).sum();
        if count > 0.0 { (sum / count) as f32 } else { 0.0 }
    });
    Ok(means.collect())
}

/// Vectors seen from their mean; values that are not finite count as the mean.
#[derive(Clone, Copy)]
pub(crate) struct Centred<'a> {
    /// The rows.
    pub vectors: &'a Vectors,
    /// What is taken off every row.
    pub mean: &'a [f32],
}

impl Centred<'_> {
    /// Writes columns `columns` of rows `rows`, row after row, over `out`.
    pub fn copy(&self, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>, out: &mut Vec<f32>) {
        out.clear();
        let mean = &self.mean[columns.clone()];
        for row in rows {
            let values = &self.vectors.row(row)[columns.clone()];
            out.extend(values.iter().zip(mean).map(|(&value, &mean)| {
                let centred = value - mean;
                if centred.is_finite() { centred } else { 0.0 }
            }));
        }
    }

    /// All rows, centred.
    pub fn all(&self) -> Vec<f32> {
        self.all_unless(&|| false)
    }

    /// All rows, centred; wrong once `stop` says yes.
    pub fn all_unless(&self, stop: &(dyn Fn() -> bool + Sync)) -> Vec<f32> {
        let dim = self.vectors.dim();
        let mut out = vec![0.0; self.vectors.values().len()];
        out.par_chunks_mut(dim).zip(self.vectors.values().par_chunks(dim)).with_min_len(256).for_each(|(out, row)| {
            if stop() {
                return;
            }
            for ((out, &value), &mean) in out.iter_mut().zip(row).zip(self.mean) {
                let centred = value - mean;
                *out = if centred.is_finite() { centred } else { 0.0 };
            }
        });
        out
    }
}

/// Columns of `a` times columns of `b`, both centred: row-major, `a`'s dimensions x `b`'s. Both must have the same rows.
pub(crate) fn cross_products(a: Centred<'_>, b: Centred<'_>) -> Vec<f64> {
    strips(a, b)
}

/// Columns times columns of the same vectors (the scatter matrix); all of the symmetric matrix is filled in.
pub(crate) fn scatter(a: Centred<'_>) -> Vec<f64> {
    match scatter_about(a.vectors, a.mean, &|_| true) {
        Ok(Some(found)) => found.matrix,
        _ => Vec::new(), // vectors in memory are always there, and nobody stops this
    }
}

/// One strip of columns by one share of rows, for every pair of both; shares are added in order.
fn strips(a: Centred<'_>, b: Centred<'_>) -> Vec<f64> {
    let (rows, tall, wide) = (a.vectors.len(), a.vectors.dim(), b.vectors.dim());
    let shares = (rows / 4096).clamp(1, 16).min((PARTIAL_BYTES / (8 * tall * wide)).max(1));
    let share_rows = rows.div_ceil(shares).next_multiple_of(DEPTH);
    let starts: Vec<usize> = (0..wide).step_by(STRIP).collect();
    let tasks: Vec<(usize, usize)> =
        starts.iter().flat_map(|&start| (0..shares).map(move |share| (start, share))).collect();
    let partial: Vec<Vec<f64>> = tasks
        .par_iter()
        .with_max_len(1)
        .map(|&(start, share)| {
            let rows = (share * share_rows).min(rows)..((share + 1) * share_rows).min(rows);
            let columns = start..(start + STRIP).min(wide);
            strip(a, b, rows, columns)
        })
        .collect();
    let mut out = vec![0.0; tall * wide];
    for (&(start, _), sums) in tasks.iter().zip(&partial) {
        let width = (start + STRIP).min(wide) - start;
        for (row, sums) in sums.chunks_exact(width).enumerate() {
            let at = row * wide + start;
            for (out, sum) in out[at..at + width].iter_mut().zip(sums) {
                *out += sum;
            }
        }
    }
    out
}

/// All columns of `a` times `columns` of `b` over `rows`.
fn strip(a: Centred<'_>, b: Centred<'_>, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) -> Vec<f64> {
    let (tall, width) = (a.vectors.dim(), columns.len());
    let mut sums = vec![0.0f64; tall * width];
    let mut block = vec![0.0f32; tall * width];
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut at = rows.start;
    while at < rows.end {
        let end = (at + DEPTH).min(rows.end);
        a.copy(at..end, 0..tall, &mut left);
        b.copy(at..end, columns.clone(), &mut right);
        let lhs = MatRef::from_row_major_slice(&left, end - at, tall);
        let rhs = MatRef::from_row_major_slice(&right, end - at, width);
        let out = MatMut::from_row_major_slice_mut(&mut block, tall, width);
        matmul(out, Accum::Replace, lhs.transpose(), rhs, 1.0, Par::Seq);
        for (sum, &value) in sums.iter_mut().zip(&block) {
            *sum += f64::from(value);
        }
        at = end;
    }
    sums
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    fn random(rows: usize, dim: usize, seed: u64) -> Vectors {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(seed);
        let values: Vec<f32> = (0..rows * dim).map(|_| random.random_range(-1.0f32..3.0)).collect();
        Vectors::new(values, dim).unwrap()
    }

    #[test]
    fn products_are_dot_products() {
        let (a, b) = (random(7, 33, 1), random(19, 33, 2));
        let mut out = vec![0.0; 7 * 19];
        products_into(a.values(), b.values(), 33, &mut out);
        for (i, row) in a.rows().enumerate() {
            for (j, other) in b.rows().enumerate() {
                assert!((out[i * 19 + j] - super::super::dot(row, other)).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn cross_products_and_scatter_agree_with_double_precision() {
        let (a, b) = (random(1300, 150, 3), random(1300, 9, 4));
        let (mean_a, mean_b) = (column_means(&a), column_means(&b));
        let (a, b) = (Centred { vectors: &a, mean: &mean_a }, Centred { vectors: &b, mean: &mean_b });
        let exact = |x: Centred<'_>, i: usize, y: Centred<'_>, j: usize| -> f64 {
            let column = |c: Centred<'_>, j: usize| -> Vec<f64> {
                c.vectors.rows().map(|row| f64::from(row[j]) - f64::from(c.mean[j])).collect()
            };
            column(x, i).iter().zip(column(y, j)).map(|(p, q)| p * q).sum()
        };
        let (cross, square) = (cross_products(a, b), scatter(a));
        for (i, j) in [(0, 0), (3, 8), (149, 4), (128, 0)] {
            assert!((cross[i * 9 + j] - exact(a, i, b, j)).abs() < 1e-2);
        }
        for (i, j) in [(0, 0), (3, 149), (149, 3), (128, 127), (140, 129)] {
            assert!((square[i * 150 + j] - exact(a, i, a, j)).abs() < 1e-2);
        }
    }

    #[test]
    fn broken_values_count_as_the_mean() {
        let vectors = Vectors::new(vec![1.0, f32::NAN, 3.0, 4.0], 2).unwrap();
        let mean = column_means(&vectors);
        assert_eq!(mean, [2.0, 4.0]);
        assert_eq!(Centred { vectors: &vectors, mean: &mean }.all(), [-1.0, 0.0, 1.0, 0.0]);
    }
}
