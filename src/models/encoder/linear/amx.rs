//! Products by the processor's matrix tiles: 32 rows by 32 columns of bytes or bfloat16, 64 bytes of each a step.
//!
//! Unsafe because the instructions must exist; the compiler has no functions for them yet. Invariant: tiles are set up as long as they
//! are used, and rows and panels are filled up to whole steps of 64 bytes.
#![allow(unsafe_code)]

use std::arch::asm;

use super::job::{Engine, Factors, Job, Tile, run};
use crate::models::encoder::math::Wide;
use crate::vectors::amx::Tiles;

/// # Safety
/// As for [`run`].
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn bytes(job: &Job<'_>) {
    // SAFETY: the caller's promise.
    unsafe { run::<Bytes>(job) };
}

/// # Safety
/// As for [`run`].
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn bfloats(job: &Job<'_>) {
    // SAFETY: the caller's promise.
    unsafe { run::<Bfloats>(job) };
}

struct Bytes;
struct Bfloats;

macro_rules! engine {
    ($engine:ident, $integers:literal, $product:literal) => {
        impl Engine for $engine {
            const ROWS: usize = 32;
            const INTEGERS: bool = $integers;
            type Lanes = Wide;
            type Guard = Tiles;

            #[inline(always)]
            unsafe fn begin() -> Tiles {
                // SAFETY: the caller's promise; no other tiles live, since products call nothing.
                unsafe { Tiles::new() }
            }

            #[inline(always)]
            unsafe fn multiply(factors: &Factors, rows: usize, tile: &mut Tile) {
                let (first, stride, panel, steps) = (factors.rows, factors.stride, factors.panel, factors.steps / 16);
                let to = tile.0.as_mut_ptr();
                // SAFETY: sixteen or 32 rows of whole steps and a panel of as many lie there; the tile has room for 32 by 32 sums.
                unsafe {
                    if rows > 16 {
                        asm!(
                            "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                            "2:",
                            "tileloadd tmm4, [{first} + {stride}]",
                            "tileloadd tmm6, [{panel} + {wide}]",
                            concat!($product, " tmm0, tmm4, tmm6"),
                            "tileloadd tmm7, [{panel} + {wide} + 64]",
                            concat!($product, " tmm1, tmm4, tmm7"),
                            "tileloadd tmm5, [{second} + {stride}]",
                            concat!($product, " tmm2, tmm5, tmm6"),
                            concat!($product, " tmm3, tmm5, tmm7"),
                            "add {first}, 64", "add {second}, 64", "add {panel}, 2048",
                            "dec {steps}",
                            "jnz 2b",
                            "tilestored [{to} + {wide}], tmm0",
                            "tilestored [{to} + {wide} + 64], tmm1",
                            "tilestored [{to} + {wide} + 2048], tmm2",
                            "tilestored [{to} + {wide} + 2112], tmm3",
                            first = inout(reg) first => _, second = inout(reg) first.add(16 * stride) => _,
                            panel = inout(reg) panel => _, steps = inout(reg) steps => _,
                            stride = in(reg) stride, wide = in(reg) 128_usize, to = in(reg) to,
                            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                            options(nostack),
                        );
                    } else {
                        asm!(
                            "tilezero tmm0", "tilezero tmm1",
                            "2:",
                            "tileloadd tmm4, [{first} + {stride}]",
                            "tileloadd tmm6, [{panel} + {wide}]",
                            concat!($product, " tmm0, tmm4, tmm6"),
                            "tileloadd tmm7, [{panel} + {wide} + 64]",
                            concat!($product, " tmm1, tmm4, tmm7"),
                            "add {first}, 64", "add {panel}, 2048",
                            "dec {steps}",
                            "jnz 2b",
                            "tilestored [{to} + {wide}], tmm0",
                            "tilestored [{to} + {wide} + 64], tmm1",
                            first = inout(reg) first => _,
                            panel = inout(reg) panel => _, steps = inout(reg) steps => _,
                            stride = in(reg) stride, wide = in(reg) 128_usize, to = in(reg) to,
                            out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm6") _, out("tmm7") _,
                            options(nostack),
                        );
                    }
                }
            }
        }
    };
}

engine!(Bytes, true, "tdpbssd");
engine!(Bfloats, false, "tdpbf16ps");
