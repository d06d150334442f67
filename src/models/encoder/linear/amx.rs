//! Products by the processor's matrix tiles: 32 rows by 32 columns of bytes or bfloat16, 64 bytes of each a step.
//!
//! Unsafe because the instructions must exist; the compiler has no functions for them yet. Invariant: tiles are set up as long as they
//! are used, and rows and panels are filled up to whole steps of 64 bytes.
#![allow(unsafe_code)]

use std::arch::asm;
use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};

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
            const DEPTH: usize = 192;
            type Lanes = Wide;
            type Guard = Tiles;

            #[inline(always)]
            unsafe fn begin() -> Tiles {
                // SAFETY: the caller's promise; no other tiles live, since products call nothing.
                unsafe { Tiles::new() }
            }

            #[inline(always)]
            unsafe fn multiply(factors: &Factors, rows: usize, tile: *mut Tile) {
                let (mut first, stride, mut panel, steps) =
                    (factors.rows, factors.stride, factors.panel, factors.steps / 16);
                let (to, mut ahead, share) = (tile.cast::<f32>(), factors.ahead, factors.share.div_ceil(steps));
                // SAFETY: sixteen or 32 rows of whole steps and a panel of as many lie there; the tile has room for 32 by 32 sums.
                unsafe {
                    if rows > 16 {
                        let mut second = first.add(16 * stride);
                        if factors.more {
                            asm!(
                                "tileloadd tmm0, [{to} + {wide}]",
                                "tileloadd tmm1, [{to} + {wide} + 64]",
                                "tileloadd tmm2, [{to} + {wide} + 2048]",
                                "tileloadd tmm3, [{to} + {wide} + 2112]",
                                to = in(reg) to, wide = in(reg) 128_usize,
                                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                                options(nostack, readonly),
                            );
                        } else {
                            asm!(
                                "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                                options(nostack, nomem),
                            );
                        }
                        for _ in 0..steps {
                            asm!(
                                "tileloadd tmm4, [{first} + {stride}]",
                                "tileloadd tmm6, [{panel} + {wide}]",
                                concat!($product, " tmm0, tmm4, tmm6"),
                                "tileloadd tmm7, [{panel} + {wide} + 64]",
                                concat!($product, " tmm1, tmm4, tmm7"),
                                "tileloadd tmm5, [{second} + {stride}]",
                                concat!($product, " tmm2, tmm5, tmm6"),
                                concat!($product, " tmm3, tmm5, tmm7"),
                                first = in(reg) first, second = in(reg) second, panel = in(reg) panel,
                                stride = in(reg) stride, wide = in(reg) 128_usize,
                                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                                options(nostack, readonly),
                            );
                            first = first.wrapping_add(64);
                            second = second.wrapping_add(64);
                            panel = panel.wrapping_add(2048);
                            for _ in 0..share {
                                _mm_prefetch::<_MM_HINT_T1>(ahead.cast());
                                ahead = ahead.wrapping_add(64);
                            }
                        }
                        asm!(
                            "tilestored [{to} + {wide}], tmm0",
                            "tilestored [{to} + {wide} + 64], tmm1",
                            "tilestored [{to} + {wide} + 2048], tmm2",
                            "tilestored [{to} + {wide} + 2112], tmm3",
                            to = in(reg) to, wide = in(reg) 128_usize, options(nostack),
                        );
                    } else {
                        if factors.more {
                            asm!(
                                "tileloadd tmm0, [{to} + {wide}]",
                                "tileloadd tmm1, [{to} + {wide} + 64]",
                                to = in(reg) to, wide = in(reg) 128_usize, out("tmm0") _, out("tmm1") _,
                                options(nostack, readonly),
                            );
                        } else {
                            asm!(
                                "tilezero tmm0", "tilezero tmm1", out("tmm0") _, out("tmm1") _,
                                options(nostack, nomem),
                            );
                        }
                        for _ in 0..steps {
                            asm!(
                                "tileloadd tmm4, [{first} + {stride}]",
                                "tileloadd tmm6, [{panel} + {wide}]",
                                concat!($product, " tmm0, tmm4, tmm6"),
                                "tileloadd tmm7, [{panel} + {wide} + 64]",
                                concat!($product, " tmm1, tmm4, tmm7"),
                                first = in(reg) first, panel = in(reg) panel,
                                stride = in(reg) stride, wide = in(reg) 128_usize,
                                out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm6") _, out("tmm7") _,
                                options(nostack, readonly),
                            );
                            first = first.wrapping_add(64);
                            panel = panel.wrapping_add(2048);
                            for _ in 0..share {
                                _mm_prefetch::<_MM_HINT_T1>(ahead.cast());
                                ahead = ahead.wrapping_add(64);
                            }
                        }
                        asm!(
                            "tilestored [{to} + {wide}], tmm0", "tilestored [{to} + {wide} + 64], tmm1",
                            to = in(reg) to, wide = in(reg) 128_usize, options(nostack),
                        );
                    }
                }
            }
        }
    };
}

engine!(Bytes, true, "tdpbssd");
engine!(Bfloats, false, "tdpbf16ps");
