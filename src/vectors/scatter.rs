//! Columns times columns of the same rows (the scatter matrix), one pass over blocks of rows.
//!
//! Only the lower triangle is computed. Products are summed in single precision over 256 rows in registers and over 2,048 rows in
//! memory, beyond that in double. Invariant: shares of rows depend on the input's size only and are added in order, so results are
//! the same bytes at any number of threads.

use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::panels;
use super::{RowBlocks, VectorsError};

/// Rows that are taken in at a time.
const DEPTH: usize = 256;
/// Blocks summed in single precision before they are added in double.
const BLOCKS: usize = 8;
/// Most bytes that the sums of all shares may take.
const PARTIAL_BYTES: usize = 256 << 20;
/// Columns of one panel.
pub(super) const PANEL: usize = 16;

/// Sums over all rows, seen from some origin.
pub(crate) struct Scatter {
    /// Columns times columns, row-major, all of the symmetric matrix.
    pub matrix: Vec<f64>,
    /// Sum of every column.
    pub sums: Vec<f64>,
    /// Whether all values were finite; one that is not counts as the origin.
    pub finite: bool,
}

/// Sums of `rows` seen from `origin`. `Ok(None)` when `go_on`, told the rows done, says no.
pub(crate) fn scatter_about(
    rows: &dyn RowBlocks,
    origin: &[f32],
    go_on: &(dyn Fn(usize) -> bool + Sync),
) -> Result<Option<Scatter>, VectorsError> {
    let (count, dim) = (rows.row_count(), origin.len());
    let shares = (count / 4096).clamp(1, 16).min((PARTIAL_BYTES / (4 * dim * dim)).max(1));
    let share = count.div_ceil(shares).next_multiple_of(DEPTH).max(DEPTH);
    let parts: Vec<Option<Share>> = (0..count.div_ceil(share))
        .into_par_iter()
        .with_max_len(1)
        .map_init(
            || Bench::new(dim),
            |bench, part| share_of(rows, origin, part * share..count.min((part + 1) * share), bench, go_on),
        )
        .collect::<Result<_, _>>()?;
    let mut whole = Scatter { matrix: vec![0.0; dim * dim], sums: vec![0.0; dim], finite: true };
    let Some(parts) = parts.into_iter().collect::<Option<Vec<Share>>>() else { return Ok(None) };
    whole.matrix.par_chunks_mut(dim).enumerate().for_each(|(row, out)| {
        for part in &parts {
            let own = &part.lower[row * (row + 1) / 2..][..=row];
            out.iter_mut().zip(own).for_each(|(sum, &value)| *sum += value);
        }
    });
    for part in &parts {
        whole.sums.iter_mut().zip(&part.sums).for_each(|(sum, &value)| *sum += value);
        whole.finite &= part.finite;
    }
    for row in 0..dim {
        for column in row + 1..dim {
            whole.matrix[row * dim + column] = whole.matrix[column * dim + row];
        }
    }
    Ok(Some(whole))
}

/// What one share of the rows adds up to.
struct Share {
    /// Lower triangle, row after row: row `r` has `r + 1` values.
    lower: Vec<f64>,
    sums: Vec<f64>,
    finite: bool,
}

/// What a thread works with, used again for its next share.
struct Bench {
    /// Columns, rounded up to whole panels.
    width: usize,
    /// Lower triangle over the last blocks, `width` x `width`.
    single: Vec<f32>,
    packed: Vec<f32>,
    sums: Vec<f32>,
    room: Vec<f32>,
}

impl Bench {
    fn new(dim: usize) -> Self {
        let width = dim.next_multiple_of(PANEL);
        let (single, packed) = (vec![0.0; width * width], vec![0.0; DEPTH * width]);
        Self { width, single, packed, sums: vec![0.0; dim], room: Vec::new() }
    }

    /// Adds the single precision sums to the double ones.
    fn settle(&mut self, lower: &mut [f64]) {
        let mut rest = lower;
        for (row, single) in self.single.chunks_exact_mut(self.width).enumerate() {
            let Some((own, others)) = rest.split_at_mut_checked(row + 1) else { break };
            for (double, single) in own.iter_mut().zip(single) {
                *double += f64::from(*single);
                *single = 0.0;
            }
            rest = others;
        }
        self.single.fill(0.0);
    }
}

fn share_of(
    rows: &dyn RowBlocks,
    origin: &[f32],
    range: std::ops::Range<usize>,
    bench: &mut Bench,
    go_on: &(dyn Fn(usize) -> bool + Sync),
) -> Result<Option<Share>, VectorsError> {
    let dim = origin.len();
    let mut share = Share { lower: vec![0.0; dim * (dim + 1) / 2], sums: vec![0.0; dim], finite: true };
    let by_panels = panels::available();
    let depth = if by_panels { DEPTH } else { 0 };
    for (number, first) in range.clone().step_by(DEPTH).enumerate() {
        let last = (first + DEPTH).min(range.end);
        let block = rows.block(first..last, &mut bench.room)?;
        share.finite &= pack(block, origin, depth, &mut bench.packed, &mut bench.sums);
        share.sums.iter_mut().zip(&bench.sums).for_each(|(sum, &value)| *sum += f64::from(value));
        if by_panels {
            panels::add_lower(&bench.packed, last - first, DEPTH, &mut bench.single, bench.width);
        } else {
            add_lower(&bench.packed[..(last - first) * bench.width], bench.width, &mut bench.single);
        }
        if number % BLOCKS == BLOCKS - 1 {
            bench.settle(&mut share.lower);
        }
        if !go_on(last - first) {
            return Ok(None);
        }
    }
    bench.settle(&mut share.lower);
    Ok(Some(share))
}

/// Writes the rows seen from the origin to `packed`: row after row, each filled up with zeros to whole panels, or panel after panel
/// of `depth` rows where that is not 0. Sums every column. Tells whether all values were finite.
fn pack(block: &[f32], origin: &[f32], depth: usize, packed: &mut [f32], sums: &mut [f32]) -> bool {
    let dim = origin.len();
    let width = dim.next_multiple_of(PANEL);
    let mut finite = true;
    sums.fill(0.0);
    for (row, values) in block.chunks_exact(dim).enumerate() {
        let place = |panel: usize| if depth > 0 { (panel * depth + row) * PANEL } else { row * width + panel * PANEL };
        let (whole, rest) = values.as_chunks::<PANEL>();
        let (origins, origin_rest) = origin.as_chunks::<PANEL>();
        let (totals, total_rest) = sums.as_chunks_mut::<PANEL>();
        for (panel, ((values, origin), sums)) in whole.iter().zip(origins).zip(totals).enumerate() {
            let at = place(panel);
            if let Some(out) = packed[at..].first_chunk_mut::<PANEL>() {
                let mut good = [true; PANEL];
                for lane in 0..PANEL {
                    let seen = values[lane] - origin[lane];
                    good[lane] = seen.abs() <= f32::MAX;
                    out[lane] = if good[lane] { seen } else { 0.0 };
                    sums[lane] += out[lane];
                }
                finite &= good == [true; PANEL];
            }
        }
        let at = place(whole.len());
        for (lane, &value) in rest.iter().enumerate() {
            let seen = value - origin_rest[lane];
            finite &= seen.is_finite();
            packed[at + lane] = if seen.is_finite() { seen } else { 0.0 };
            total_rest[lane] += packed[at + lane];
        }
    }
    finite
}

/// Adds the lower triangle of columns times columns of row-major `rows`.
fn add_lower(rows: &[f32], width: usize, out: &mut [f32]) {
    let rows = MatRef::from_row_major_slice(rows, rows.len() / width, width);
    let out = MatMut::from_row_major_slice_mut(out, width, width);
    let (lower, whole) = (BlockStructure::TriangularLower, BlockStructure::Rectangular);
    matmul(out, lower, Accum::Add, rows.transpose(), whole, rows, whole, 1.0, Par::Seq);
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::vectors::Vectors;

    fn random(rows: usize, dim: usize) -> Vectors {
        let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(rows as u64);
        Vectors::new((0..rows * dim).map(|_| random.random_range(-1.0f32..2.0)).collect::<Vec<_>>(), dim).unwrap()
    }

    fn exact(vectors: &Vectors, origin: f32, i: usize, j: usize) -> f64 {
        let seen = |value: f32| f64::from(value) - f64::from(origin);
        vectors.rows().map(|row| seen(row[i]) * seen(row[j])).sum()
    }

    #[test]
    fn both_kernels_agree_with_double_precision() {
        for (rows, dim) in [(1, 1), (255, 15), (300, 16), (700, 49), (513, 100)] {
            let vectors = random(rows, dim);
            let width = dim.next_multiple_of(PANEL);
            let origin = vec![0.25; dim];
            let (mut by_panels, mut portable) = (vec![0.0; width * width], vec![0.0; width * width]);
            let (mut packed, mut sums) = (vec![0.0; DEPTH * width], vec![0.0; dim]);
            for block in vectors.values().chunks(DEPTH * dim) {
                let count = block.len() / dim;
                assert!(pack(block, &origin, DEPTH, &mut packed, &mut sums));
                panels::add_lower(&packed, count, DEPTH, &mut by_panels, width);
                assert!(pack(block, &origin, 0, &mut packed, &mut sums));
                add_lower(&packed[..count * width], width, &mut portable);
            }
            for i in 0..dim {
                for j in 0..=i {
                    let expected = exact(&vectors, 0.25, i, j);
                    let near = |found: f32| (f64::from(found) - expected).abs() < 1e-5 * rows as f64;
                    assert!(near(portable[i * width + j]), "{rows} x {dim}: {i}, {j}");
                    assert!(!panels::available() || near(by_panels[i * width + j]), "{rows} x {dim}: {i}, {j}");
                }
            }
        }
    }

    #[test]
    fn sums_are_the_same_in_every_pool_and_broken_values_count_as_the_origin() {
        let vectors = random(9000, 33);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| scatter_about(&vectors, &[0.5; 33], &|_| true)).unwrap().unwrap();
            (found.matrix, found.sums, found.finite)
        };
        let one = with(1);
        assert!(one == with(3) && one.2);
        assert!(
            (one.0[33 * 7 + 20] - exact(&vectors, 0.5, 7, 20)).abs() < 1e-2 && one.0[33 * 20 + 7] == one.0[33 * 7 + 20]
        );
        let broken = Vectors::new(vec![1.0, f32::NAN, 2.0, 3.0], 2).unwrap();
        let found = scatter_about(&broken, &[0.0, 0.0], &|_| true).unwrap().unwrap();
        assert_eq!((found.matrix, found.sums, found.finite), (vec![5.0, 6.0, 6.0, 9.0], vec![3.0, 3.0], false));
        assert!(scatter_about(&vectors, &[0.5; 33], &|_| false).unwrap().is_none());
    }
}
