//! The rows of a set in an order of their own, packed for the tile kernels.
//!
//! Invariant: `order[i]` is the position of packed row `i`; rows beyond its end fill up the last block and are never found.

use half::bf16;
use rayon::prelude::*;

use super::rounded::{Rounded, Scorer, UNIT};
use crate::progress::Progress;
use crate::vectors::tiles::{BLOCK, Bfloats, Bounds, Bytes, Panels, Singles};
use crate::vectors::{Level, level};

/// Packed rows and their bounds.
pub(super) struct Field {
    /// Position of each packed row.
    pub order: Vec<u32>,
    /// The rows.
    pub panels: Panels,
    /// Bounds of their products.
    pub bounds: Bounds,
    /// Rounding of single precision, a row.
    pub slack: Vec<f32>,
}

/// How the rows are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grain {
    /// As bytes.
    Bytes,
    /// As bfloat16, for the matrix tiles.
    Bfloats,
    /// In single precision.
    Singles,
}

/// Rows on which it is tried how well bytes tell rows apart.
const TRIAL: usize = 24;

/// The grain that takes less time: bytes are multiplied four times as fast as single precision, and twice as fast as bfloat16 on matrix
/// tiles, but leave more candidates to be scored one by one. Any once `progress` is cancelled.
pub(super) fn grain(rounded: &Rounded, rows: &[u32], k: usize, progress: &Progress) -> Grain {
    let level = level();
    if level == Level::Portable || rows.len() < 2 {
        return Grain::Singles;
    }
    let trial = TRIAL.min(rows.len());
    let counts: Vec<usize> = (0..trial)
        .into_par_iter()
        .map(|at| {
            let own = rows[at * rows.len() / trial] as usize;
            let mut upper = Vec::with_capacity(rows.len());
            let mut lower = Vec::with_capacity(rows.len());
            for &other in rows.iter().filter(|&&other| other as usize != own).take_while(|_| !progress.is_cancelled()) {
                let (value, error) = rounded.value(level, own, other as usize);
                upper.push(value + error);
                lower.push(value - error);
            }
            if lower.is_empty() {
                return 0;
            }
            let last = k.min(lower.len()) - 1;
            let (_, floor, _) = lower.select_nth_unstable_by(last, |a, b| b.total_cmp(a));
            upper.iter().filter(|&upper| upper >= floor).count()
        })
        .collect();
    // In cycles a row: what a candidate costs, and what the finer grain costs more for half of all pairs.
    let dim = rounded.dim as f64;
    let candidates = counts.iter().sum::<usize>() as f64 / trial as f64;
    let (finer, cost) = match level {
        Level::Amx => (Grain::Bfloats, 0.0015),
        Level::Avx512 => (Grain::Singles, 0.0073),
        Level::Avx512Vnni | Level::Avx2Vnni | Level::Avx2 | Level::Portable => (Grain::Singles, 0.0117),
    };
    if candidates * (140.0 + dim / 8.0) < rows.len() as f64 * dim * cost { Grain::Bytes } else { finer }
}

impl Field {
    /// Packs the rows at `order`. Once the scorer's progress is cancelled the rows are wrong.
    pub fn new(scorer: &Scorer<'_>, rounded: &Rounded, order: Vec<u32>, grain: Grain) -> Self {
        let whole = order.len().next_multiple_of(BLOCK);
        let pick = |values: &[f32], filler: f32| -> Vec<f32> {
            let mut out: Vec<f32> = order.iter().map(|&row| values[row as usize]).collect();
            out.resize(whole, filler);
            out
        };
        let mut bounds = Bounds {
            scale: pick(&rounded.bounds.scale, 0.0),
            offset: pick(&rounded.bounds.offset, f32::NEG_INFINITY),
            spread: pick(&rounded.bounds.spread, 0.0),
            reach: pick(&rounded.bounds.reach, 0.0),
        };
        let slack = pick(&rounded.slack, 0.0);
        let panels = match grain {
            Grain::Bytes => bytes(scorer, rounded, &order, whole),
            Grain::Bfloats => bfloats(scorer, rounded, &order, &mut bounds),
            Grain::Singles => {
                bounds.scale.fill(1.0);
                for (at, &row) in order.iter().enumerate() {
                    let length = rounded.lengths[row as usize];
                    bounds.spread[at] = (rounded.dim as f32 + 16.0) * 0.5 * UNIT * length;
                    bounds.reach[at] = length * 1.001;
                }
                singles(scorer, rounded, &order, whole)
            }
        };
        Self { order, panels, bounds, slack }
    }

    /// From now on takes products for scores: bounds without their errors.
    pub fn trust(&mut self) {
        self.bounds.spread.fill(0.0);
        self.bounds.reach.fill(0.0);
        self.bounds.offset.iter_mut().zip(&self.slack).for_each(|(offset, slack)| *offset -= slack);
        self.slack.fill(0.0);
    }

    /// Greatest error of the bound of two packed rows, twice: what lies between upper and lower bound.
    #[inline]
    pub fn gap(&self, a: usize, b: usize) -> f32 {
        let Bounds { spread, reach, .. } = &self.bounds;
        2.0 * (spread[a] * reach[b] + reach[a] * spread[b] + self.slack[a] + self.slack[b])
    }
}

fn bytes(scorer: &Scorer<'_>, rounded: &Rounded, order: &[u32], whole: usize) -> Panels {
    let stride = rounded.stride;
    let mut rows = vec![0i8; whole * stride];
    rows.par_chunks_mut(stride).zip(order).with_min_len(256).for_each(|(out, &row)| {
        if !scorer.progress.is_cancelled() {
            out.copy_from_slice(&rounded.bytes[row as usize * stride..][..stride]);
        }
    });
    let mut sums: Vec<i32> = order.iter().map(|&row| rounded.sums[row as usize]).collect();
    sums.resize(whole, 0);
    Panels::Bytes(Bytes::new(level(), rows, sums, (stride, rounded.dim), &|| scorer.progress.is_cancelled()))
}

fn singles(scorer: &Scorer<'_>, rounded: &Rounded, order: &[u32], whole: usize) -> Panels {
    let mut rows = vec![0.0f32; whole * rounded.dim];
    rows.par_chunks_mut(rounded.dim).zip(order).with_min_len(256).for_each(|(out, &row)| {
        if !scorer.progress.is_cancelled() {
            rounded.centred(scorer, row as usize, out);
        }
    });
    Panels::Singles(Singles::new(rows, rounded.dim, &|| scorer.progress.is_cancelled()))
}

/// How one row was rounded: what is left out, and the length of what it was.
fn round(centred: &[f32], out: &mut [u16]) -> f32 {
    let mut square = 0.0f32;
    for (out, &value) in out.iter_mut().zip(centred) {
        let rounded = bf16::from_f32(value);
        *out = rounded.to_bits();
        square += (value - rounded.to_f32()).powi(2);
    }
    square.sqrt()
}

/// Rounds to bfloat16 and sets the bounds of products summed in single precision.
fn bfloats(scorer: &Scorer<'_>, rounded: &Rounded, order: &[u32], bounds: &mut Bounds) -> Panels {
    let (whole, dim, stride) = (bounds.scale.len(), rounded.dim, Bfloats::stride(rounded.dim));
    let mut rows = vec![0u16; whole * stride];
    bounds.scale.fill(1.0);
    let Bounds { spread, reach, .. } = bounds;
    let of = rows.par_chunks_mut(stride).zip(spread.par_iter_mut().zip(reach)).zip(order).with_min_len(256);
    of.for_each_init(
        || vec![0.0f32; dim],
        |centred, ((out, (spread, reach)), &row)| {
            if scorer.progress.is_cancelled() {
                return;
            }
            rounded.centred(scorer, row as usize, centred);
            let (length, left_out) = (rounded.lengths[row as usize], round(centred, out));
            *spread = left_out * 1.001 + (dim as f32 + 16.0) * 0.5 * UNIT * length;
            *reach = (length + left_out) * 1.001;
        },
    );
    Panels::Bfloats(Bfloats::new(rows, stride, &|| scorer.progress.is_cancelled()))
}
