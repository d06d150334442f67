//! Products of pairs (AVX-512 BF16), for processors without matrix tiles.
//!
//! Unsafe because of raw loads and because the instructions must exist. Invariant: sums run over pairs in order, each row's alone.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::Line;
use super::{CHUNK, Products, SIDE, Shape};

pub(super) struct Pairs;

/// Two ones.
const ONES: i32 = 0x3f80_3f80;

impl Products for Pairs {
    #[inline(always)]
    unsafe fn scores(
        shape: &Shape,
        (rows, blocks): (usize, usize),
        (queries, keys): (*const Line, *const Line),
        scores: *mut Line,
    ) {
        for block in 0..blocks {
            // SAFETY: all blocks are there, and so are the instructions, the caller promises.
            unsafe {
                let keys = keys.add(SIDE * block * shape.steps);
                multiply(rows, ((queries, SIDE), (keys, SIDE)), shape.steps, scores.add(SIDE * block));
            }
        }
    }

    #[inline(always)]
    unsafe fn begin(_: &Shape) {}

    #[inline(always)]
    unsafe fn add(_: &Shape, _: *const Line, _: *const Line) {}

    #[inline(always)]
    unsafe fn end(shape: &Shape, rows: usize, (probabilities, values): (*const Line, *const Line), sums: *mut Line) {
        // SAFETY: all chunks are there, and so are the instructions, the caller promises.
        unsafe {
            sum_rows(rows, (probabilities, shape.chunks), sums);
            for column in 0..shape.columns {
                let factors = ((probabilities, CHUNK), (values.add(SIDE * column), SIDE * shape.columns));
                multiply(rows, factors, shape.chunks, sums.add(SIDE * (1 + column)));
            }
        }
    }
}

/// A matrix and how many lines lie between its tiles, twice.
type Factors = ((*const Line, usize), (*const Line, usize));

/// Adds up the products of `steps` tiles on the left, of which `rows` lines are wanted, with as many on the right.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn multiply(rows: usize, factors: Factors, steps: usize, to: *mut Line) {
    // SAFETY: the caller's promise.
    unsafe {
        if rows > SIDE / 2 {
            multiply_rows::<SIDE>(factors, steps, to);
        } else {
            multiply_rows::<{ SIDE / 2 }>(factors, steps, to);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn multiply_rows<const ROWS: usize>(
    ((left, left_step), (right, right_step)): Factors,
    steps: usize,
    to: *mut Line,
) {
    let mut sums = [_mm512_setzero_ps(); ROWS];
    for step in 0..steps {
        for pair in 0..SIDE {
            // SAFETY: all tiles are there, the caller promises.
            unsafe {
                let right = pairs(_mm512_load_si512(right.add(right_step * step + pair).cast()));
                let left = left.add(left_step * step).cast::<i32>().add(pair);
                for (row, sum) in sums.iter_mut().enumerate() {
                    *sum = _mm512_dpbf16_ps(*sum, pairs(_mm512_set1_epi32(*left.add(SIDE * row))), right);
                }
            }
        }
    }
    for (row, &sum) in sums.iter().enumerate() {
        // SAFETY: a tile has 16 lines.
        unsafe { _mm512_store_ps(to.add(row).cast(), sum) };
    }
}

/// Writes the sum of each row's probabilities to the beginning of a line.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn sum_rows(rows: usize, (probabilities, chunks): (*const Line, usize), sums: *mut Line) {
    let ones = pairs(_mm512_set1_epi32(ONES));
    for row in 0..rows {
        let mut sum = _mm512_setzero_ps();
        for chunk in 0..chunks {
            // SAFETY: all chunks are there, the caller promises.
            let line = unsafe { _mm512_load_si512(probabilities.add(CHUNK * chunk + row).cast()) };
            sum = _mm512_dpbf16_ps(sum, pairs(line), ones);
        }
        // SAFETY: a tile has 16 lines.
        unsafe { *sums.add(row).cast::<f32>() = _mm512_reduce_add_ps(sum) };
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn pairs(bits: __m512i) -> __m512bh {
    // SAFETY: both are 512 bits.
    unsafe { std::mem::transmute::<__m512i, __m512bh>(bits) }
}
