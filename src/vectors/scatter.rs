//! Columns times columns of the same rows (the scatter matrix), one pass over blocks of rows.
//!
//! Only the lower triangle is computed. Rows are packed some blocks at a time; then each thread adds them to a strip of the triangle,
//! so there is one triangle, whatever the number of threads. Products are summed in single precision over 256 rows in registers and
//! over 2,048 rows in memory, beyond that in double. Invariant: every sum runs over the rows in the same order, so results are the
//! same bytes at any number of threads.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::panels;
use super::{RowBlocks, VectorsError};

/// Rows of a block.
const DEPTH: usize = 256;
/// Blocks summed in single precision before they are added in double.
const BLOCKS: usize = 8;
/// Bytes of packed rows at a time, where [`BLOCKS`] blocks are not more.
const PACKED_BYTES: usize = 8 << 20;
/// Strips that the triangle is split into.
const STRIPS: usize = 8;
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
    let block = DEPTH * dim.next_multiple_of(PANEL);
    let blocks = (PACKED_BYTES / (4 * block) / BLOCKS * BLOCKS).max(BLOCKS).min(count.div_ceil(DEPTH));
    let mut packed = vec![0.0f32; blocks * block];
    let mut strips = Strip::all(dim);
    let mut whole = Scatter { matrix: vec![0.0; dim * dim], sums: vec![0.0; dim], finite: true };
    for first in (0..count).step_by(blocks.max(1) * DEPTH) {
        let taken = first..count.min(first + blocks * DEPTH);
        let found = pack_blocks(rows, origin, taken.clone(), &mut packed)?;
        for (sums, finite) in found {
            whole.sums.iter_mut().zip(&sums).for_each(|(sum, &value)| *sum += f64::from(value));
            whole.finite &= finite;
        }
        let mut rest = &mut whole.matrix[..];
        let mut parts = Vec::with_capacity(strips.len());
        for strip in &mut strips {
            let (own, others) = rest.split_at_mut(strip.rows(dim).len() * dim);
            parts.push((strip, own));
            rest = others;
        }
        let packed = &packed[..];
        parts.into_par_iter().with_max_len(1).for_each(|(strip, out)| strip.add(packed, taken.len(), dim, out));
        if !go_on(taken.len()) {
            return Ok(None);
        }
    }
    for row in 0..dim {
        for column in row + 1..dim {
            whole.matrix[row * dim + column] = whole.matrix[column * dim + row];
        }
    }
    Ok(Some(whole))
}

/// Packs the rows `taken`, block by block; for each the sums of its columns and whether all of it was finite.
fn pack_blocks(
    rows: &dyn RowBlocks,
    origin: &[f32],
    taken: Range<usize>,
    packed: &mut [f32],
) -> Result<Vec<(Vec<f32>, bool)>, VectorsError> {
    let depth = if panels::available() { DEPTH } else { 0 };
    packed
        .par_chunks_mut(DEPTH * origin.len().next_multiple_of(PANEL))
        .take(taken.len().div_ceil(DEPTH))
        .enumerate()
        .map_init(Vec::new, |room, (number, packed)| {
            let first = taken.start + number * DEPTH;
            let block = rows.block(first..taken.end.min(first + DEPTH), room)?;
            let mut sums = vec![0.0f32; origin.len()];
            let finite = pack(block, origin, depth, packed, &mut sums);
            Ok((sums, finite))
        })
        .collect()
}

/// Some panels of columns times all columns up to them.
struct Strip {
    /// The panels, of which each is 16 rows of the matrix.
    panels: Range<usize>,
    /// Sums over the last blocks: a row for each column of the panels, as wide as all panels.
    single: Vec<f32>,
}

impl Strip {
    /// Strips of about the same area that make up the triangle.
    fn all(dim: usize) -> Vec<Self> {
        let (panels, width) = (dim.div_ceil(PANEL), dim.next_multiple_of(PANEL));
        let end = |strip: usize| (panels as f64 * (strip as f64 / STRIPS as f64).sqrt()).round() as usize;
        let strips = (0..STRIPS).map(|strip| end(strip)..end(strip + 1)).filter(|panels| !panels.is_empty());
        strips.map(|panels| Self { single: vec![0.0; panels.len() * PANEL * width], panels }).collect()
    }

    /// Its rows of the matrix.
    fn rows(&self, dim: usize) -> Range<usize> {
        self.panels.start * PANEL..(self.panels.end * PANEL).min(dim)
    }

    /// Adds `rows` packed rows to its rows `out` of the matrix.
    fn add(&mut self, packed: &[f32], rows: usize, dim: usize, out: &mut [f64]) {
        let width = dim.next_multiple_of(PANEL);
        for (number, blocks) in packed.chunks(BLOCKS * DEPTH * width).enumerate() {
            let left = rows.saturating_sub(number * BLOCKS * DEPTH);
            if left == 0 {
                break;
            }
            self.single.fill(0.0);
            for (at, block) in blocks.chunks(DEPTH * width).enumerate().take(left.div_ceil(DEPTH)) {
                let rows = (left - at * DEPTH).min(DEPTH);
                if panels::available() {
                    panels::add_lower(block, (rows, DEPTH), self.panels.clone(), &mut self.single, width);
                } else {
                    add_lower(&block[..rows * width], self.panels.clone(), &mut self.single, width);
                }
            }
            let own = out.chunks_exact_mut(dim).zip(self.single.chunks_exact(width)).zip(self.rows(dim));
            for ((double, single), row) in own {
                double[..=row].iter_mut().zip(single).for_each(|(sum, &value)| *sum += f64::from(value));
            }
        }
    }
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

/// Adds the columns of `panels` times all columns up to them, of row-major `rows`.
fn add_lower(rows: &[f32], panels: Range<usize>, out: &mut [f32], width: usize) {
    let rows = MatRef::from_row_major_slice(rows, rows.len() / width, width);
    let own = rows.subcols(panels.start * PANEL, panels.len() * PANEL);
    let out = MatMut::from_row_major_slice_mut(out, panels.len() * PANEL, width).subcols_mut(0, panels.end * PANEL);
    matmul(out, Accum::Add, own.transpose(), rows.subcols(0, panels.end * PANEL), 1.0, Par::Seq);
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
                panels::add_lower(&packed, (count, DEPTH), 0..width / PANEL, &mut by_panels, width);
                assert!(pack(block, &origin, 0, &mut packed, &mut sums));
                add_lower(&packed[..count * width], 0..width / PANEL, &mut portable, width);
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
