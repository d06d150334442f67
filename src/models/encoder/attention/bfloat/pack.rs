//! Rounds queries, keys and values of some heads to bfloat16 and lays them out in tiles.
//!
//! Unsafe because of raw loads. Invariant: the projections are read once, in order, and no load passes the end of a head's values.
#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::ops::Range;

use super::super::{Line, Text};
use super::{CHUNK, Parts, SIDE, Shape};

/// Packs all tokens of some heads, which go to the beginning of each part.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
pub(super) unsafe fn pack(text: &Text<'_>, shape: &Shape, heads: Range<usize>, parts: &Parts) {
    for chunk in 0..shape.chunks {
        for row in 0..SIDE {
            // SAFETY: the parts hold whole chunks of tokens.
            unsafe { pack_rows(text, shape, (chunk, row), (heads.clone(), parts)) };
        }
        for head in 0..heads.len() {
            for tile in 0..2 * shape.steps {
                // SAFETY: as above.
                unsafe { transpose(parts.keys.add(head * shape.rows() + (2 * chunk * shape.steps + tile) * SIDE)) };
            }
        }
    }
}

/// Packs the rows `row` and `row + 16` of a chunk.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn pack_rows(
    text: &Text<'_>,
    shape: &Shape,
    (chunk, row): (usize, usize),
    (heads, parts): (Range<usize>, &Parts),
) {
    let tokens = [CHUNK * chunk + row, CHUNK * chunk + row + SIDE];
    // Tokens beyond the text are not loaded.
    let there = tokens.map(|token| token < text.tokens);
    let side = text.heads * shape.width;
    let starts = tokens.map(|token| if token < text.tokens { 3 * side * token } else { 0 });
    let from = text.projected.as_ptr();
    let load = |half: usize, part: usize, head: usize, at: usize| {
        let left = if there[half] { shape.width.saturating_sub(at).min(SIDE) } else { 0 };
        let mask = ((1_u32 << left) - 1) as u16;
        let at = if left == 0 { 0 } else { at };
        // SAFETY: the mask admits only the head's own values.
        unsafe { _mm512_maskz_loadu_ps(mask, from.add(starts[half] + part * side + head * shape.width + at)) }
    };
    for (index, head) in heads.enumerate() {
        // SAFETY: the parts hold whole chunks of tokens.
        unsafe {
            for step in 0..shape.steps {
                for half in 0..2 {
                    let tile = (2 * chunk + half) * shape.steps + step;
                    let line = index * shape.rows() + SIDE * tile + row;
                    for (part, lines) in [parts.queries, parts.keys].into_iter().enumerate() {
                        let low = load(half, part, head, CHUNK * step);
                        let high = load(half, part, head, CHUNK * step + SIDE);
                        store(lines.add(line), _mm512_cvtne2ps_pbh(high, low));
                    }
                }
            }
            for column in 0..shape.columns {
                let halves = [0, 1].map(|half| load(half, 2, head, SIDE * column));
                let rounded = bits(_mm512_cvtne2ps_pbh(halves[1], halves[0]));
                let line = index * shape.values() + SIDE * (chunk * shape.columns + column) + row;
                let pairs = _mm512_permutexvar_epi16(beside(), rounded);
                _mm512_store_si512(parts.values.add(line).cast(), pairs);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn bits(values: __m512bh) -> __m512i {
    // SAFETY: both are 512 bits.
    unsafe { std::mem::transmute(values) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn store(line: *mut Line, values: __m512bh) {
    // SAFETY: the caller's promise.
    unsafe { _mm512_store_si512(line.cast(), bits(values)) };
}

/// The order that takes the first half's words beside those of the second.
#[inline]
#[target_feature(enable = "avx512f")]
fn beside() -> __m512i {
    const ORDER: [u16; 32] = {
        let mut order = [0; 32];
        let mut at = 0;
        while at < 32 {
            order[at] = (at / 2 + at % 2 * 16) as u16;
            at += 1;
        }
        order
    };
    // SAFETY: the order has 64 bytes.
    unsafe { _mm512_loadu_si512(ORDER.as_ptr().cast()) }
}

/// Turns a tile's rows of pairs to its columns.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn transpose(tile: *mut Line) {
    let mut quarters = [[_mm512_setzero_si512(); 4]; 4];
    for (column, rows) in quarters.iter_mut().enumerate() {
        for (row, lines) in rows.iter_mut().enumerate() {
            // SAFETY: each of 16 lines has four quarters.
            let quarter = |of: usize| unsafe { _mm_load_si128(tile.add(4 * of + row).cast::<__m128i>().add(column)) };
            let lines_of = _mm512_castsi128_si512(quarter(0));
            let lines_of = _mm512_mask_broadcast_i32x4(lines_of, 0x00f0, quarter(1));
            let lines_of = _mm512_mask_broadcast_i32x4(lines_of, 0x0f00, quarter(2));
            *lines = _mm512_mask_broadcast_i32x4(lines_of, 0xf000, quarter(3));
        }
    }
    for (column, [a, b, c, d]) in quarters.into_iter().enumerate() {
        let (low, high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
        let (low_next, high_next) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
        let turned = [
            _mm512_unpacklo_epi64(low, low_next),
            _mm512_unpackhi_epi64(low, low_next),
            _mm512_unpacklo_epi64(high, high_next),
            _mm512_unpackhi_epi64(high, high_next),
        ];
        for (row, turned) in turned.into_iter().enumerate() {
            // SAFETY: the tile has 16 lines.
            unsafe { _mm512_store_si512(tile.add(4 * column + row).cast(), turned) };
        }
    }
}
