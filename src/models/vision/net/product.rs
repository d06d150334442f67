//! Pointwise convolutions as matrix products, with bias, `ReLU6` and residual added while a tile's sums are still in registers.
//!
//! A tile is some pixels by one or two blocks of output channels. Unsafe because of raw pointers and because the instructions must
//! exist. Invariants: [`product`] checks every length before a kernel reads; each sum starts at the bias and goes over the input
//! channels in order, whatever tile it is in.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m256, __m512};

use super::{BLOCK, Finish, Target, lanes::Lanes};
use crate::vectors::Level;

/// A matrix [outer, inner] in blocks of [`BLOCK`] output channels, each [inner, BLOCK], and a bias; padded with zeros.
pub(super) struct Panels {
    values: Vec<f32>,
    bias: Vec<f32>,
    /// Input channels.
    inner: usize,
}

/// The pixels a product reads: runs of values lie `between_runs` apart; within a run pixel `p` has its values from `p * step` on.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// From the first pixel's first value on.
    pub(super) values: &'a [f32],
    /// Values from one pixel to the next.
    pub(super) step: Step,
    /// Values from one run to the next.
    pub(super) between_runs: usize,
    /// Number of pixels.
    pub(super) pixels: usize,
}

/// How far pixels lie apart, and how many of a pixel's values lie side by side.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Blocks of channels.
    Block,
    /// Every second pixel of a picture of three colours, with runs of three pixels: the stem.
    Stem,
}

impl Step {
    /// Values from one pixel to the next.
    fn values(self) -> usize {
        match self {
            Self::Block => BLOCK,
            Self::Stem => 6,
        }
    }

    /// Values of a run.
    fn run(self) -> usize {
        match self {
            Self::Block => BLOCK,
            Self::Stem => 9,
        }
    }
}

impl Panels {
    /// Packs a matrix [outer, inner].
    pub(super) fn new(matrix: &[f32], bias: &[f32]) -> Self {
        let outer = bias.len();
        let inner = matrix.len() / outer;
        let blocks = outer.div_ceil(BLOCK);
        let mut values = vec![0f32; blocks * inner * BLOCK];
        for (o, row) in matrix.chunks_exact(inner).enumerate() {
            let block = &mut values[o / BLOCK * inner * BLOCK..][..inner * BLOCK];
            block.iter_mut().skip(o % BLOCK).step_by(BLOCK).zip(row).for_each(|(to, &x)| *to = x);
        }
        let mut padded = vec![0f32; blocks * BLOCK];
        padded[..outer].copy_from_slice(bias);
        Self { values, bias: padded, inner }
    }
}

/// `finish(bias + weights · source)` for the blocks `first..first + count` of the output channels; block `first` is the target's first.
pub(super) fn product(
    level: Level,
    panels: &Panels,
    (first, count): (usize, usize),
    source: Source<'_>,
    target: &mut Target<'_>,
) {
    let (pixels, step) = (source.pixels, source.step);
    if pixels == 0 || count == 0 {
        return;
    }
    let runs = panels.inner.div_ceil(step.run());
    let last_run = panels.inner - (runs - 1) * step.run();
    let reach = (runs - 1) * source.between_runs + (pixels - 1) * step.values();
    assert!(runs == 1 || source.values.len() >= reach - source.between_runs + step.run());
    assert!(source.values.len() >= reach + last_run);
    target.check(count, pixels);
    let block = panels.inner * BLOCK;
    let mut at = 0;
    while at < count {
        let width = if count - at >= 2 && level.is_wide() { 2 } else { 1 };
        let job = Job {
            source: source.values.as_ptr(),
            between_runs: source.between_runs,
            run: step.run(),
            inner: panels.inner,
            weights: panels.values[(first + at) * block..][..width * block].as_ptr(),
            bias: panels.bias[(first + at) * BLOCK..][..width * BLOCK].as_ptr(),
            target: target.values[at * target.between_blocks..].as_mut_ptr(),
            between_blocks: target.between_blocks,
            places: target.places,
            relu6: matches!(target.finish, Finish::Relu6),
            add: match target.finish {
                Finish::Add(values, between) => Some((values[at * between..].as_ptr(), between)),
                _ => None,
            },
            pixels,
        };
        // SAFETY: the lengths were checked above, the level is one this machine has, and the blocks are as many as the kernels take.
        unsafe { run(level, &job, width, step) };
        at += width;
    }
}

/// One or two blocks of output channels, in raw pointers.
struct Job<'a> {
    source: *const f32,
    between_runs: usize,
    run: usize,
    inner: usize,
    weights: *const f32,
    bias: *const f32,
    target: *mut f32,
    between_blocks: usize,
    places: Option<&'a [u32]>,
    relu6: bool,
    add: Option<(*const f32, usize)>,
    pixels: usize,
}

unsafe fn run(level: Level, job: &Job<'_>, width: usize, step: Step) {
    // SAFETY: as the caller vouches.
    unsafe {
        match (level, width, step) {
            #[cfg(target_arch = "x86_64")]
            (Level::Amx | Level::Avx512Vnni | Level::Avx512, 2, Step::Block) => wide::<2, BLOCK>(job),
            #[cfg(target_arch = "x86_64")]
            (Level::Amx | Level::Avx512Vnni | Level::Avx512, _, Step::Block) => wide::<1, BLOCK>(job),
            #[cfg(target_arch = "x86_64")]
            (Level::Amx | Level::Avx512Vnni | Level::Avx512, 2, Step::Stem) => wide::<2, 6>(job),
            #[cfg(target_arch = "x86_64")]
            (Level::Amx | Level::Avx512Vnni | Level::Avx512, _, Step::Stem) => wide::<1, 6>(job),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx2Vnni | Level::Avx2, _, Step::Block) => half::<BLOCK>(job),
            #[cfg(target_arch = "x86_64")]
            (Level::Avx2Vnni | Level::Avx2, _, Step::Stem) => half::<6>(job),
            (_, _, Step::Block) => all::<[f32; 4], 4, 2, BLOCK>(job),
            (_, _, Step::Stem) => all::<[f32; 4], 4, 2, 6>(job),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx2,fma")]
unsafe fn wide<const VECTORS: usize, const STEP: usize>(job: &Job<'_>) {
    // SAFETY: as the caller vouches.
    unsafe { all::<__m512, VECTORS, 14, STEP>(job) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn half<const STEP: usize>(job: &Job<'_>) {
    // SAFETY: as the caller vouches.
    unsafe { all::<__m256, 2, 6, STEP>(job) }
}

/// All pixels, `MOST` at a time, then what is left by ever smaller tiles.
#[inline(always)]
unsafe fn all<L: Lanes, const VECTORS: usize, const MOST: usize, const STEP: usize>(job: &Job<'_>) {
    let mut pixel = 0;
    // SAFETY: every tile ends at or before the last pixel; otherwise as the caller vouches.
    unsafe {
        while job.pixels - pixel >= MOST {
            tile::<L, VECTORS, MOST, STEP>(job, pixel);
            pixel += MOST;
        }
        if MOST > 7 && job.pixels - pixel >= 7 {
            tile::<L, VECTORS, 7, STEP>(job, pixel);
            pixel += 7;
        }
        if MOST > 4 && job.pixels - pixel >= 4 {
            tile::<L, VECTORS, 4, STEP>(job, pixel);
            pixel += 4;
        }
        if MOST > 2 && job.pixels - pixel >= 2 {
            tile::<L, VECTORS, 2, STEP>(job, pixel);
            pixel += 2;
        }
        if job.pixels > pixel {
            tile::<L, VECTORS, 1, STEP>(job, pixel);
        }
    }
}

/// `ROWS` pixels from `pixel` on.
#[inline(always)]
unsafe fn tile<L: Lanes, const VECTORS: usize, const ROWS: usize, const STEP: usize>(job: &Job<'_>, pixel: usize) {
    let block = job.inner * BLOCK;
    // SAFETY: the source, the weights, the bias and the target hold all that the job names, as the caller vouches.
    unsafe {
        let mut sums = [[L::splat(0.0); VECTORS]; ROWS];
        for (v, start) in sums[0].iter_mut().enumerate() {
            *start = L::load(job.bias.add(v * L::COUNT));
        }
        sums = [sums[0]; ROWS];
        let mut source = job.source.add(pixel * STEP);
        let mut weights = job.weights;
        let mut left = job.inner;
        while left > 0 {
            let run = left.min(job.run);
            for i in 0..run {
                let mut right = [L::splat(0.0); VECTORS];
                for (v, right) in right.iter_mut().enumerate() {
                    *right = L::load(weights.add(v * L::COUNT / BLOCK * block + v * L::COUNT % BLOCK));
                }
                weights = weights.add(BLOCK);
                for (row, sums) in sums.iter_mut().enumerate() {
                    let x = L::splat(*source.add(row * STEP + i));
                    for v in 0..VECTORS {
                        sums[v] = x.mul_add(right[v], sums[v]);
                    }
                }
            }
            source = source.wrapping_add(job.between_runs);
            left -= run;
        }
        // Short loops one after another: each is unrolled, so that the sums stay in registers.
        if job.relu6 {
            for sum in sums.as_flattened_mut() {
                *sum = sum.relu6();
            }
        } else if let Some((add, between)) = job.add {
            let add = add.add(pixel * BLOCK);
            for (row, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    let (b, lane) = (v * L::COUNT / BLOCK, v * L::COUNT % BLOCK);
                    *sum = sum.plus(L::load(add.add(b * between + row * BLOCK + lane)));
                }
            }
        }
        let mut to = [job.target; ROWS];
        for (row, to) in to.iter_mut().enumerate() {
            let place = job.places.map_or(pixel + row, |places| *places.get_unchecked(pixel + row) as usize);
            *to = to.add(place * BLOCK);
        }
        for (sums, to) in sums.iter().zip(to) {
            for (v, sum) in sums.iter().enumerate() {
                sum.store(to.add(v * L::COUNT / BLOCK * job.between_blocks + v * L::COUNT % BLOCK));
            }
        }
    }
}
