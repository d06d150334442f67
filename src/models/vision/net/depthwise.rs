//! Depthwise convolutions, 3 x 3 and 5 x 5, with bias and `ReLU6`, a row of one block of channels at a time.
//!
//! Unsafe because of raw pointers and because the instructions must exist. Invariants: [`Taps::row`] checks every length before a
//! kernel reads; each sum starts at the bias and goes over the taps in order.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m256, __m512};

use super::{BLOCK, lanes::Lanes};
use crate::vectors::Level;

/// Weights of a depthwise convolution in blocks of [`BLOCK`] channels, each [kernel, kernel, BLOCK], and a bias.
pub(in crate::models::vision) struct Taps {
    values: Vec<f32>,
    bias: Vec<f32>,
    kernel: usize,
    stride: usize,
}

impl Taps {
    /// Packs weights [channels, kernel, kernel].
    pub(in crate::models::vision) fn new(weights: &[f32], bias: &[f32], kernel: usize, stride: usize) -> Self {
        assert!(weights.len() == bias.len() * kernel * kernel && matches!((kernel, stride), (3 | 5, 1 | 2)));
        let (taps, blocks) = (kernel * kernel, bias.len().div_ceil(BLOCK));
        let mut values = vec![0f32; blocks * taps * BLOCK];
        for (channel, weights) in weights.chunks_exact(taps).enumerate() {
            let block = &mut values[channel / BLOCK * taps * BLOCK..][..taps * BLOCK];
            block.iter_mut().skip(channel % BLOCK).step_by(BLOCK).zip(weights).for_each(|(to, &x)| *to = x);
        }
        let mut padded = vec![0f32; blocks * BLOCK];
        padded[..bias.len()].copy_from_slice(bias);
        Self { values, bias: padded, kernel, stride }
    }

    /// One row of block `block`: `rows` are the `kernel` rows of input, borders included, `out` the row of output.
    pub(super) fn row(&self, level: Level, block: usize, rows: &[&[f32]], out: &mut [f32]) {
        let pixels = out.len() / BLOCK;
        if pixels == 0 {
            return;
        }
        let taps = self.kernel * self.kernel * BLOCK;
        assert!(rows.len() == self.kernel);
        assert!(rows.iter().all(|row| row.len() >= ((pixels - 1) * self.stride + self.kernel) * BLOCK));
        let job = Job {
            weights: self.values[block * taps..][..taps].as_ptr(),
            bias: self.bias[block * BLOCK..][..BLOCK].as_ptr(),
            rows,
            out: out.as_mut_ptr(),
            pixels,
        };
        // SAFETY: the lengths were checked above, and the level is one this machine has.
        unsafe {
            match level {
                #[cfg(target_arch = "x86_64")]
                Level::Amx | Level::Avx512Vnni | Level::Avx512 => wide(self.kernel, self.stride, &job),
                #[cfg(target_arch = "x86_64")]
                Level::Avx2Vnni | Level::Avx2 => half(self.kernel, self.stride, &job),
                _ => any::<[f32; 4]>(self.kernel, self.stride, &job),
            }
        }
    }
}

struct Job<'a> {
    weights: *const f32,
    bias: *const f32,
    rows: &'a [&'a [f32]],
    out: *mut f32,
    pixels: usize,
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx2,fma")]
unsafe fn wide(kernel: usize, stride: usize, job: &Job<'_>) {
    // SAFETY: as the caller vouches.
    unsafe { any::<__m512>(kernel, stride, job) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn half(kernel: usize, stride: usize, job: &Job<'_>) {
    // SAFETY: as the caller vouches.
    unsafe { any::<__m256>(kernel, stride, job) }
}

#[inline(always)]
unsafe fn any<L: Lanes>(kernel: usize, stride: usize, job: &Job<'_>) {
    // SAFETY: as the caller vouches.
    unsafe {
        match (kernel, stride) {
            (3, 1) => row::<L, 3, 1>(job),
            (3, _) => row::<L, 3, 2>(job),
            (_, 1) => row::<L, 5, 1>(job),
            _ => row::<L, 5, 2>(job),
        }
    }
}

/// The whole row, seven pixels at a time.
#[inline(always)]
unsafe fn row<L: Lanes, const KERNEL: usize, const STRIDE: usize>(job: &Job<'_>) {
    for lane in (0..BLOCK).step_by(L::COUNT) {
        let mut pixel = 0;
        // SAFETY: the pixels end at or before the last; otherwise as the caller vouches.
        unsafe {
            while job.pixels - pixel >= 7 {
                some::<L, KERNEL, STRIDE, 7>(job, pixel, lane);
                pixel += 7;
            }
            while job.pixels > pixel {
                some::<L, KERNEL, STRIDE, 1>(job, pixel, lane);
                pixel += 1;
            }
        }
    }
}

/// `COUNT` pixels from `pixel` on.
#[inline(always)]
unsafe fn some<L: Lanes, const KERNEL: usize, const STRIDE: usize, const COUNT: usize>(
    job: &Job<'_>,
    pixel: usize,
    lane: usize,
) {
    // SAFETY: the rows, the weights, the bias and the output hold all that the job names, as the caller vouches.
    unsafe {
        let mut sums = [L::load(job.bias.add(lane)); COUNT];
        for ky in 0..KERNEL {
            let from = job.rows.get_unchecked(ky).as_ptr().add(pixel * STRIDE * BLOCK + lane);
            let weights = job.weights.add(ky * KERNEL * BLOCK + lane);
            for kx in 0..KERNEL {
                let weight = L::load(weights.add(kx * BLOCK));
                for (i, sum) in sums.iter_mut().enumerate() {
                    *sum = L::load(from.add((i * STRIDE + kx) * BLOCK)).mul_add(weight, *sum);
                }
            }
        }
        for (i, sum) in sums.iter().enumerate() {
            sum.relu6().store(job.out.add((pixel + i) * BLOCK + lane));
        }
    }
}
