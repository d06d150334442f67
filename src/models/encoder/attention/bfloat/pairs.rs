//! Products of pairs (AVX-512 BF16), for processors without matrix tiles.
//!
//! Unsafe because of raw loads and because the instructions must exist. Invariant: sums run over pairs in order, each row's alone.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::super::Line;
use super::{CHUNK, Products, SIDE, Shape};

pub(super) struct Pairs;

impl Products for Pairs {
    #[inline(always)]
    unsafe fn scores(shape: &Shape, blocks: usize, (queries, keys): (*const Line, *const Line), scores: *mut Line) {
        for block in 0..blocks {
            // SAFETY: all blocks are there, and so are the instructions, the caller promises.
            unsafe {
                let keys = keys.add(SIDE * block * shape.steps);
                multiply((queries, SIDE), (keys, SIDE), shape.steps, scores.add(SIDE * block));
            }
        }
    }

    #[inline(always)]
    unsafe fn begin(_: &Shape) {}

    #[inline(always)]
    unsafe fn add(_: &Shape, _: *const Line, _: *const Line) {}

    #[inline(always)]
    unsafe fn end(shape: &Shape, probabilities: *const Line, values: *const Line, sums: *mut Line) {
        static ONES: [Line; SIDE] = [Line([f32::from_bits(0x3f80_3f80); 16]); SIDE];
        // SAFETY: all chunks are there, and so are the instructions, the caller promises.
        unsafe {
            multiply((probabilities, CHUNK), (ONES.as_ptr(), 0), shape.chunks, sums);
            for column in 0..shape.columns {
                let values = values.add(SIDE * column);
                let sums = sums.add(SIDE * (1 + column));
                multiply((probabilities, CHUNK), (values, SIDE * shape.columns), shape.chunks, sums);
            }
        }
    }
}

/// Adds up the products of `steps` tiles on the left with as many on the right, some lines from one to the next.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn multiply(
    (left, left_step): (*const Line, usize),
    (right, right_step): (*const Line, usize),
    steps: usize,
    to: *mut Line,
) {
    let mut sums = [_mm512_setzero_ps(); SIDE];
    for step in 0..steps {
        for pair in 0..SIDE {
            // SAFETY: all tiles are there, the caller promises; integers and pairs of bfloat16 are the same bits.
            unsafe {
                let right = _mm512_load_si512(right.add(right_step * step + pair).cast());
                let left = left.add(left_step * step).cast::<i32>().add(pair);
                for (row, sum) in sums.iter_mut().enumerate() {
                    let left = _mm512_set1_epi32(*left.add(SIDE * row));
                    *sum = _mm512_dpbf16_ps(*sum, std::mem::transmute(left), std::mem::transmute(right));
                }
            }
        }
    }
    for (row, &sum) in sums.iter().enumerate() {
        // SAFETY: a tile has 16 lines.
        unsafe { _mm512_store_ps(to.add(row).cast(), sum) };
    }
}
