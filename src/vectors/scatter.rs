//! Columns times columns of the same rows (the scatter matrix), one pass over blocks of rows.
//!
//! Only the lower triangle is computed. Rows are cut into shares; a thread packs a share block by block and adds each block to the
//! share's own triangle while it lies in the second cache. Products are summed in single precision over 128 rows in
//! registers and over a share in memory, beyond that in double. Invariant: shares depend on the number of rows alone and are added
//! in their order, so results are the same bytes at any number of threads.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::scatter_tiles::{self, Line};
use super::{RowBlocks, VectorsError, panels};

/// Rows of a block.
pub(super) const DEPTH: usize = 128;
/// Lines of a packed panel, one more than rows, lest a row of all panels take the same place in the first cache.
const LINES: usize = DEPTH + 1;
/// Fewest and most rows of a share.
const SHARE: (usize, usize) = (512, 4096);
/// Shares that there are at least, where they would not become too small.
const SHARES: usize = 16;
/// Bytes that the triangles of shares take together, unless one takes more.
const TRIANGLE_BYTES: usize = 256 << 20;
/// Columns of one panel.
pub(super) const PANEL: usize = 16;
/// Panels whose columns are multiplied at once without a kernel of our own.
const STRIP: usize = 8;

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

    /// Columns of a panel.
    fn side(self) -> usize {
        if self == Self::Tiles { scatter_tiles::SIDE } else { PANEL }
    }

    /// Values that a triangle of so many columns takes.
    fn triangle(self, dim: usize) -> usize {
        let panels = dim.div_ceil(self.side());
        let whole = if self == Self::Tiles { panels * (panels + 1) / 2 } else { panels * panels };
        whole * self.side() * self.side()
    }

    /// Where the columns of panel `panel` begin in row `row` of a triangle; there are [`Way::side`] of them.
    fn place(self, dim: usize, row: usize, panel: usize) -> usize {
        match self {
            Self::Tiles => scatter_tiles::place(row, panel),
            Self::Panels | Self::Portable => row * dim.next_multiple_of(PANEL) + panel * PANEL,
        }
    }
}

/// Sums of `rows` seen from `origin`. `Ok(None)` when `go_on`, told the rows done by any thread, says no.
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
    let share = count.div_ceil(SHARES).next_multiple_of(DEPTH).clamp(SHARE.0, SHARE.1);
    let threads = rayon::current_num_threads();
    let (shares, most) = (count.div_ceil(share), TRIANGLE_BYTES / (4 * way.triangle(dim)).max(1));
    let most = most.clamp(1, 4 * threads);
    let together = shares.div_ceil(shares.div_ceil(most).max(1));
    let mut places: Vec<Place> = (0..together).map(|_| Place::new(way, dim)).collect();
    let mut whole = Scatter { matrix: vec![0.0; dim * dim], sums: vec![0.0; dim], finite: true };
    let stopped = AtomicBool::new(false);
    let goes_on = |done: usize| {
        if !stopped.load(Ordering::Relaxed) && !go_on(done) {
            stopped.store(true, Ordering::Relaxed);
        }
        !stopped.load(Ordering::Relaxed)
    };
    for first in (0..count).step_by(places.len().max(1) * share) {
        let taken = (count - first).div_ceil(share).min(places.len());
        let places = &mut places[..taken];
        places.par_iter_mut().with_max_len(1).enumerate().try_for_each(|(number, place)| {
            let first = first + number * share;
            place.sum(rows, origin, first..count.min(first + share), &goes_on)
        })?;
        if stopped.load(Ordering::Relaxed) {
            return Ok(None);
        }
        whole.add(places);
    }
    for row in 0..dim {
        for column in row + 1..dim {
            whole.matrix[row * dim + column] = whole.matrix[column * dim + row];
        }
    }
    Ok(Some(whole))
}

impl Scatter {
    /// Adds the sums of shares, one after the other, to the lower triangle.
    fn add(&mut self, places: &[Place]) {
        let dim = self.sums.len();
        self.matrix.par_chunks_mut(dim).enumerate().with_min_len(PANEL).for_each(|(row, out)| {
            for place in places {
                let side = place.way.side();
                for (panel, out) in out[..=row].chunks_mut(side).enumerate() {
                    let at = place.way.place(dim, row, panel);
                    out.iter_mut().zip(&place.triangle[at..]).for_each(|(sum, &value)| *sum += f64::from(value));
                }
            }
        });
        for place in places {
            self.sums.iter_mut().zip(&place.sums).for_each(|(sum, &value)| *sum += value);
            self.finite &= place.finite;
        }
    }
}

/// Where a thread sums up a share.
struct Place {
    way: Way,
    /// A packed block.
    packed: Packed,
    /// Sums of products, laid out as [`Way::place`] says.
    triangle: Vec<f32>,
    /// Sum of every column.
    sums: Vec<f64>,
    finite: bool,
    /// What blocks that are not in memory are read to.
    room: Vec<f32>,
}

/// A packed block of rows.
enum Packed {
    Tiles(Vec<Line>),
    Values(Vec<f32>),
}

impl Place {
    fn new(way: Way, dim: usize) -> Self {
        let packed = match way {
            Way::Tiles => Packed::Tiles(vec![Line::ZERO; scatter_tiles::lines(dim)]),
            Way::Panels | Way::Portable => Packed::Values(vec![0.0; LINES * dim.next_multiple_of(PANEL)]),
        };
        let triangle = vec![0.0; way.triangle(dim)];
        Self { way, packed, triangle, sums: vec![0.0; dim], finite: true, room: Vec::new() }
    }

    /// Sums up the rows `share` alone; leaves off when `go_on`, told the rows done, says no.
    fn sum(
        &mut self,
        rows: &dyn RowBlocks,
        origin: &[f32],
        share: Range<usize>,
        go_on: &(dyn Fn(usize) -> bool + Sync),
    ) -> Result<(), VectorsError> {
        self.triangle.fill(0.0);
        self.sums.fill(0.0);
        self.finite = true;
        let (way, width) = (self.way, origin.len().next_multiple_of(PANEL));
        let mut sums = vec![0.0f32; origin.len()];
        for first in share.clone().step_by(DEPTH) {
            let taken = first..share.end.min(first + DEPTH);
            let count = taken.len();
            let block = rows.block(taken, &mut self.room)?;
            let out = &mut self.triangle[..];
            self.finite &= match &mut self.packed {
                Packed::Tiles(packed) => {
                    let finite = scatter_tiles::pack(block, origin, packed, &mut sums);
                    scatter_tiles::add_lower(packed, count, origin.len(), out);
                    finite
                }
                Packed::Values(packed) if way == Way::Panels => {
                    let finite = panels::pack(block, origin, LINES, packed, &mut sums);
                    panels::add_lower(packed, (count, LINES), out, width);
                    finite
                }
                Packed::Values(packed) => {
                    let finite = pack(block, origin, packed, &mut sums);
                    add_lower(&packed[..count * width], out, width);
                    finite
                }
            };
            self.sums.iter_mut().zip(&sums).for_each(|(sum, &value)| *sum += f64::from(value));
            if !go_on(count) {
                break;
            }
        }
        Ok(())
    }
}

/// Writes the rows seen from the origin to `packed`, each filled up with zeros to whole panels, and sums every column. Tells whether
/// all values were finite.
fn pack(block: &[f32], origin: &[f32], packed: &mut [f32], sums: &mut [f32]) -> bool {
    let dim = origin.len();
    let mut finite = true;
    sums.fill(0.0);
    for (values, out) in block.chunks_exact(dim).zip(packed.chunks_exact_mut(dim.next_multiple_of(PANEL))) {
        for (((out, sum), &value), &origin) in out.iter_mut().zip(&mut *sums).zip(values).zip(origin) {
            let seen = value - origin;
            let sound = seen.abs() <= f32::MAX;
            *out = if sound { seen } else { 0.0 };
            *sum += *out;
            finite &= sound;
        }
    }
    finite
}

/// Adds the columns of row-major `rows` times all columns up to them, and some of what lies above the diagonal.
fn add_lower(rows: &[f32], out: &mut [f32], width: usize) {
    let rows = MatRef::from_row_major_slice(rows, rows.len() / width, width);
    let out = MatMut::from_row_major_slice_mut(out, width, width);
    let mut rest = out;
    for first in (0..width).step_by(STRIP * PANEL) {
        let end = width.min(first + STRIP * PANEL);
        let (strip, below) = rest.split_at_row_mut(end - first);
        let own = rows.subcols(first, end - first);
        matmul(strip.subcols_mut(0, end), Accum::Add, own.transpose(), rows.subcols(0, end), 1.0, Par::Seq);
        rest = below;
    }
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
