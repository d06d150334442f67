//! Pointwise convolutions by the processor's matrix tiles (AMX), as exact as single precision needs: every value and every weight is
//! split into two bfloat16, a coarse one and the rest, and of the four products the three that matter are summed.
//!
//! A weight of 16 bits is exactly its two halves, a value is so to 2⁻¹⁷ of itself. Unsafe because of raw pointers and because the
//! instructions must exist. Invariants: [`Split::product`] checks every length before a tile is read; each sum goes over the input
//! channels in order, whatever tile it is in.
#![allow(unsafe_code)]

use super::{BLOCK, Finish, Target, View};
use crate::vectors::amx::Tiles;

/// Input channels of a tile; values in both halves lie side by side: 32 coarse ones, then their 32 rests.
const STEP: usize = 2 * BLOCK;
/// Pixels of a tile.
const ROWS: usize = 16;
/// Halves of a pixel in one step.
const PAIR: usize = 2 * STEP;
/// Halves of the four tiles of weights in one step: coarse and rest of two blocks of output channels.
const FOUR: usize = 4 * 16 * STEP;

/// A matrix [outer, inner] as tiles, and a bias; padded with zeros.
pub(super) struct Split {
    tiles: Vec<u16>,
    bias: Vec<f32>,
    steps: usize,
}

/// Some pixels in both halves: steps of 32 channels, each with all pixels.
#[derive(Default)]
pub(super) struct Halves {
    values: Vec<u16>,
    pixels: usize,
}

/// The nearest bfloat16.
fn coarse(x: f32) -> u16 {
    half::bf16::from_f32(x).to_bits()
}

impl Split {
    /// Packs a matrix [outer, inner].
    pub(super) fn new(matrix: &[f32], bias: &[f32]) -> Self {
        let outer = bias.len();
        let inner = matrix.len() / outer;
        let steps = inner.div_ceil(STEP);
        let pairs = outer.div_ceil(2 * BLOCK);
        let mut tiles = vec![0u16; pairs * steps * FOUR];
        for (o, row) in matrix.chunks_exact(inner).enumerate() {
            for (k, &w) in row.iter().enumerate() {
                let four = (o / (2 * BLOCK) * steps + k / STEP) * FOUR;
                let place = o / BLOCK % 2 * 16 * STEP + k % STEP / 2 * STEP + o % BLOCK * 2 + k % 2;
                let high = coarse(w);
                tiles[four + place] = high;
                tiles[four + FOUR / 2 + place] = coarse(w - half::bf16::from_bits(high).to_f32());
            }
        }
        let mut padded = vec![0f32; pairs * 2 * BLOCK];
        padded[..outer].copy_from_slice(bias);
        Self { tiles, bias: padded, steps }
    }

    /// `finish(bias + weights · source)` for the blocks `first..first + count` of the output channels; block `first`, an even one, is
    /// the target's first.
    pub(super) fn product(&self, (first, count): (usize, usize), source: &Halves, _: &Tiles, target: &mut Target<'_>) {
        target.check(count, source.pixels);
        assert!(first % 2 == 0 && (first + count).div_ceil(2) * 2 * BLOCK <= self.bias.len());
        assert!(source.values.len() >= (self.steps * source.pixels + 2 * ROWS) * PAIR);
        for at in (0..count).step_by(2) {
            let weights = &self.tiles[(first + at) / 2 * self.steps * FOUR..][..self.steps * FOUR];
            let bias = &self.bias[(first + at) * BLOCK..][..2 * BLOCK];
            let blocks = 2.min(count - at);
            let mut sums = Sums([[0.0; 2 * BLOCK]; 2 * ROWS]);
            for pixel in (0..source.pixels).step_by(2 * ROWS) {
                let left = source.pixels - pixel;
                // SAFETY: the source has the steps of all pixels and 32 more pixels, the weights all steps; there are tiles, since
                // there is a `Tiles`, and with them AVX-512; the target was checked.
                unsafe {
                    let values = source.values.as_ptr().add(pixel * PAIR);
                    if left > ROWS {
                        two(values, source.pixels * 2 * PAIR, weights.as_ptr(), self.steps, &mut sums);
                    } else {
                        one(values, source.pixels * 2 * PAIR, weights.as_ptr(), self.steps, &mut sums);
                    }
                    finish(&sums.0[..left.min(2 * ROWS)], bias, (at, blocks), pixel, target);
                }
            }
        }
    }
}

impl Halves {
    /// Room for `channels` channels of `pixels` pixels.
    pub(super) fn reset(&mut self, channels: usize, pixels: usize) {
        self.pixels = pixels;
        let length = (channels.div_ceil(STEP) * pixels + 2 * ROWS) * PAIR;
        if self.values.len() < length {
            self.values.resize(length, 0);
        }
    }

    /// Takes the pixels from `first` on, as many as there is room for, of all blocks of `from`.
    pub(super) fn take(&mut self, from: View<'_>, first: usize, blocks: usize) {
        for block in 0..blocks {
            let values = &from.values[(block * from.pixels + first) * BLOCK..][..self.pixels * BLOCK];
            self.put(block, 0, values);
        }
        self.pad(blocks);
    }

    /// Puts the pixels `first..` of one block of channels.
    pub(super) fn put(&mut self, block: usize, first: usize, values: &[f32]) {
        let count = values.len() / BLOCK;
        let to = &mut self.values[(block / 2 * self.pixels + first) * PAIR..][..count * PAIR];
        // SAFETY: only the level with tiles, which has AVX-512 BF16, splits values; both slices have `count` pixels.
        unsafe { split(values, &mut to[block % 2 * BLOCK..]) }
    }

    /// Where the blocks are odd in number: zeros for what would be one more.
    pub(super) fn pad(&mut self, blocks: usize) {
        if blocks % 2 == 1 {
            let step = &mut self.values[blocks / 2 * self.pixels * PAIR..][..self.pixels * PAIR];
            for pixel in step.as_chunks_mut::<STEP>().0 {
                pixel[BLOCK..].fill(0);
            }
        }
    }
}

/// Sums of 32 pixels by two blocks.
#[repr(C, align(64))]
struct Sums([[f32; 2 * BLOCK]; 2 * ROWS]);

use x86::{finish, one, split, two};

mod x86 {
    use std::arch::{asm, x86_64::*};

    use super::{BLOCK, Finish, PAIR, STEP, Sums, Target};

    /// Splits values of one block into halves, [`PAIR`] apart a pixel.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    pub(super) unsafe fn split(values: &[f32], to: &mut [u16]) {
        let pixels = values.as_chunks::<BLOCK>().0;
        assert!(pixels.is_empty() || to.len() >= (pixels.len() - 1) * PAIR + STEP + BLOCK);
        for (i, values) in pixels.iter().enumerate() {
            // SAFETY: the lengths were checked; a __m256bh is 16 bfloat16.
            unsafe {
                let x = _mm512_loadu_ps(values.as_ptr());
                let high: __m256i = std::mem::transmute(_mm512_cvtneps_pbh(x));
                let rest = _mm512_sub_ps(x, _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(high))));
                let low: __m256i = std::mem::transmute(_mm512_cvtneps_pbh(rest));
                let to = to.as_mut_ptr().add(i * PAIR);
                _mm256_storeu_si256(to.cast(), high);
                _mm256_storeu_si256(to.add(STEP).cast(), low);
            }
        }
    }

    /// 32 pixels by two blocks: rest times coarse, coarse times rest, and coarse times coarse, step by step.
    pub(super) unsafe fn two(values: *const u16, between: usize, weights: *const u16, steps: usize, sums: &mut Sums) {
        // SAFETY: the caller vouches for the tiles and for `steps` steps of values, `between` bytes apart, and weights.
        unsafe {
            asm!(
                "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                "2:",
                "tileloadd tmm4, [{a} + {pair}]", "tileloadd tmm6, [{w} + {line} + 2048]", "tileloadd tmm7, [{w} + {line} + 3072]",
                "tileloadd tmm5, [{a} + {pair} + 2048]",
                "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
                "tileloadd tmm6, [{w} + {line}]", "tileloadd tmm7, [{w} + {line} + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
                "tileloadd tmm4, [{a} + {pair} + 64]", "tileloadd tmm5, [{a} + {pair} + 2112]",
                "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
                "add {a}, {between}", "add {w}, 4096", "dec {n}", "jnz 2b",
                "tilestored [{out} + {pair}], tmm0", "tilestored [{out} + {pair} + 64], tmm1",
                "tilestored [{out} + {pair} + 2048], tmm2", "tilestored [{out} + {pair} + 2112], tmm3",
                a = inout(reg) values => _, w = inout(reg) weights => _, n = inout(reg) steps => _,
                between = in(reg) between, pair = in(reg) 128_usize, line = in(reg) 64_usize, out = in(reg) sums,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, out("tmm4") _, out("tmm5") _, out("tmm6") _,
                out("tmm7") _, options(nostack),
            );
        }
    }

    /// 16 pixels by two blocks, in the same order.
    pub(super) unsafe fn one(values: *const u16, between: usize, weights: *const u16, steps: usize, sums: &mut Sums) {
        // SAFETY: as in `two`.
        unsafe {
            asm!(
                "tilezero tmm0", "tilezero tmm1",
                "2:",
                "tileloadd tmm4, [{a} + {pair}]", "tileloadd tmm6, [{w} + {line} + 2048]", "tileloadd tmm7, [{w} + {line} + 3072]",
                "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm6, [{w} + {line}]", "tileloadd tmm7, [{w} + {line} + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm4, [{a} + {pair} + 64]",
                "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
                "add {a}, {between}", "add {w}, 4096", "dec {n}", "jnz 2b",
                "tilestored [{out} + {pair}], tmm0", "tilestored [{out} + {pair} + 64], tmm1",
                a = inout(reg) values => _, w = inout(reg) weights => _, n = inout(reg) steps => _,
                between = in(reg) between, pair = in(reg) 128_usize, line = in(reg) 64_usize, out = in(reg) sums,
                out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm6") _, out("tmm7") _, options(nostack),
            );
        }
    }

    /// Adds the bias to the sums, finishes them and puts them into the target: `blocks` from block `at` on.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    pub(super) unsafe fn finish(
        sums: &[[f32; 2 * BLOCK]],
        bias: &[f32],
        (at, blocks): (usize, usize),
        pixel: usize,
        target: &mut Target<'_>,
    ) {
        let Target { values, between_blocks, places, finish } = target;
        for b in 0..blocks {
            let out = values[(at + b) * *between_blocks..].as_mut_ptr();
            // SAFETY: the target was checked for all its pixels and blocks, and the caller vouches for the instructions.
            unsafe {
                let bias = _mm512_loadu_ps(bias[b * BLOCK..][..BLOCK].as_ptr());
                for (row, sums) in sums.iter().enumerate() {
                    let sum = _mm512_add_ps(_mm512_load_ps(sums.as_ptr().add(b * BLOCK)), bias);
                    let sum = match finish {
                        Finish::Relu6 => _mm512_min_ps(_mm512_max_ps(sum, _mm512_setzero_ps()), _mm512_set1_ps(6.0)),
                        Finish::Plain => sum,
                        Finish::Add(add, between) => {
                            let add = add.as_ptr().add((at + b) * *between + (pixel + row) * BLOCK);
                            _mm512_add_ps(sum, _mm512_loadu_ps(add))
                        }
                    };
                    let place = places.map_or(pixel + row, |places| *places.get_unchecked(pixel + row) as usize);
                    _mm512_storeu_ps(out.add(place * BLOCK), sum);
                }
            }
        }
    }
}
