//! Attention by products of bfloat16, with or without matrix tiles.
//!
//! Queries, keys, values and probabilities are rounded to bfloat16; scores, powers and sums are `f32`. Everything is cut into tiles of
//! 16 lines of 64 bytes: queries and probabilities lie in them row by row, keys and values as pairs beside one another, which is what
//! products of pairs take. A pair of probabilities is that of two keys 16 apart. Unsafe because of raw loads and because the
//! instructions must exist. Invariant: tokens beyond a text are zeros, and have no share in any sum.
#![allow(unsafe_code)]

mod amx;
mod pack;
mod pairs;

use std::arch::x86_64::*;
use std::ops::Range;

use super::{Line, Text};
use crate::vectors::Level;
use crate::vectors::amx::Tiles;

/// Lines of a tile, and values of a line as `f32`.
const SIDE: usize = 16;
/// Keys of a line of probabilities.
const CHUNK: usize = 2 * SIDE;
/// Bytes that the packed heads of a text should not exceed, for the second cache's sake.
const PACKED: usize = 768 << 10;
/// Rows whose probabilities add up to less than this are computed again by themselves.
const FAINT: f32 = 1e-20;

/// Whether this processor has all the instructions named here, and `level` allows them.
pub(super) fn runs(level: Level) -> bool {
    use std::arch::is_x86_feature_detected as has;
    level <= Level::Avx512Vnni && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512bf16")
}

/// Attends to texts one after another, where [`runs`] says yes.
pub(super) fn attend<'a>(level: Level, texts: impl Iterator<Item = Text<'a>>, memory: &mut Vec<Line>) {
    assert!(runs(level));
    if level == Level::Amx {
        // SAFETY: the level says that tiles are permitted; whoever else uses tiles on this thread has given them back.
        let tiles = unsafe { Tiles::new() };
        // SAFETY: the instructions are there, as just asked, and the tiles are set up.
        texts.for_each(|text| unsafe { of_text::<amx::Amx>(&text, memory) });
        drop(tiles);
    } else {
        // SAFETY: the instructions are there, as just asked.
        texts.for_each(|text| unsafe { of_text::<pairs::Pairs>(&text, memory) });
    }
}

/// What multiplies tiles. Whoever calls promises that the instructions exist and that the tiles are there.
trait Products {
    /// Products of 16 queries with blocks of 16 keys: a tile of scores a block.
    unsafe fn scores(shape: &Shape, queries: *const Line, keys: *const Line, scores: *mut Line);
    /// Forgets all sums.
    unsafe fn begin(shape: &Shape);
    /// Adds the products of a chunk's probabilities with its values.
    unsafe fn add(shape: &Shape, probabilities: *const Line, values: *const Line);
    /// Writes the sums: a tile of the probabilities' own, then a tile for every 16 values. `probabilities` and `values` are those of
    /// all chunks.
    unsafe fn end(shape: &Shape, probabilities: *const Line, values: *const Line, sums: *mut Line);
}

/// How a text's heads are cut into tiles.
#[derive(Clone, Copy)]
struct Shape {
    width: usize,
    tokens: usize,
    /// Tiles a block of 16 queries or keys.
    steps: usize,
    /// Tiles a chunk of 32 values.
    columns: usize,
    /// Blocks of 16 tokens.
    blocks: usize,
    /// Chunks of 32 tokens.
    chunks: usize,
}

impl Shape {
    #[inline(always)]
    fn of_width(width: usize, tokens: usize) -> Self {
        let (steps, columns) = (width.div_ceil(CHUNK), width.div_ceil(SIDE));
        Self { width, tokens, steps, columns, blocks: tokens.div_ceil(SIDE), chunks: tokens.div_ceil(CHUNK) }
    }

    /// Lines of a head's queries, and of its keys.
    fn rows(&self) -> usize {
        CHUNK * self.chunks * self.steps
    }

    /// Lines of a head's values.
    fn values(&self) -> usize {
        SIDE * self.chunks * self.columns
    }

    /// Which of a block's tokens are there.
    #[inline(always)]
    fn there(&self, block: usize) -> u16 {
        ((1_u32 << self.tokens.saturating_sub(SIDE * block).min(SIDE)) - 1) as u16
    }

    /// Lines of 16 queries' scores.
    fn scores(&self) -> usize {
        CHUNK * self.chunks
    }
}

/// Where the parts of scratch memory begin.
#[derive(Clone, Copy)]
struct Parts {
    queries: *mut Line,
    keys: *mut Line,
    values: *mut Line,
    scores: [*mut Line; 2],
    sums: *mut Line,
}

/// Attends to one text, some heads at a time.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn of_text<P: Products>(text: &Text<'_>, memory: &mut Vec<Line>) {
    let shape = Shape::of_width(text.width, text.tokens);
    let packed = 2 * shape.rows() + shape.values();
    let together = (PACKED / (size_of::<Line>() * packed)).clamp(1, text.asked.len());
    let sizes = [
        together * shape.rows(),
        together * shape.rows(),
        together * shape.values(),
        shape.scores(),
        shape.scores(),
        SIDE * (1 + shape.columns),
    ];
    memory.resize(sizes.iter().sum::<usize>().max(memory.len()), Line([0.0; 16]));
    let mut at = memory.as_mut_ptr();
    let [queries, keys, values, even, odd, sums] = sizes.map(|size| {
        let part = at;
        at = at.wrapping_add(size);
        part
    });
    let parts = Parts { queries, keys, values, scores: [even, odd], sums };
    for first in text.asked.clone().step_by(together) {
        let heads = first..(first + together).min(text.asked.end);
        // SAFETY: every part is as large as its size says, which is what the functions use.
        unsafe {
            match text.width {
                32 => heads_of::<P, 32>(text, &shape, heads, &parts),
                64 => heads_of::<P, 64>(text, &shape, heads, &parts),
                _ => heads_of::<P, 0>(text, &shape, heads, &parts),
            }
        }
    }
}

/// Attends from all queries of some heads. A `WIDTH` of 0 stands for any.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn heads_of<P: Products, const WIDTH: usize>(
    text: &Text<'_>,
    shape: &Shape,
    heads: Range<usize>,
    parts: &Parts,
) {
    let shape = &if WIDTH == 0 { *shape } else { Shape::of_width(WIDTH, text.tokens) };
    // SAFETY: the caller's promise; `blocks` and `heads` are within the parts.
    unsafe {
        pack::pack::<WIDTH>(text, shape, heads.clone(), parts);
        let blocks = heads.len() * shape.blocks;
        let scores = |block: usize| parts.scores[block % 2];
        let product = |block: usize| {
            let (head, of_head) = (block / shape.blocks, block % shape.blocks);
            let queries = parts.queries.add(head * shape.rows() + SIDE * shape.steps * of_head);
            P::scores(shape, queries, parts.keys.add(head * shape.rows()), scores(block));
        };
        product(0);
        for block in 0..blocks {
            let (head, of_head) = (block / shape.blocks, block % shape.blocks);
            let rows = SIDE.min(text.tokens - SIDE * of_head);
            let queries = Queries { head: heads.start + head, first: SIDE * of_head, rows };
            let factor = add_biases(text, shape, &queries, scores(block));
            let greatest = greatest(shape, 0..rows, scores(block)) * factor;
            // The next block's products, while this one's powers are taken.
            if block + 1 < blocks {
                product(block + 1);
            }
            let values = parts.values.add(head * shape.values());
            let powers = Powers { rows, factor, shifts: [-greatest; SIDE] };
            let mut shares = sum_up::<P>(shape, &powers, (scores(block), values), parts.sums);
            if shares[..rows].iter().any(|&share| !(share < 1.0 / FAINT)) {
                product(block);
                let factor = add_biases(text, shape, &queries, scores(block));
                let mut shifts = [0.0; SIDE];
                for (row, shift) in shifts.iter_mut().enumerate() {
                    *shift = -self::greatest(shape, row..row + 1, scores(block)) * factor;
                }
                let powers = Powers { rows, factor, shifts };
                shares = sum_up::<P>(shape, &powers, (scores(block), values), parts.sums);
            }
            write(text, shape, &queries, (parts.sums.add(SIDE), &shares));
        }
    }
}

/// Some queries of one head, at most 16.
struct Queries {
    head: usize,
    first: usize,
    rows: usize,
}

/// What makes scores powers: 2^(score · factor + shift).
struct Powers {
    rows: usize,
    factor: f32,
    shifts: [f32; SIDE],
}

/// Adds biases, if there are any; returns what scores are still to be multiplied by.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn add_biases(text: &Text<'_>, shape: &Shape, queries: &Queries, scores: *mut Line) -> f32 {
    let Some(biases) = text.biases else { return text.scale };
    let scale = _mm512_set1_ps(text.scale);
    for row in 0..queries.rows {
        let biases = &biases.row(queries.head, queries.first + row, 0)[..SIDE * shape.blocks];
        for block in 0..shape.blocks {
            // SAFETY: scores and biases are there for all blocks.
            unsafe {
                let line = scores.add(SIDE * block + row).cast::<f32>();
                let bias = _mm512_loadu_ps(biases.as_ptr().add(SIDE * block));
                _mm512_store_ps(line, _mm512_fmadd_ps(_mm512_load_ps(line), scale, bias));
            }
        }
    }
    1.0
}

/// The greatest score of some rows.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn greatest(shape: &Shape, rows: Range<usize>, scores: *const Line) -> f32 {
    let mut found = [_mm512_set1_ps(f32::NEG_INFINITY); 4];
    for block in 0..shape.blocks {
        let there = shape.there(block);
        // SAFETY: scores are there for all blocks.
        unsafe {
            let tile = scores.add(SIDE * block);
            if rows.len() == SIDE {
                for row in 0..SIDE {
                    let line = _mm512_load_ps(tile.add(row).cast());
                    found[row % 4] = _mm512_mask_max_ps(found[row % 4], there, found[row % 4], line);
                }
            } else {
                for row in rows.clone() {
                    let line = _mm512_load_ps(tile.add(row).cast());
                    found[0] = _mm512_mask_max_ps(found[0], there, found[0], line);
                }
            }
        }
    }
    let [a, b, c, d] = found;
    _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(a, b), _mm512_max_ps(c, d)))
}

/// Turns scores to probabilities (but for a factor a row), adds up values by them, and returns the factors.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn sum_up<P: Products>(
    shape: &Shape,
    powers: &Powers,
    (scores, values): (*mut Line, *const Line),
    sums: *mut Line,
) -> [f32; SIDE] {
    // SAFETY: scores and values are there for all chunks; a line of probabilities takes the place of one of scores.
    unsafe {
        P::begin(shape);
        for chunk in 0..shape.chunks {
            let tile = scores.add(CHUNK * chunk);
            let there = [shape.there(2 * chunk), shape.there(2 * chunk + 1)];
            if powers.rows == SIDE {
                take_powers(powers, SIDE, there, tile);
            } else {
                take_powers(powers, powers.rows, there, tile);
            }
            P::add(shape, tile, values.add(SIDE * shape.columns * chunk));
        }
        P::end(shape, scores, values, sums);
        let rows = _mm512_set_epi32(240, 224, 208, 192, 176, 160, 144, 128, 112, 96, 80, 64, 48, 32, 16, 0);
        let totals = _mm512_i32gather_ps::<4>(rows, sums.cast());
        let mut shares = [0.0; SIDE];
        _mm512_storeu_ps(shares.as_mut_ptr(), _mm512_div_ps(_mm512_set1_ps(1.0), totals));
        shares
    }
}

/// Replaces the scores of a chunk by its probabilities, pairs of two keys 16 apart, in the first half of its lines.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn take_powers(powers: &Powers, rows: usize, there: [u16; 2], tile: *mut Line) {
    let factor = _mm512_set1_ps(powers.factor);
    for (row, &shift) in powers.shifts.iter().enumerate().take(rows) {
        // SAFETY: the chunk's scores are 32 lines.
        unsafe {
            let shift = _mm512_set1_ps(shift);
            let low = _mm512_fmadd_ps(_mm512_load_ps(tile.add(row).cast()), factor, shift);
            let mut pairs = _mm512_srli_epi32::<16>(_mm512_castps_si512(power(low, there[0])));
            if there[1] > 0 {
                let high = _mm512_fmadd_ps(_mm512_load_ps(tile.add(SIDE + row).cast()), factor, shift);
                pairs = _mm512_mask_mov_epi16(pairs, 0xaaaa_aaaa, _mm512_castps_si512(power(high, there[1])));
            }
            _mm512_store_si512(tile.add(row).cast(), pairs);
        }
    }
}

/// 2 to the power of each, with a relative error below 1e-4; 0 for what is not there. Below −126 it is 2^−126, since results between
/// that and 0 would take the processor a hundred times as long.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn power(of: __m512, there: u16) -> __m512 {
    const FLOOR: i32 = 9;
    // The second operand is what a NaN leaves.
    let of = _mm512_max_ps(_mm512_set1_ps(-126.0), of);
    let rest = _mm512_reduce_ps::<FLOOR>(of);
    let mut sum = _mm512_set1_ps(0.078_024_52);
    for factor in [0.226_067_16, 0.695_833_56, 0.999_925_2] {
        sum = _mm512_fmadd_ps(sum, rest, _mm512_set1_ps(factor));
    }
    _mm512_maskz_scalef_ps(there, sum, of)
}

/// Writes sums, times a factor a row, to their columns.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn write(text: &Text<'_>, shape: &Shape, queries: &Queries, (sums, shares): (*const Line, &[f32; SIDE])) {
    for (row, &share) in shares.iter().enumerate().take(queries.rows) {
        let out = text.out.at(text.first + queries.first + row, queries.head * shape.width);
        for column in 0..shape.columns {
            let left = shape.width - SIDE * column;
            let mask = if left < SIDE { 0xffff_u16 >> (SIDE - left) } else { 0xffff };
            // SAFETY: there is a tile of sums a column; the values written are the head's own.
            unsafe {
                let sums = _mm512_load_ps(sums.add(SIDE * column + row).cast());
                _mm512_mask_storeu_ps(out.add(SIDE * column), mask, _mm512_mul_ps(sums, _mm512_set1_ps(share)));
            }
        }
    }
}
