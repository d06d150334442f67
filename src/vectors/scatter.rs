//! Columns times columns of the same rows (the scatter matrix), one pass over blocks of rows.
//!
//! Only the lower triangle is computed. Rows are packed some blocks at a time; then each thread adds them to a strip of the triangle,
//! so there is one triangle, whatever the number of threads. Products are summed in single precision over 256 rows in registers (128 in
//! matrix tiles) and over 2,048 rows (4,096) in memory, beyond that in double. Invariant: every sum runs over the rows in the same order, so results are the
//! same bytes at any number of threads.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::scatter_tiles::{self, Line};
use super::{RowBlocks, VectorsError, panels};

/// Rows of a block.
pub(super) const DEPTH: usize = 256;
/// Blocks summed in single precision before they are added in double; twice as many by tiles, which sum half as many rows at first.
const BLOCKS: usize = 8;
/// Bytes of packed rows at a time, where the blocks summed together are not more.
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

/// How products are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By matrix tiles.
    Tiles,
    /// By AVX-512, over panels.
    Panels,
    /// By faer, over rows.
    Portable,
}

impl Way {
    /// The best this machine has.
    fn best(dim: usize) -> Self {
        match () {
            () if scatter_tiles::available(dim) => Self::Tiles,
            () if panels::available() => Self::Panels,
            () => Self::Portable,
        }
    }

    /// Blocks summed in single precision.
    fn blocks(self) -> usize {
        if self == Self::Tiles { 2 * BLOCKS } else { BLOCKS }
    }

    /// Columns of a panel.
    fn side(self) -> usize {
        if self == Self::Tiles { scatter_tiles::SIDE } else { PANEL }
    }
}

/// Packed rows, some blocks of them.
enum Packed {
    Tiles(Vec<Line>),
    Values(Vec<f32>),
}

impl Packed {
    fn new(way: Way, blocks: usize, dim: usize) -> Self {
        match way {
            Way::Tiles => Self::Tiles(vec![Line::ZERO; blocks * scatter_tiles::lines(dim)]),
            _ => Self::Values(vec![0.0; blocks * DEPTH * dim.next_multiple_of(PANEL)]),
        }
    }
}

/// Sums of `rows` seen from `origin`. `Ok(None)` when `go_on`, told the rows done, says no.
pub(crate) fn scatter_about(
    rows: &dyn RowBlocks,
    origin: &[f32],
    go_on: &(dyn Fn(usize) -> bool + Sync),
) -> Result<Option<Scatter>, VectorsError> {
    scatter_by(Way::best(origin.len()), rows, origin, go_on)
}

fn scatter_by(
    way: Way,
    rows: &dyn RowBlocks,
    origin: &[f32],
    go_on: &(dyn Fn(usize) -> bool + Sync),
) -> Result<Option<Scatter>, VectorsError> {
    let (count, dim) = (rows.row_count(), origin.len());
    let block = DEPTH * dim.next_multiple_of(PANEL);
    let summed = way.blocks();
    let blocks = (PACKED_BYTES / (4 * block) / summed * summed).max(summed).min(count.div_ceil(DEPTH));
    let mut packed = Packed::new(way, blocks, dim);
    let mut strips = Strip::all(way, dim);
    let mut whole = Scatter { matrix: vec![0.0; dim * dim], sums: vec![0.0; dim], finite: true };
    for first in (0..count).step_by(blocks.max(1) * DEPTH) {
        let taken = first..count.min(first + blocks * DEPTH);
        let found = packed.fill(way, rows, origin, taken.clone())?;
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
        let packed = &packed;
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

/// The sums of a block's columns, and whether all of it was finite.
type Summed = (Vec<f32>, bool);

impl Packed {
    /// Packs the rows `taken`, block by block.
    fn fill(
        &mut self,
        way: Way,
        rows: &dyn RowBlocks,
        origin: &[f32],
        taken: Range<usize>,
    ) -> Result<Vec<Summed>, VectorsError> {
        let dim = origin.len();
        let blocks = taken.len().div_ceil(DEPTH);
        let depth = if way == Way::Panels { DEPTH } else { 0 };
        let range = |number: usize| {
            let first = taken.start + number * DEPTH;
            first..taken.end.min(first + DEPTH)
        };
        match self {
            Self::Tiles(packed) => packed
                .par_chunks_mut(scatter_tiles::lines(dim))
                .take(blocks)
                .enumerate()
                .map_init(Vec::new, |room, (number, packed)| {
                    let mut sums = vec![0.0f32; dim];
                    let finite = scatter_tiles::pack(rows.block(range(number), room)?, origin, packed, &mut sums);
                    Ok((sums, finite))
                })
                .collect(),
            Self::Values(packed) => packed
                .par_chunks_mut(DEPTH * dim.next_multiple_of(PANEL))
                .take(blocks)
                .enumerate()
                .map_init(Vec::new, |room, (number, packed)| {
                    let mut sums = vec![0.0f32; dim];
                    let finite = pack(rows.block(range(number), room)?, origin, depth, packed, &mut sums);
                    Ok((sums, finite))
                })
                .collect(),
        }
    }
}

/// Some panels of columns times all columns up to them.
struct Strip {
    way: Way,
    /// The panels, each of which is [`Way::side`] rows of the matrix.
    panels: Range<usize>,
    /// Sums over the last blocks: a row for each column of the panels, as wide as all panels.
    single: Vec<f32>,
}

impl Strip {
    /// Strips of about the same area that make up the triangle.
    fn all(way: Way, dim: usize) -> Vec<Self> {
        let side = way.side();
        let (panels, width) = (dim.div_ceil(side), dim.next_multiple_of(side));
        let end = |strip: usize| (panels as f64 * (strip as f64 / STRIPS as f64).sqrt()).round() as usize;
        let strips = (0..STRIPS).map(|strip| end(strip)..end(strip + 1)).filter(|panels| !panels.is_empty());
        strips.map(|panels| Self { way, single: vec![0.0; panels.len() * side * width], panels }).collect()
    }

    /// Its rows of the matrix.
    fn rows(&self, dim: usize) -> Range<usize> {
        let side = self.way.side();
        self.panels.start * side..(self.panels.end * side).min(dim)
    }

    /// Adds `rows` packed rows to its rows `out` of the matrix.
    fn add(&mut self, packed: &Packed, rows: usize, dim: usize, out: &mut [f64]) {
        let width = dim.next_multiple_of(self.way.side());
        let summed = self.way.blocks() * DEPTH;
        for first in (0..rows).step_by(summed) {
            self.single.fill(0.0);
            for from in (first..rows.min(first + summed)).step_by(DEPTH) {
                self.add_block(packed, (from / DEPTH, DEPTH.min(rows - from)), width);
            }
            let own = out.chunks_exact_mut(dim).zip(self.single.chunks_exact(width)).zip(self.rows(dim));
            for ((double, single), row) in own {
                double[..=row].iter_mut().zip(single).for_each(|(sum, &value)| *sum += f64::from(value));
            }
        }
    }

    /// Adds the rows of a block, of which so many are there.
    fn add_block(&mut self, packed: &Packed, (block, rows): (usize, usize), width: usize) {
        let (own, out) = (self.panels.clone(), &mut self.single[..]);
        match packed {
            Packed::Tiles(packed) => {
                let size = scatter_tiles::lines(width);
                scatter_tiles::add_lower(&packed[block * size..(block + 1) * size], rows, own, out, width);
            }
            Packed::Values(packed) => {
                let packed = &packed[block * DEPTH * width..(block + 1) * DEPTH * width];
                if self.way == Way::Panels {
                    panels::add_lower(packed, (rows, DEPTH), own, out, width);
                } else {
                    add_lower(&packed[..rows * width], own, out, width);
                }
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

    /// The ways this machine has.
    fn ways(dim: usize) -> Vec<Way> {
        let mut ways = vec![Way::Portable];
        ways.extend(panels::available().then_some(Way::Panels));
        ways.extend(scatter_tiles::available(dim).then_some(Way::Tiles));
        ways
    }

    #[test]
    fn all_kernels_agree_with_double_precision() {
        for (rows, dim) in [(1, 1), (255, 15), (300, 16), (700, 49), (513, 100), (1, 64), (3000, 70), (257, 128)] {
            let vectors = random(rows, dim);
            for way in ways(dim) {
                let found = scatter_by(way, &vectors, &vec![0.25; dim], &|_| true).unwrap().unwrap();
                assert!(found.finite);
                for i in 0..dim {
                    let sum: f64 = vectors.rows().map(|row| f64::from(row[i]) - 0.25).sum();
                    assert!((found.sums[i] - sum).abs() < 1e-5 * rows as f64);
                    for j in 0..=i {
                        let expected = exact(&vectors, 0.25, i, j);
                        let off = (found.matrix[i * dim + j] - expected).abs();
                        assert!(off < 1e-6 * rows as f64, "{way:?} {rows} x {dim}: {i}, {j}: {off}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_kernel_keeps_all_digits_of_single_precision() {
        // Values of 24 digits: what is cut off a value would show in its square.
        let values: Vec<f32> =
            (0..64 * 64).map(|at| 1.0 + (at * 2_654_435 % 8_388_607) as f32 * 2f32.powi(-23)).collect();
        let vectors = Vectors::new(values, 64).unwrap();
        for way in ways(64) {
            let found = scatter_by(way, &vectors, &[0.0; 64], &|_| true).unwrap().unwrap();
            for i in 0..64 {
                let share = found.matrix[i * 64 + i] / exact(&vectors, 0.0, i, i) - 1.0;
                assert!(share.abs() < 5e-7, "{way:?}: {share}");
            }
        }
    }

    #[test]
    fn sums_are_the_same_in_every_pool_and_broken_values_count_as_the_origin() {
        for (dim, i, j) in [(33, 7, 20), (97, 90, 3)] {
            let vectors = random(9000, dim);
            let with = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let found = pool.install(|| scatter_about(&vectors, &vec![0.5; dim], &|_| true)).unwrap().unwrap();
                (found.matrix, found.sums, found.finite)
            };
            let one = with(1);
            assert!(one == with(2) && one == with(3) && one.2);
            let (value, other) = (one.0[dim * i + j], one.0[dim * j + i]);
            assert!((value - exact(&vectors, 0.5, i, j)).abs() < 1e-2 && value == other);
            assert!(scatter_about(&vectors, &vec![0.5; dim], &|_| false).unwrap().is_none());
        }
        let mut values = random(300, 80).values().to_vec();
        values[80 * 299 + 79] = f32::INFINITY;
        values[80 * 3 + 5] = f32::NAN;
        let broken = Vectors::new(values.clone(), 80).unwrap();
        values[80 * 299 + 79] = 0.5;
        values[80 * 3 + 5] = 0.5;
        let mended = Vectors::new(values, 80).unwrap();
        for way in ways(80) {
            let of = |vectors| scatter_by(way, vectors, &[0.5; 80], &|_| true).unwrap().unwrap();
            let (broken, mended) = (of(&broken), of(&mended));
            assert!(broken.matrix == mended.matrix && broken.sums == mended.sums && !broken.finite && mended.finite);
        }
        let broken = Vectors::new(vec![1.0, f32::NAN, 2.0, 3.0], 2).unwrap();
        let found = scatter_about(&broken, &[0.0, 0.0], &|_| true).unwrap().unwrap();
        assert_eq!((found.matrix, found.sums, found.finite), (vec![5.0, 6.0, 6.0, 9.0], vec![3.0, 3.0], false));
    }
}
