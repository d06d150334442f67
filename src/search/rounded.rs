//! Rows rounded to bytes, with what the rounding can have cost each.
//!
//! Every metric becomes one form, symmetric and greater for closer: the product of two centred rows plus an offset of each. For
//! cosine (of rows scaled to length 1) and dot product that sum is the score, for Euclidean distance it is minus half its square.
//! With `x = x̂ + r` (rounded and residue), Cauchy and Schwarz bound the error of a product by `|r_x| |y| + |x̂| |r_y|`; `slack`
//! covers the rounding of single precision everywhere else. Invariant: value − error ≤ score ≤ value + error, always.

use std::cell::RefCell;

use rayon::prelude::*;

use crate::progress::Progress;
use crate::vectors::bytes::ALIGN;
use crate::vectors::tiles::{Bounds, short};
use crate::vectors::{Level, Metric, Vectors, bytes, cosine, dot, level, norm, score};

/// Largest value of a byte.
const LARGEST: f32 = 127.0;
/// Rounding of single precision.
pub(super) const UNIT: f32 = 1.0 / 16_777_216.0;
/// Rows of one task.
const ROWS: usize = 256;

/// All rows of a set, rounded.
pub(super) struct Rounded {
    /// Values a row.
    pub dim: usize,
    /// Bytes a row, a multiple of 64.
    pub stride: usize,
    /// Row-major bytes.
    pub bytes: Vec<i8>,
    /// Sum of each row's bytes.
    pub sums: Vec<i32>,
    /// What turns products of bytes into upper bounds of scores.
    pub bounds: Bounds,
    /// Rounding of single precision, a row; part of the offset.
    pub slack: Vec<f32>,
    /// Lengths of the centred rows.
    pub lengths: Vec<f32>,
    /// Taken off every row (after scaling).
    pub mean: Vec<f32>,
}

/// Scores of pairs exactly as a query would find them.
pub(super) struct Scorer<'a> {
    /// The rows.
    pub vectors: &'a Vectors,
    /// How they are compared.
    pub metric: Metric,
    /// Length of each row; NaN or infinite for broken rows.
    pub norms: Vec<f32>,
    /// Whoever may stop the work. Once it is cancelled, what is made from here on is made in haste and wrong: check before using it.
    pub progress: &'a Progress,
}

impl<'a> Scorer<'a> {
    pub fn new(vectors: &'a Vectors, metric: Metric, progress: &'a Progress) -> Self {
        let length = |row| if progress.is_cancelled() { 0.0 } else { norm(row) };
        let norms = vectors.values().par_chunks(vectors.dim()).with_min_len(64).map(length).collect();
        Self { vectors, metric, norms, progress }
    }

    /// Score of two rows; −∞ for none.
    #[inline]
    pub fn score(&self, a: usize, b: usize) -> f32 {
        let (x, y) = (self.vectors.row(a), self.vectors.row(b));
        let score = match self.metric {
            Metric::Cosine => cosine(dot(x, y), self.norms[a], self.norms[b]),
            Metric::Dot | Metric::Euclidean => score(self.metric, x, y),
        } + 0.0;
        if score.is_nan() { f32::NEG_INFINITY } else { score }
    }

    /// Rows without NaN and infinities.
    pub fn sound(&self) -> Vec<u32> {
        (0u32..).zip(&self.norms).filter(|(_, norm)| norm.is_finite()).map(|(position, _)| position).collect()
    }

    /// Whether the scores of these rows leave the range in which single precision can be relied on.
    pub fn is_extreme(&self) -> bool {
        let lengths = || self.norms.iter().copied().filter(|norm| norm.is_finite() && *norm > 0.0);
        let largest = lengths().fold(0.0, f32::max);
        let smallest = lengths().fold(f32::INFINITY, f32::min);
        let low = if self.metric == Metric::Cosine { smallest } else { largest };
        largest > 1e17 || low < 1e-15
    }

    /// What rows are multiplied by before they are centred.
    fn factor(&self, row: usize) -> f32 {
        match self.metric {
            Metric::Cosine if self.norms[row] > 0.0 => 1.0 / self.norms[row],
            _ => 1.0,
        }
    }
}

/// A score in the form in which bounds are compared.
#[inline]
pub(super) fn comparable(metric: Metric, score: f32) -> f32 {
    match metric {
        Metric::Cosine | Metric::Dot => score,
        Metric::Euclidean => -0.5 * score * score,
    }
}

/// Mean of the sound rows, each scaled by its factor.
fn mean(scorer: &Scorer<'_>) -> Vec<f32> {
    let dim = scorer.vectors.dim();
    let parts: Vec<(Vec<f64>, usize)> = scorer
        .vectors
        .values()
        .par_chunks(4096 * dim)
        .enumerate()
        .map(|(block, values)| {
            let (mut sums, mut count, mut short) = (vec![0.0f64; dim], 0, vec![0.0f32; dim]);
            for (run, rows) in values.chunks(64 * dim).enumerate().take_while(|_| !scorer.progress.is_cancelled()) {
                short.fill(0.0);
                for (offset, row) in rows.chunks_exact(dim).enumerate() {
                    let at = block * 4096 + run * 64 + offset;
                    if scorer.norms[at].is_finite() {
                        let factor = scorer.factor(at);
                        short.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value * factor);
                        count += 1;
                    }
                }
                sums.iter_mut().zip(&short).for_each(|(sum, &short)| *sum += f64::from(short));
            }
            (sums, count)
        })
        .collect();
    let count: usize = parts.iter().map(|(_, count)| count).sum();
    let of = |column: usize| parts.iter().map(|(sums, _)| sums[column]).sum::<f64>() / count.max(1) as f64;
    (0..dim).map(|column| of(column) as f32).collect()
}

thread_local! {
    static ROW: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// What is written for one row.
struct Entry<'a> {
    bytes: &'a mut [i8],
    sum: &'a mut i32,
    scale: &'a mut f32,
    offset: &'a mut f32,
    spread: &'a mut f32,
    reach: &'a mut f32,
    slack: &'a mut f32,
    length: &'a mut f32,
}

impl Rounded {
    /// Rounds every row as finely as bytes allow. Broken rows become zeros.
    pub fn new(scorer: &Scorer<'_>) -> Self {
        Self::with_scale(scorer, scale)
    }

    /// Rounds every row so that tiles of them are multiplied quickly on this machine.
    pub fn for_tiles(scorer: &Scorer<'_>) -> Self {
        Self::with_scale(scorer, if level().adds_bytes_in_pairs() { short::scale } else { scale })
    }

    fn with_scale(scorer: &Scorer<'_>, scale_of: fn(&[f32]) -> f32) -> Self {
        let (rows, dim) = (scorer.vectors.len(), scorer.vectors.dim());
        let stride = dim.next_multiple_of(ALIGN);
        let zeros = || vec![0.0f32; rows];
        let mean = mean(scorer);
        let mut out = Self {
            dim,
            stride,
            bytes: vec![0; rows * stride],
            sums: vec![0; rows],
            bounds: Bounds { scale: zeros(), offset: zeros(), spread: zeros(), reach: zeros() },
            slack: zeros(),
            lengths: zeros(),
            mean,
        };
        let mean_square = dot(&out.mean, &out.mean);
        let Bounds { scale, offset, spread, reach } = &mut out.bounds;
        let mean = &out.mean;
        out.bytes
            .par_chunks_mut(stride)
            .zip(&mut out.sums)
            .zip(scale.par_iter_mut().zip(offset))
            .zip(spread.par_iter_mut().zip(reach))
            .zip(out.slack.par_iter_mut().zip(&mut out.lengths))
            .enumerate()
            .with_min_len(ROWS)
            .for_each(|(row, ((((bytes, sum), (scale, offset)), (spread, reach)), (slack, length)))| {
                if scorer.norms[row].is_finite() && !scorer.progress.is_cancelled() {
                    let mut entry = Entry { bytes, sum, scale, offset, spread, reach, slack, length };
                    round(scorer, row, (mean, mean_square, scale_of), &mut entry);
                }
            });
        out
    }

    /// The product of two rows with their offsets, in comparable form, and the most it can be wrong by.
    pub fn value(&self, level: Level, a: usize, b: usize) -> (f32, f32) {
        let row = |at: usize| &self.bytes[at * self.stride..(at + 1) * self.stride];
        let Bounds { scale, offset, spread, reach } = &self.bounds;
        let product = bytes::dot(level, row(a), row(b), self.sums[b]) as f32;
        let slack = self.slack[a] + self.slack[b];
        let value = scale[a] * (scale[b] * product) + (offset[a] + offset[b] - slack);
        (value, spread[a] * reach[b] + reach[a] * spread[b] + slack)
    }

    /// Writes a row, scaled and centred, over `out`.
    pub fn centred(&self, scorer: &Scorer<'_>, row: usize, out: &mut [f32]) {
        centre(scorer.vectors.row(row), scorer.factor(row), &self.mean, out);
    }
}

#[inline]
fn centre(row: &[f32], factor: f32, mean: &[f32], out: &mut [f32]) {
    for ((out, &value), &mean) in out.iter_mut().zip(row).zip(mean) {
        *out = value * factor - mean;
    }
}

/// Finds the scale of a row's bytes.
type ScaleOf = fn(&[f32]) -> f32;

/// Rounds one row and says what that costs.
fn round(
    scorer: &Scorer<'_>,
    row: usize,
    (mean, mean_square, scale_of): (&[f32], f32, ScaleOf),
    entry: &mut Entry<'_>,
) {
    ROW.with_borrow_mut(|centred| {
        centred.resize(mean.len(), 0.0);
        let factor = scorer.factor(row);
        centre(scorer.vectors.row(row), factor, mean, centred);
        let square = dot(centred, centred);
        let length = norm(centred);
        let (scale, residue, sum) = quantise_at(scale_of(centred), centred, entry.bytes);
        let whole = scorer.norms[row] * factor;
        let around = if scorer.metric == Metric::Euclidean { square } else { whole * whole + mean_square };
        let delta = (mean.len() as f32 + 192.0) * UNIT;
        let slack = delta * (square + around) + 1e-36;
        let along = match scorer.metric {
            Metric::Euclidean => -0.5 * square,
            Metric::Cosine | Metric::Dot => dot(mean, centred) + 0.5 * mean_square,
        };
        *entry.sum = sum;
        *entry.scale = scale;
        *entry.offset = along + slack;
        *entry.spread = residue * 1.001 + 4.0 * UNIT * (whole + length);
        *entry.reach = (length + residue) * 1.001;
        *entry.slack = slack;
        *entry.length = length;
    });
}

/// Rounds values to bytes: the scale, the length of what is left out, and the sum of the bytes.
pub(super) fn quantise(values: &[f32], bytes: &mut [i8]) -> (f32, f32, i32) {
    quantise_at(scale(values), values, bytes)
}

/// The same; as short bytes where those are wanted.
pub(super) fn quantise_for(short: bool, values: &[f32], bytes: &mut [i8]) -> (f32, f32, i32) {
    quantise_at(if short { short::scale(values) } else { scale(values) }, values, bytes)
}

/// The least scale at which all values fit into bytes.
fn scale(values: &[f32]) -> f32 {
    values.iter().fold(0.0f32, |largest, value| largest.max(value.abs())) / LARGEST
}

fn quantise_at(scale: f32, values: &[f32], bytes: &mut [i8]) -> (f32, f32, i32) {
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    if !inverse.is_finite() {
        return (0.0, norm(values), 0);
    }
    /// Adding it leaves a whole number in the low bits.
    const SHIFT: f32 = 12_582_912.0;
    let mut squares = [0.0f32; 16];
    let mut sum = 0;
    for (values, bytes) in values.chunks(16).zip(bytes.chunks_mut(16)) {
        for ((&value, byte), square) in values.iter().zip(bytes).zip(&mut squares) {
            let shifted = value * inverse + SHIFT;
            *byte = shifted.to_bits() as i8;
            let left = value - (shifted - SHIFT) * scale;
            *square += left * left;
            sum += i32::from(*byte);
        }
    }
    (scale, squares.iter().sum::<f32>().sqrt(), sum)
}
