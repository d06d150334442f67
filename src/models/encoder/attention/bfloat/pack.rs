//! Rounds queries, keys and values of some heads to bfloat16 and lays them out in tiles.
//!
//! Unsafe because of raw loads. Invariant: the projections are read once, in order, and no load passes the end of a head's values.
#![allow(unsafe_code)]

use std::arch::x86_64::*;
use std::ops::Range;

use super::super::{Line, Text};
use super::{CHUNK, Parts, SIDE, Shape};

/// Packs all tokens of some heads, which go to the beginning of each part. A `WIDTH` of 0 stands for any.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
pub(super) unsafe fn pack<const WIDTH: usize>(text: &Text<'_>, shape: &Shape, heads: Range<usize>, parts: &Parts) {
    for chunk in 0..shape.chunks {
        for row in 0..SIDE {
            let left = text.tokens.saturating_sub(CHUNK * chunk + row);
            // SAFETY: the parts hold whole chunks of tokens.
            unsafe {
                if left == 0 {
                    for head in 0..heads.len() {
                        for column in 0..shape.columns {
                            let line = head * shape.values() + SIDE * (chunk * shape.columns + column) + row;
                            *parts.values.add(line) = Line([0.0; 16]);
                        }
                    }
                } else if WIDTH == 0 {
                    pack_rows_within(text, shape, (chunk, row), (heads.clone(), parts));
                } else if left > SIDE {
                    pack_rows::<WIDTH, true>(text, (chunk, row), heads.clone(), parts);
                } else {
                    pack_rows::<WIDTH, false>(text, (chunk, row), heads.clone(), parts);
                }
            }
        }
        for head in 0..heads.len() {
            for tile in 0..2 * shape.steps {
                // SAFETY: as above.
                unsafe { transpose(parts.keys.add(head * shape.rows() + (2 * chunk * shape.steps + tile) * SIDE)) };
            }
        }
    }
}

/// Packs the rows `row` and `row + 16` of a chunk, the first of which is there, and the second if it is `BOTH`. Queries and keys that
/// are not there stay what they are: they have no part in what is there.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn pack_rows<const WIDTH: usize, const BOTH: bool>(
    text: &Text<'_>,
    (chunk, row): (usize, usize),
    heads: Range<usize>,
    parts: &Parts,
) {
    let (shape, side) = (Shape::of_width(WIDTH, text.tokens), text.heads * WIDTH);
    let row_at = |token: usize| text.projected[3 * side * token..][..3 * side].as_ptr();
    let low = row_at(CHUNK * chunk + row);
    let high = if BOTH { row_at(CHUNK * chunk + row + SIDE) } else { low };
    let beside = beside();
    for (index, head) in heads.enumerate() {
        let (low, high) = (low.wrapping_add(head * WIDTH), high.wrapping_add(head * WIDTH));
        // SAFETY: the rows are there; the parts hold whole chunks of tokens.
        unsafe {
            for step in 0..shape.steps {
                let line = index * shape.rows() + SIDE * (2 * chunk * shape.steps + step) + row;
                let at = CHUNK * step;
                let next = SIDE * shape.steps;
                round(low.add(at), parts.queries.add(line));
                round(low.add(side + at), parts.keys.add(line));
                if BOTH {
                    round(high.add(at), parts.queries.add(line + next));
                    round(high.add(side + at), parts.keys.add(line + next));
                }
            }
            for column in 0..shape.columns {
                let at = 2 * side + SIDE * column;
                let second = if BOTH { _mm512_loadu_ps(high.add(at)) } else { _mm512_setzero_ps() };
                let halves = _mm512_cvtne2ps_pbh(second, _mm512_loadu_ps(low.add(at)));
                let line = index * shape.values() + SIDE * (chunk * shape.columns + column) + row;
                let pairs = _mm512_permutexvar_epi16(beside, bits(halves));
                _mm512_store_si512(parts.values.add(line).cast(), pairs);
            }
        }
    }
}

/// Rounds 32 values.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn round(from: *const f32, to: *mut Line) {
    // SAFETY: the caller's promise.
    unsafe {
        let rounded = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from.add(SIDE)), _mm512_loadu_ps(from));
        _mm512_store_si512(to.cast(), bits(rounded));
    }
}

/// Packs the rows `row` and `row + 16` of a chunk, of any width, with zeros for what is not there.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn pack_rows_within(
    text: &Text<'_>,
    shape: &Shape,
    (chunk, row): (usize, usize),
    (heads, parts): (Range<usize>, &Parts),
) {
    for (index, head) in heads.enumerate() {
        let rows = [0, SIDE].map(|half| {
            let token = CHUNK * chunk + row + half;
            [0, 1, 2].map(|part| if token < text.tokens { text.row(token, part, head) } else { &[] })
        });
        // SAFETY: the parts hold whole chunks of tokens.
        unsafe {
            for step in 0..shape.steps {
                for (half, rows) in rows.iter().enumerate() {
                    let line = index * shape.rows() + SIDE * ((2 * chunk + half) * shape.steps + step) + row;
                    for (row, lines) in rows.iter().zip([parts.queries, parts.keys]) {
                        let rounded =
                            _mm512_cvtne2ps_pbh(part_of(row, CHUNK * step + SIDE), part_of(row, CHUNK * step));
                        _mm512_store_si512(lines.add(line).cast(), bits(rounded));
                    }
                }
            }
            for column in 0..shape.columns {
                let halves = [0, 1].map(|half| part_of(rows[half][2], SIDE * column));
                let line = index * shape.values() + SIDE * (chunk * shape.columns + column) + row;
                let pairs = _mm512_permutexvar_epi16(beside(), bits(_mm512_cvtne2ps_pbh(halves[1], halves[0])));
                _mm512_store_si512(parts.values.add(line).cast(), pairs);
            }
        }
    }
}

/// 16 values of a row from one on, zeros beyond its end.
#[inline]
#[target_feature(enable = "avx512f")]
fn part_of(row: &[f32], at: usize) -> __m512 {
    let Some(rest @ [_, ..]) = row.get(at..) else { return _mm512_setzero_ps() };
    let mask = ((1_u32 << rest.len().min(SIDE)) - 1) as u16;
    // SAFETY: the mask admits only values of the row.
    unsafe { _mm512_maskz_loadu_ps(mask, rest.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn bits(values: __m512bh) -> __m512i {
    // SAFETY: both are 512 bits.
    unsafe { std::mem::transmute::<__m512bh, __m512i>(values) }
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
