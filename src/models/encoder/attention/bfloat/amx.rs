//! Products of whole tiles (AMX).
//!
//! Unsafe because the compiler does not know these instructions: they are assembly, and what tiles hold from one to the next is
//! known only here. Invariant: sums lie in tiles 0 to 4 from `begin` to `end`, and everything else uses tiles 5 to 7.
#![allow(unsafe_code)]

use std::arch::asm;

use super::super::Line;
use super::{CHUNK, Products, SIDE, Shape};

pub(super) struct Amx;

/// Tiles of values that are summed up at once.
const AT_ONCE: usize = 4;
/// Two ones.
static ONES: [Line; SIDE] = [Line([f32::from_bits(0x3f80_3f80); 16]); SIDE];

macro_rules! zero {
    ($tile:tt) => {
        asm!(concat!("tilezero ", $tile), out($tile) _, options(nostack, nomem))
    };
}

macro_rules! load {
    ($tile:tt, $from:expr) => {
        asm!(concat!("tileloadd ", $tile, ", [{} + {}]"), in(reg) $from, in(reg) 64_usize, out($tile) _,
            options(nostack, readonly))
    };
}

macro_rules! store {
    ($tile:tt, $to:expr) => {
        asm!(concat!("tilestored [{} + {}], ", $tile), in(reg) $to, in(reg) 64_usize, options(nostack))
    };
}

macro_rules! multiply {
    ($sum:tt, $left:tt, $right:tt) => {
        asm!(concat!("tdpbf16ps ", $sum, ", ", $left, ", ", $right), out($sum) _, options(nostack, nomem))
    };
}

impl Products for Amx {
    #[inline(always)]
    unsafe fn scores(
        shape: &Shape,
        (_, blocks): (usize, usize),
        (queries, keys): (*const Line, *const Line),
        scores: *mut Line,
    ) {
        // SAFETY: tiles are set up and all blocks are there, the caller promises.
        unsafe {
            load!("tmm5", queries);
            for block in 0..blocks {
                zero!("tmm7");
                for step in 0..shape.steps {
                    if shape.steps > 1 {
                        load!("tmm5", queries.add(SIDE * step));
                    }
                    load!("tmm6", keys.add(SIDE * (block * shape.steps + step)));
                    multiply!("tmm7", "tmm5", "tmm6");
                }
                store!("tmm7", scores.add(SIDE * block));
            }
        }
    }

    #[inline(always)]
    unsafe fn begin(_: &Shape) {
        // SAFETY: tiles are set up, the caller promises.
        unsafe {
            zero!("tmm0");
            zero!("tmm1");
            zero!("tmm2");
            zero!("tmm3");
            zero!("tmm4");
        }
    }

    #[inline(always)]
    unsafe fn add(shape: &Shape, probabilities: *const Line, values: *const Line) {
        // SAFETY: tiles are set up, and a chunk is there, the caller promises.
        unsafe {
            load!("tmm5", probabilities);
            load!("tmm6", ONES.as_ptr());
            multiply!("tmm4", "tmm5", "tmm6");
            add_values(shape.columns, values);
        }
    }

    #[inline(always)]
    unsafe fn end(shape: &Shape, _: usize, (probabilities, values): (*const Line, *const Line), sums: *mut Line) {
        // SAFETY: tiles are set up and all chunks are there, the caller promises.
        unsafe {
            store!("tmm4", sums);
            for first in (0..shape.columns).step_by(AT_ONCE) {
                let columns = shape.columns - first;
                if first > 0 {
                    Self::begin(shape);
                    for chunk in 0..shape.chunks {
                        load!("tmm5", probabilities.add(CHUNK * chunk));
                        add_values(columns, values.add(SIDE * (chunk * shape.columns + first)));
                    }
                }
                let sums = sums.add(SIDE * (1 + first));
                store!("tmm0", sums);
                if columns > 1 {
                    store!("tmm1", sums.add(SIDE));
                }
                if columns > 2 {
                    store!("tmm2", sums.add(2 * SIDE));
                }
                if columns > 3 {
                    store!("tmm3", sums.add(3 * SIDE));
                }
            }
        }
    }
}

/// Adds the products of the probabilities in tile 5 with up to four tiles of values.
#[inline(always)]
unsafe fn add_values(columns: usize, values: *const Line) {
    // SAFETY: tiles are set up and the values are there, the caller promises.
    unsafe {
        load!("tmm6", values);
        multiply!("tmm0", "tmm5", "tmm6");
        if columns > 1 {
            load!("tmm7", values.add(SIDE));
            multiply!("tmm1", "tmm5", "tmm7");
        }
        if columns > 2 {
            load!("tmm6", values.add(2 * SIDE));
            multiply!("tmm2", "tmm5", "tmm6");
        }
        if columns > 3 {
            load!("tmm7", values.add(3 * SIDE));
            multiply!("tmm3", "tmm5", "tmm7");
        }
    }
}
