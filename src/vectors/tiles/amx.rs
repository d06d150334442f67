//! Tiles of products of bytes and of bfloat16 by the processor's matrix tiles (AMX): 32 x 32.
//!
//! Unsafe because the instructions are written as assembly and must exist. Invariant: the kernel checks the lengths of what it is
//! given before it reads; rows are filled up with zeros, so what is read past the end of a panel counts nothing.
#![allow(unsafe_code)]

use std::arch::asm;
use std::arch::x86_64::*;

use super::pack::ByteTile;
use super::{PANEL, Tile};

/// Bytes of each row that one step takes.
const STEP: usize = 64;

/// Where the two rows of tiles begin, and how far it is from one to the next.
#[derive(Clone, Copy)]
struct Start {
    /// The first of 32 rows.
    rows: *const u8,
    /// Bytes from one row to the next.
    stride: usize,
    /// The first of two panels of 16 columns.
    panels: *const u8,
    /// Bytes from one panel to the next.
    panel: usize,
    /// Tiles one after the other in a row, 64 bytes each, and in a panel, 1,024 bytes each; above 0.
    turns: usize,
}

macro_rules! multiply {
    ($name:ident, $product:literal) => {
        /// Writes 32 x 32 products to `tile`, row after row.
        ///
        /// # Safety
        /// The instructions exist, the matrix tiles are set up on this thread, and rows and panels hold what [`Start`] says.
        #[inline]
        unsafe fn $name(start: Start, tile: &mut Tile) {
            let Start { rows, stride, panels, panel, turns } = start;
            // SAFETY: the caller's promise; the tile holds 32 rows of 128 bytes.
            unsafe {
                asm!(
                    "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                    "2:",
                    "tileloadd tmm6, [{left_panel} + {step}*1]",
                    "tileloadd tmm4, [{upper} + {stride}*1]",
                    "tileloadd tmm7, [{right_panel} + {step}*1]",
                    "tileloadd tmm5, [{lower} + {stride}*1]",
                    concat!($product, " tmm0, tmm4, tmm6"),
                    concat!($product, " tmm1, tmm4, tmm7"),
                    concat!($product, " tmm2, tmm5, tmm6"),
                    concat!($product, " tmm3, tmm5, tmm7"),
                    "add {upper}, 64", "add {lower}, 64", "add {left_panel}, 1024", "add {right_panel}, 1024",
                    "dec {turns}",
                    "jnz 2b",
                    "tilestored [{out} + {step}*2], tmm0",
                    "tilestored [{out} + {step}*2 + 64], tmm1",
                    "tilestored [{out} + {step}*2 + 2048], tmm2",
                    "tilestored [{out} + {step}*2 + 2112], tmm3",
                    upper = inout(reg) rows => _,
                    lower = inout(reg) rows.add(16 * stride) => _,
                    left_panel = inout(reg) panels => _,
                    right_panel = inout(reg) panels.add(panel) => _,
                    turns = inout(reg) turns => _,
                    stride = in(reg) stride,
                    step = in(reg) STEP,
                    out = in(reg) tile.as_mut_ptr(),
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
        }
    };
}

multiply!(multiply_bytes, "tdpbsud");
multiply!(multiply_bfloats, "tdpbf16ps");

/// 32 rows by 32 columns of bfloat16, rows filled up with zeros to `stride` values, a multiple of 32; `panels` hold as many. The matrix
/// tiles must be set up on this thread.
#[target_feature(enable = "avx512f")]
pub(super) fn bfloats(rows: &[u16], panels: &[u16], stride: usize, tile: &mut Tile) {
    let turns = stride * 2 / STEP;
    assert!(turns > 0 && stride * 2 == turns * STEP && rows.len() >= 32 * stride && panels.len() >= 2 * PANEL * stride);
    let (rows, panels, panel) = (rows.as_ptr().cast(), panels.as_ptr().cast(), 2 * PANEL * stride);
    // SAFETY: the tiles were set up, and lengths were just checked: `turns` tiles of 1,024 bytes are a panel.
    unsafe { multiply_bfloats(Start { rows, stride: 2 * stride, panels, panel, turns }, tile) };
}

/// 32 rows by 32 columns of bytes. `rows` are signed, `panels` have 128 added, `sums` takes that off again. The matrix tiles must be
/// set up on this thread.
#[target_feature(enable = "avx512f")]
pub(super) fn bytes(of: &ByteTile<'_>, tile: &mut Tile) {
    let &ByteTile { rows, stride, sums, panels, steps } = of;
    let panel = PANEL * 4 * steps;
    let turns = stride / STEP;
    assert!(rows.len() >= 32 * stride && turns > 0 && 4 * steps <= stride && sums.len() >= 32);
    assert!(panels.len() >= panel + turns * PANEL * STEP);
    let (rows, panels) = (rows.as_ptr().cast(), panels.as_ptr());
    // SAFETY: the tiles were set up; the rows hold 32 times `stride` bytes, both panels what `turns` tiles of 1,024 bytes read.
    unsafe { multiply_bytes(Start { rows, stride, panels, panel, turns }, tile) };
    for (products, &sum) in tile.as_chunks_mut::<32>().0.iter_mut().zip(sums) {
        let off = _mm512_set1_epi32(128 * sum);
        for at in [0, 16] {
            // SAFETY: the row holds 32 values.
            unsafe {
                let values = products.as_mut_ptr().add(at);
                let whole = _mm512_sub_epi32(_mm512_loadu_si512(values.cast()), off);
                _mm512_storeu_ps(values, _mm512_cvtepi32_ps(whole));
            }
        }
    }
}
