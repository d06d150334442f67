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

use super::{Line, Reach, Text};
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
    /// Products of some queries (at most 16) with some blocks of 16 keys: a tile of scores a block.
    unsafe fn scores(shape: &Shape, counts: (usize, usize), factors: (*const Line, *const Line), scores: *mut Line);
    /// Forgets all sums.
    unsafe fn begin(shape: &Shape);
    /// Adds the products of a chunk's probabilities with its values.
    unsafe fn add(shape: &Shape, probabilities: *const Line, values: *const Line);
    /// Writes the sums of some rows: at the beginning of each line of a tile that of the row's probabilities, then a tile for every 16
    /// values. `factors` are the probabilities and the values of all chunks.
    unsafe fn end(shape: &Shape, rows: usize, factors: (*const Line, *const Line), sums: *mut Line);
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
    let factor = if text.biases.is_some() { 1.0 } else { text.scale };
    // SAFETY: the caller's promise; all blocks are within the parts.
    unsafe {
        pack::pack::<WIDTH>(text, shape, heads.clone(), parts);
        let blocks = heads.len() * shape.blocks;
        let mut next = Some(Block::at(text, shape, (heads.start, 0), parts));
        let mut greatest = [_mm512_set1_ps(f32::NEG_INFINITY); 4];
        if let Some(block) = &next {
            score::<P>(text, shape, block, &mut greatest);
        }
        for index in 1..=blocks {
            let Some(block) = next else { break };
            next = (index < blocks).then(|| Block::at(text, shape, (heads.start, index), parts));
            let shift = -greatest_of(greatest) * factor;
            greatest = [_mm512_set1_ps(f32::NEG_INFINITY); 4];
            P::begin(shape);
            for chunk in 0..shape.chunks {
                // The next block's products, while this one's powers are taken.
                if let Some(next) = &next {
                    multiply::<P>(shape, next, chunk);
                }
                // A chunk later than they are written, probabilities are in the cache.
                if chunk > 0 {
                    add::<P>(shape, &block, chunk - 1);
                }
                if block.rows == SIDE {
                    take_powers(shape, &block, (chunk, SIDE), (factor, &[shift; SIDE]));
                } else {
                    take_powers(shape, &block, (chunk, block.rows), (factor, &[shift; SIDE]));
                }
                if let Some(next) = &next {
                    look_at(text, shape, next, chunk, &mut greatest);
                }
            }
            add::<P>(shape, &block, shape.chunks - 1);
            P::end(shape, block.rows, (block.scores, block.values), parts.sums);
            let totals = totals(parts.sums);
            let faint = _mm512_cmp_ps_mask::<_CMP_NGE_UQ>(totals, _mm512_set1_ps(FAINT));
            if u32::from(faint).trailing_zeros() < block.rows as u32 {
                again::<P>(text, shape, &block, (factor, parts.sums));
            }
            write(text, shape, &block, parts.sums);
        }
    }
}

/// Some queries of one head, at most 16, and where what belongs to them lies.
struct Block {
    head: usize,
    first: usize,
    rows: usize,
    queries: *const Line,
    keys: *const Line,
    values: *const Line,
    scores: *mut Line,
}

impl Block {
    #[inline(always)]
    fn at(text: &Text<'_>, shape: &Shape, (head, index): (usize, usize), parts: &Parts) -> Self {
        let (of_heads, of_head) = (index / shape.blocks, index % shape.blocks);
        Self {
            head: head + of_heads,
            first: SIDE * of_head,
            rows: SIDE.min(text.tokens - SIDE * of_head),
            queries: parts.queries.wrapping_add(of_heads * shape.rows() + SIDE * shape.steps * of_head),
            keys: parts.keys.wrapping_add(of_heads * shape.rows()),
            values: parts.values.wrapping_add(of_heads * shape.values()),
            scores: parts.scores[index % 2],
        }
    }

    /// A chunk's scores: a tile for its first 16 keys, one for the others. Its probabilities take the first one's place.
    #[inline(always)]
    fn tile(&self, chunk: usize) -> *mut Line {
        self.scores.wrapping_add(CHUNK * chunk)
    }
}

/// Products of a block with the keys of a chunk.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn multiply<P: Products>(shape: &Shape, block: &Block, chunk: usize) {
    let keys = block.keys.wrapping_add(CHUNK * shape.steps * chunk);
    let blocks = 2.min(shape.blocks - 2 * chunk);
    // SAFETY: the block's parts are there for all chunks.
    unsafe { P::scores(shape, (block.rows, blocks), (block.queries, keys), block.tile(chunk)) };
}

/// Adds the products of a chunk's probabilities with its values.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn add<P: Products>(shape: &Shape, block: &Block, chunk: usize) {
    // SAFETY: the block's parts are there for all chunks.
    unsafe { P::add(shape, block.tile(chunk), block.values.add(SIDE * shape.columns * chunk)) };
}

/// A block's scores with all keys, and the greatest of them.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn score<P: Products>(text: &Text<'_>, shape: &Shape, block: &Block, greatest: &mut [__m512; 4]) {
    for chunk in 0..shape.chunks {
        // SAFETY: the block's parts are there for all chunks.
        unsafe { multiply::<P>(shape, block, chunk) };
    }
    for chunk in 0..shape.chunks {
        // SAFETY: as above.
        unsafe { look_at(text, shape, block, chunk, greatest) };
    }
}

/// Adds biases to the scores of a chunk, if there are any, and finds the greatest.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn look_at(text: &Text<'_>, shape: &Shape, block: &Block, chunk: usize, greatest: &mut [__m512; 4]) {
    for half in 0..2.min(shape.blocks - 2 * chunk) {
        let (tile, there) = (block.tile(chunk).wrapping_add(SIDE * half), shape.there(2 * chunk + half));
        // SAFETY: a tile has 16 lines, and there are biases for whole blocks of keys.
        unsafe {
            if text.reach != Reach::All {
                hide(text, block, tile, CHUNK * chunk + SIDE * half);
            }
            if let Some(biases) = text.biases {
                let scale = _mm512_set1_ps(text.scale);
                for row in 0..block.rows {
                    let biases = biases.row(block.head, block.first + row, CHUNK * chunk + SIDE * half);
                    let line = tile.add(row).cast::<f32>();
                    let score = _mm512_fmadd_ps(_mm512_load_ps(line), scale, _mm512_loadu_ps(biases[..SIDE].as_ptr()));
                    _mm512_store_ps(line, score);
                    greatest[0] = _mm512_mask_max_ps(greatest[0], there, greatest[0], score);
                }
            } else if block.rows == SIDE && there == 0xffff {
                for row in 0..SIDE {
                    greatest[row % 4] = _mm512_max_ps(greatest[row % 4], _mm512_load_ps(tile.add(row).cast()));
                }
            } else {
                for row in 0..block.rows {
                    let line = _mm512_load_ps(tile.add(row).cast());
                    greatest[0] = _mm512_mask_max_ps(greatest[0], there, greatest[0], line);
                }
            }
        }
    }
}

/// Makes the scores of a tile's keys, from `first` on, that a query does not attend to less than all others.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn hide(text: &Text<'_>, block: &Block, tile: *mut Line, first: usize) {
    let below = |end: usize| (1_u32 << end.saturating_sub(first).min(SIDE)) - 1;
    for row in 0..block.rows {
        let keys = text.reach.keys(block.first + row, text.tokens);
        let seen = (below(keys.end) & !below(keys.start)) as u16;
        // SAFETY: a tile has 16 lines.
        unsafe {
            let line = tile.add(row).cast::<f32>();
            let hidden = _mm512_set1_ps(f32::NEG_INFINITY);
            _mm512_store_ps(line, _mm512_mask_mov_ps(hidden, seen, _mm512_load_ps(line)));
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
fn greatest_of([a, b, c, d]: [__m512; 4]) -> f32 {
    _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(a, b), _mm512_max_ps(c, d)))
}

/// The sums of each row's probabilities.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn totals(sums: *const Line) -> __m512 {
    let rows = _mm512_set_epi32(240, 224, 208, 192, 176, 160, 144, 128, 112, 96, 80, 64, 48, 32, 16, 0);
    // SAFETY: the first tile of the sums has 16 lines of 16 values.
    unsafe { _mm512_i32gather_ps::<4>(rows, sums.cast()) }
}

/// Sums up a block whose rows' greatest scores lie far apart: each row's scores less its own greatest.
#[cold]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn again<P: Products>(text: &Text<'_>, shape: &Shape, block: &Block, (factor, sums): (f32, *mut Line)) {
    // SAFETY: the caller's promise.
    unsafe {
        score::<P>(text, shape, block, &mut [_mm512_setzero_ps(); 4]);
        let mut shifts = [0.0; SIDE];
        for (row, shift) in shifts.iter_mut().enumerate() {
            let mut greatest = _mm512_set1_ps(f32::NEG_INFINITY);
            for of_keys in 0..shape.blocks {
                let line = _mm512_load_ps(block.scores.add(SIDE * of_keys + row).cast());
                greatest = _mm512_mask_max_ps(greatest, shape.there(of_keys), greatest, line);
            }
            *shift = -_mm512_reduce_max_ps(greatest) * factor;
        }
        P::begin(shape);
        for chunk in 0..shape.chunks {
            take_powers(shape, block, (chunk, block.rows), (factor, &shifts));
            add::<P>(shape, block, chunk);
        }
        P::end(shape, block.rows, (block.scores, block.values), sums);
    }
}

/// Replaces the scores of a chunk by its probabilities (but for a factor a row): 2^(score · factor + shift), pairs of two keys 16
/// apart, in the first half of its lines.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn take_powers(
    shape: &Shape,
    block: &Block,
    (chunk, rows): (usize, usize),
    (factor, shifts): (f32, &[f32; SIDE]),
) {
    let factor = _mm512_set1_ps(factor);
    let there = [shape.there(2 * chunk), shape.there(2 * chunk + 1)];
    let tile = block.tile(chunk);
    for (row, &shift) in shifts.iter().enumerate().take(rows) {
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

/// Writes sums, divided by the rows' own, to their columns.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn write(text: &Text<'_>, shape: &Shape, block: &Block, sums: *const Line) {
    let mut shares = [0.0; SIDE];
    // SAFETY: there is a tile of the rows' sums, and a tile of sums a column; the values written are the head's own.
    unsafe {
        _mm512_storeu_ps(shares.as_mut_ptr(), _mm512_div_ps(_mm512_set1_ps(1.0), totals(sums)));
        for (row, &share) in shares.iter().enumerate().take(block.rows) {
            let out = text.out.at(text.first + block.first + row, block.head * shape.width);
            for column in 0..shape.columns {
                let mask = ((1_u32 << (shape.width - SIDE * column).min(SIDE)) - 1) as u16;
                let sums = _mm512_load_ps(sums.add(SIDE * (1 + column) + row).cast());
                _mm512_mask_storeu_ps(out.add(SIDE * column), mask, _mm512_mul_ps(sums, _mm512_set1_ps(share)));
            }
        }
    }
}
