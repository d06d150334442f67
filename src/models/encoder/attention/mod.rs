//! Attention of each text's tokens to one another, head by head.
//!
//! Texts are packed without padding; what a kernel needs beside them, padded to its blocks, is written to scratch memory that is kept.
//! Scores and their softmax are taken to the base of 2, for which factors and biases are multiplied by log₂ e. Invariant: what a head
//! writes for a text depends on nothing but the text's own rows and the kernel.

#[cfg(target_arch = "x86_64")]
mod bfloat;
mod bias;
mod float;
mod lanes;
mod reach;
mod rotary;

use std::ops::Range;
use std::sync::Arc;

pub(super) use bias::PositionBias;
pub(in crate::models) use reach::Reach;
pub(super) use rotary::Rotary;

use super::kernel::Kernel;
use super::sheet::Sheet;

/// How a layer attends.
#[derive(Clone)]
pub(super) struct Attention {
    pub(super) kernel: Kernel,
    pub(super) heads: usize,
    /// Values a head.
    pub(super) width: usize,
    pub(super) bias: Option<Arc<PositionBias>>,
}

/// What is to be attended to.
pub(super) struct Work<'a> {
    /// Queries, keys and values of each token (3 · heads · width values), texts one after another.
    pub(super) projected: &'a [f32],
    /// Tokens of each text.
    pub(super) lengths: &'a [usize],
    /// The heads asked for.
    pub(super) heads: Range<usize>,
    pub(super) reach: Reach,
}

/// Memory kept from call to call.
#[derive(Default)]
pub(super) struct Scratch {
    lines: Vec<Line>,
    biases: bias::Biases,
}

/// A line of the cache: what scratch memory is made of, so that vectors lie within one.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// One text as kernels see it.
struct Text<'a> {
    /// Its tokens' queries, keys and values.
    projected: &'a [f32],
    tokens: usize,
    heads: usize,
    width: usize,
    /// The heads asked for.
    asked: Range<usize>,
    /// What makes a product a score to the base of 2.
    scale: f32,
    biases: Option<&'a bias::Biases>,
    reach: Reach,
    /// The row of `out` that its first token has.
    first: usize,
    out: Sheet<'a>,
}

impl Attention {
    /// Writes columns of the heads asked for of each token's row of `out` (heads · width values).
    pub(super) fn attend(&self, work: &Work<'_>, out: Sheet<'_>, scratch: &mut Scratch) {
        let tokens: usize = work.lengths.iter().sum();
        let row = 3 * self.heads * self.width;
        assert!(work.projected.len() == tokens * row && work.heads.end <= self.heads);
        if tokens == 0 || work.heads.is_empty() {
            return;
        }
        assert!(out.rows() >= tokens && out.stride() >= self.heads * self.width);
        let longest = work.lengths.iter().copied().max().unwrap_or(0);
        if let Some(bias) = &self.bias {
            scratch.biases.prepare(bias, self.heads, longest);
        }
        let mut first = 0;
        let texts = work.lengths.iter().filter(|&&tokens| tokens > 0).map(|&tokens| {
            let projected = &work.projected[first * row..(first + tokens) * row];
            let scale = std::f32::consts::LOG2_E / (self.width as f32).sqrt();
            let biases = self.bias.as_ref().map(|_| &scratch.biases);
            let (heads, width, asked, reach) = (self.heads, self.width, work.heads.clone(), work.reach);
            let text = Text { projected, tokens, heads, width, asked, scale, biases, reach, first, out };
            first += tokens;
            text
        });
        let level = self.kernel.level;
        #[cfg(target_arch = "x86_64")]
        if self.kernel.precision != crate::models::Precision::F32 && bfloat::runs(level) {
            bfloat::attend(level, texts, &mut scratch.lines);
            return;
        }
        float::attend(level, texts, &mut scratch.lines);
    }
}

impl Text<'_> {
    /// Where a head's queries (0), keys (1) or values (2) of a token begin.
    fn start(&self, token: usize, part: usize, head: usize) -> usize {
        ((3 * token + part) * self.heads + head) * self.width
    }

    /// A head's queries (0), keys (1) or values (2) of a token.
    fn row(&self, token: usize, part: usize, head: usize) -> &[f32] {
        &self.projected[self.start(token, part, head)..][..self.width]
    }
}

#[cfg(test)]
mod tests;
