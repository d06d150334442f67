//! Convolution of one real grid with 1 / (1 + distance²) by Fourier transforms.
//!
//! Two real rows share one complex transform, columns are transformed, multiplied and transformed back while they are in the cache,
//! and rows that hold nothing are left out. The kernel's transform holds the correction for the B-splines on both ends
//! (Essmann et al. 1995), and is kept for as long as the grid keeps its size. Invariant: every number depends on the grid alone.

use std::sync::Arc;

use rayon::prelude::*;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::spline::damping;
use crate::progress::{Cancelled, Progress};

/// Columns that are transformed together: a cache line of each row.
const TILE: usize = 8;
/// Nodes of padding beyond twice the grid, across which the correction dies away.
const MARGIN: usize = 16;
/// Transforms of kernels that are kept.
const KEPT: usize = 4;

type Wave = Complex<f32>;
const NOTHING: Wave = Wave { re: 0.0, im: 0.0 };

/// Width and height of a transform, and the spacing of its nodes as bits.
type Size = (usize, usize, u32);

/// The convolver and the memory it works in.
#[derive(Clone, Default)]
pub(super) struct Waves {
    kernels: Vec<Kernel>,
    /// Half spectra of the rows, row-major.
    rows: Vec<Wave>,
    /// The same after the columns' turn: tile by tile, row by row.
    tiles: Vec<Wave>,
}

/// The transformed kernel of one size.
#[derive(Clone)]
struct Kernel {
    size: Size,
    /// By column, the lower half of its rows; the upper half is its mirror image.
    values: Arc<[f32]>,
    across: Plan,
    down: Plan,
}

#[derive(Clone)]
struct Plan {
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    scratch: usize,
}

impl Plan {
    fn new(length: usize) -> Self {
        let mut planner = FftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(length), planner.plan_fft_inverse(length));
        let scratch = forward.get_inplace_scratch_len().max(inverse.get_inplace_scratch_len());
        Self { forward, inverse, scratch }
    }
}

impl std::fmt::Debug for Waves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waves")
            .field("sizes", &self.kernels.iter().map(|kernel| kernel.size).collect::<Vec<_>>())
            .finish()
    }
}

/// The least length of a transform for `nodes` nodes: a multiple of 8 without prime factors above 5.
pub(super) fn length_for(nodes: usize) -> usize {
    let smooth = |mut value: usize| {
        for factor in [2, 3, 5] {
            while value.is_multiple_of(factor) {
                value /= factor;
            }
        }
        value == 1
    };
    let mut length = (2 * nodes + MARGIN).next_multiple_of(8);
    while !smooth(length) {
        length += 8;
    }
    length
}

impl Waves {
    /// Replaces the grid (`height` rows of `width` nodes, `spacing` apart) by its convolution. Errors: cancelled; the grid then holds
    /// nothing of use.
    pub fn convolve(
        &mut self,
        grid: &mut [f32],
        width: usize,
        spacing: f32,
        progress: &Progress,
    ) -> Result<(), Cancelled> {
        let height = grid.len() / width.max(1);
        if height == 0 {
            return progress.check();
        }
        let kernel = self.kernel((length_for(width), length_for(height), spacing.to_bits()), progress)?;
        let half = kernel.size.0 / 2 + 1;
        let tiles = half.div_ceil(TILE);
        self.rows.resize(height.next_multiple_of(2) * half, NOTHING);
        self.tiles.resize(tiles * height * TILE, NOTHING);
        forward_rows(&kernel, grid, width, &mut self.rows);
        progress.check()?;
        columns(&kernel, (&self.rows, height), &mut self.tiles, progress);
        progress.check()?;
        inverse_rows(&kernel, &self.tiles, grid, width);
        progress.check()
    }

    fn kernel(&mut self, size: Size, progress: &Progress) -> Result<Kernel, Cancelled> {
        if let Some(at) = self.kernels.iter().position(|kernel| kernel.size == size) {
            let found = self.kernels.remove(at);
            self.kernels.push(found);
        } else {
            if self.kernels.len() == KEPT {
                self.kernels.remove(0);
            }
            self.kernels.push(Kernel::new(size, progress)?);
        }
        Ok(self.kernels[self.kernels.len() - 1].clone())
    }
}

impl Kernel {
    /// Real and even along both axes, so its transform is, too: two rows, then two columns, share one transform.
    fn new(size: Size, progress: &Progress) -> Result<Self, Cancelled> {
        let (width, height, spacing) = (size.0, size.1, f64::from(f32::from_bits(size.2)));
        let (across, down) = (Plan::new(width), Plan::new(height));
        let (half_width, half_height) = (width / 2 + 1, height / 2 + 1);
        let square = |at: usize, length: usize| (at.min(length - at) as f64 * spacing).powi(2);
        let mut rows = vec![0.0f32; half_height.next_multiple_of(2) * half_width];
        rows.par_chunks_mut(2 * half_width).enumerate().for_each(|(pair, out)| {
            if progress.is_cancelled() {
                return;
            }
            let mut line: Vec<Wave> = (0..width)
                .map(|x| {
                    let value = |y: usize| (1.0 / (1.0 + square(x, width) + square(y.min(height / 2), height))) as f32;
                    Wave { re: value(2 * pair), im: value(2 * pair + 1) }
                })
                .collect();
            across.forward.process(&mut line);
            let (first, second) = out.split_at_mut(half_width);
            for (x, wave) in line[..half_width].iter().enumerate() {
                (first[x], second[x]) = (wave.re, wave.im);
            }
        });
        let mut values = vec![0.0f32; half_width * half_height];
        let undo = |wave: usize, length: usize| 1.0 / damping(wave, length).powi(2);
        values.par_chunks_mut(2 * half_height).enumerate().for_each(|(pair, out)| {
            if progress.is_cancelled() {
                return;
            }
            let at = |x: usize, y: usize| rows[y.min(height - y) * half_width + x];
            let (first, second) = (2 * pair, (2 * pair + 1).min(half_width - 1));
            let mut line: Vec<Wave> = (0..height).map(|y| Wave { re: at(first, y), im: at(second, y) }).collect();
            down.forward.process(&mut line);
            let scale = |x: usize, y: usize| undo(x, width) * undo(y, height) / (width * height) as f64;
            for (place, value) in out.iter_mut().enumerate() {
                let y = place % half_height;
                let (x, part) = if place < half_height { (first, line[y].re) } else { (second, line[y].im) };
                *value = (f64::from(part) * scale(x, y)) as f32;
            }
        });
        progress.check()?;
        Ok(Self { size, values: values.into(), across, down })
    }
}

fn forward_rows(kernel: &Kernel, grid: &[f32], width: usize, rows: &mut [Wave]) {
    let (length, half) = (kernel.size.0, kernel.size.0 / 2 + 1);
    let buffers = || (vec![NOTHING; length], vec![NOTHING; kernel.across.scratch]);
    rows.par_chunks_mut(2 * half).zip(grid.par_chunks(2 * width)).with_min_len(4).for_each_init(
        buffers,
        |(line, scratch), (out, pair)| {
            let (first, second) = pair.split_at(width);
            for (x, wave) in line[..width].iter_mut().enumerate() {
                *wave = Wave { re: first[x], im: second.get(x).copied().unwrap_or(0.0) };
            }
            line[width..].fill(NOTHING);
            kernel.across.forward.process_with_scratch(line, scratch);
            let (first, second) = out.split_at_mut(half);
            (first[0], second[0]) = (Wave { re: line[0].re, im: 0.0 }, Wave { re: line[0].im, im: 0.0 });
            for x in 1..half {
                let (a, b) = (line[x], line[length - x]);
                first[x] = Wave { re: 0.5 * (a.re + b.re), im: 0.5 * (a.im - b.im) };
                second[x] = Wave { re: 0.5 * (a.im + b.im), im: 0.5 * (b.re - a.re) };
            }
        },
    );
}

fn columns(kernel: &Kernel, (rows, height): (&[Wave], usize), tiles: &mut [Wave], progress: &Progress) {
    let (half, length) = (kernel.size.0 / 2 + 1, kernel.size.1);
    let half_length = length / 2 + 1;
    let buffers = || (vec![NOTHING; TILE * length], vec![NOTHING; kernel.down.scratch]);
    tiles.par_chunks_mut(TILE * height).enumerate().for_each_init(buffers, |(lines, scratch), (tile, out)| {
        if progress.is_cancelled() {
            return;
        }
        let first = tile * TILE;
        let count = TILE.min(half - first);
        for (y, row) in rows.chunks_exact(half).take(height).enumerate() {
            for (column, &value) in row[first..first + count].iter().enumerate() {
                lines[column * length + y] = value;
            }
        }
        for (column, line) in lines.chunks_exact_mut(length).take(count).enumerate() {
            line[height..].fill(NOTHING);
            kernel.down.forward.process_with_scratch(line, scratch);
            let factors = &kernel.values[(first + column) * half_length..][..half_length];
            for (wave, &factor) in line.iter_mut().zip(factors) {
                *wave *= factor;
            }
            for (wave, &factor) in line[half_length..].iter_mut().zip(factors[1..half_length - 1].iter().rev()) {
                *wave *= factor;
            }
            kernel.down.inverse.process_with_scratch(line, scratch);
        }
        for (y, row) in out.chunks_exact_mut(TILE).enumerate() {
            for (column, value) in row[..count].iter_mut().enumerate() {
                *value = lines[column * length + y];
            }
        }
    });
}

fn inverse_rows(kernel: &Kernel, tiles: &[Wave], grid: &mut [f32], width: usize) {
    let (length, half, height) = (kernel.size.0, kernel.size.0 / 2 + 1, grid.len() / width);
    let buffers = || (vec![NOTHING; length], vec![NOTHING; kernel.across.scratch]);
    grid.par_chunks_mut(2 * width).enumerate().with_min_len(4).for_each_init(
        buffers,
        |(line, scratch), (pair, out)| {
            let (y, paired) = (2 * pair, 2 * pair + 1 < height);
            for (tile, first) in (0..half).step_by(TILE).enumerate() {
                let count = TILE.min(half - first);
                let a = &tiles[(tile * height + y) * TILE..][..count];
                let b =
                    if paired { &tiles[(tile * height + y + 1) * TILE..][..count] } else { &[NOTHING; TILE][..count] };
                for (x, (a, b)) in (first..).zip(a.iter().zip(b)) {
                    line[x] = Wave { re: a.re - b.im, im: a.im + b.re };
                    if x > 0 && 2 * x < length {
                        line[length - x] = Wave { re: a.re + b.im, im: b.re - a.im };
                    }
                }
            }
            kernel.across.inverse.process_with_scratch(line, scratch);
            let (first, second) = out.split_at_mut(width);
            for (x, wave) in line[..width].iter().enumerate() {
                first[x] = wave.re;
                if paired {
                    second[x] = wave.im;
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_smooth_and_enough() {
        for nodes in 1..2000 {
            let length = length_for(nodes);
            assert!(
                length >= 2 * nodes + MARGIN && length.is_multiple_of(8) && length < 3 * nodes + 64,
                "{length} for {nodes}"
            );
        }
    }

    /// A grid of one charge: after spreading's and reading's damping is laid on again, the kernel itself is left.
    #[test]
    fn one_charge_gives_the_kernel() {
        for (width, height) in [(9, 9), (31, 14), (14, 31)] {
            let mut grid = vec![0.0f32; width * height];
            let (x, y) = (width / 3, height / 2);
            grid[y * width + x] = 1.0;
            Waves::default().convolve(&mut grid, width, 0.5, &Progress::new()).unwrap();
            // Twice along each axis, where the neighbours are there.
            for (row, column) in [(height / 2 + 1, width / 2), (4, 4)] {
                let mut total = 0.0;
                let twice = [1.0, 8.0, 18.0, 8.0, 1.0f32].map(|part| part / 36.0);
                for (dy, wy) in twice.iter().enumerate() {
                    for (dx, wx) in twice.iter().enumerate() {
                        total += wy * wx * grid[(row + dy - 2) * width + column + dx - 2];
                    }
                }
                let square = ((row as f32 - y as f32).powi(2) + (column as f32 - x as f32).powi(2)) * 0.25;
                assert!((total - 1.0 / (1.0 + square)).abs() < 1e-5, "{total}, expected {}", 1.0 / (1.0 + square));
            }
        }
    }
}
