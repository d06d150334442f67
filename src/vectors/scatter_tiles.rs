//! The scatter matrix by the processor's matrix tiles of bfloat16: every value is cut into three that add up to it, and a product is
//! the sum of six of nine, as exact as one in single precision (the three left out are below its last digit).
//!
//! Tiles sum over the 128 rows of a block in single precision. Unsafe because the instructions must exist; those of tiles are written as
//! assembly, because the compiler has no functions for them yet. Invariant: tiles are set up as long as they are used; what a panel
//! lacks of 32 columns and a block of 128 rows is zeros.
#![allow(unsafe_code)]

/// Columns of a panel.
pub(super) const SIDE: usize = 32;
/// Rows that a tile holds, in pairs.
const STEP: usize = 32;
/// Tiles of a step: of each third two, of 16 columns.
const TILES: usize = 6;
/// Lines of a tile.
const LINES: usize = 16;
/// Steps of a block; what both sides of a product take of so many fits into the first cache, and all of it into the second.
const STEPS: usize = super::scatter::DEPTH / STEP;
/// Lines of a panel and one more, lest the same lines of all panels take the same place in the first cache.
const PANEL_LINES: usize = STEPS * TILES * LINES + 1;
/// Dimensions from which tiles pay.
const FROM: usize = 64;

/// A row of a tile: the same pair of rows in 16 columns, or 16 pairs in one column.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(#[allow(dead_code)] [u16; 32]); // read by vector loads

impl Line {
    pub(super) const ZERO: Self = Self([0; 32]);
}

/// Whether this machine multiplies so, and it pays.
pub(super) fn available(dim: usize) -> bool {
    super::level() == super::Level::Amx && dim >= FROM
}

/// Lines that a block of so many dimensions takes.
pub(super) fn lines(dim: usize) -> usize {
    dim.div_ceil(SIDE) * PANEL_LINES
}

/// Where 32 columns begin in a row of a triangle, which is made of squares of 32 columns a side, each row after row.
pub(super) fn place(row: usize, panel: usize) -> usize {
    let down = row / SIDE;
    ((down * (down + 1) / 2 + panel) * SIDE + row % SIDE) * SIDE
}

/// Cuts up to 128 rows, seen from the origin, into tiles, and sums their columns; values that are not finite count as the origin. Tells
/// whether all were finite. Wants [`available`] to have said yes.
pub(super) fn pack(block: &[f32], origin: &[f32], packed: &mut [Line], sums: &mut [f32]) -> bool {
    let dim = origin.len();
    assert!(block.len() <= STEPS * STEP * dim && packed.len() >= lines(dim) && sums.len() == dim && available(dim));
    sums.fill(0.0);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the level was asked for just now, and so were the lengths.
    unsafe {
        x86::pack(block, origin, packed, sums)
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Adds all columns times all columns up to them to the triangle `out` (see [`place`]). Wants what [`pack`] wrote, of `rows` rows and
/// `dim` columns.
pub(super) fn add_lower(packed: &[Line], rows: usize, dim: usize, out: &mut [f32]) {
    let panels = dim.div_ceil(SIDE);
    assert!(packed.len() >= lines(dim) && (1..=STEPS * STEP).contains(&rows) && available(dim));
    assert!(out.len() >= panels * (panels + 1) / 2 * SIDE * SIDE);
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the level was asked for just now, and so were the lengths; nothing below sets tiles up.
    unsafe {
        x86::add_lower(packed, rows.div_ceil(STEP), panels, out);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::asm;
    use std::arch::x86_64::*;

    use super::super::amx::Tiles;
    use super::super::scatter::DEPTH;
    use super::{LINES, Line, PANEL_LINES, SIDE, STEP, STEPS, TILES};

    /// Columns of a tile.
    const HALF: usize = SIDE / 2;

    /// Where a tile begins in a block.
    #[inline(always)]
    fn line(panel: usize, step: usize) -> usize {
        panel * PANEL_LINES + step * TILES * LINES
    }

    /// # Safety
    /// The instructions must exist, and the lengths be as [`super::pack`] wants them.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) unsafe fn pack(block: &[f32], origin: &[f32], packed: &mut [Line], sums: &mut [f32]) -> bool {
        let dim = origin.len();
        let rows = block.len() / dim;
        let mut broken = 0u16;
        for first in (0..DEPTH).step_by(2) {
            let (step, pair) = (first / STEP, first % STEP / 2);
            for column in (0..dim.next_multiple_of(SIDE)).step_by(HALF) {
                let there = (dim.saturating_sub(column)).min(HALF);
                let mask = ((1u32 << there) - 1) as u16;
                // SAFETY: the masks admit only columns and rows that are there; the line lies inside the block.
                unsafe {
                    let from = _mm512_maskz_loadu_ps(mask, origin.as_ptr().wrapping_add(column));
                    let mut both = [_mm512_setzero_ps(); 2];
                    let mut sum = _mm512_maskz_loadu_ps(mask, sums.as_ptr().wrapping_add(column));
                    for (at, seen) in both.iter_mut().enumerate() {
                        if first + at < rows {
                            let values = block.as_ptr().wrapping_add((first + at) * dim + column);
                            let away = _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, values), from);
                            let most = _mm512_set1_ps(f32::MAX);
                            let sound = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(_mm512_abs_ps(away), most);
                            broken |= !sound;
                            *seen = _mm512_maskz_mov_ps(sound, away);
                            sum = _mm512_add_ps(sum, *seen);
                        }
                    }
                    _mm512_mask_storeu_ps(sums.as_mut_ptr().wrapping_add(column), mask, sum);
                    let tile = line(column / SIDE, step) + column % SIDE / HALF * LINES + pair;
                    cut(both, packed.as_mut_ptr().add(tile));
                }
            }
        }
        broken == 0
    }

    /// Writes the thirds of a pair of rows: each is the upper half of what is left by the one before.
    ///
    /// # Safety
    /// There must be room for a line in every second of six tiles.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn cut([mut even, mut odd]: [__m512; 2], to: *mut Line) {
        let upper = _mm512_set1_epi32(0xffff_0000_u32.cast_signed());
        for third in 0..3 {
            let (left, right) = (_mm512_castps_si512(even), _mm512_castps_si512(odd));
            let both = _mm512_mask_blend_epi16(0xaaaa_aaaa, _mm512_srli_epi32::<16>(left), right);
            // SAFETY: the caller's promise.
            unsafe { _mm512_store_si512(to.add(2 * third * LINES).cast(), both) };
            even = _mm512_sub_ps(even, _mm512_castsi512_ps(_mm512_and_si512(left, upper)));
            odd = _mm512_sub_ps(odd, _mm512_castsi512_ps(_mm512_and_si512(right, upper)));
        }
    }

    /// # Safety
    /// As for [`pack`]; no tiles may be set up on this thread.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) unsafe fn add_lower(packed: &[Line], steps: usize, panels: usize, out: &mut [f32]) {
        let mut sums = [const { Square([0.0; SIDE * SIDE]) }; 2];
        let mut sideways = [Line::ZERO; STEPS * TILES * LINES];
        let part = |panel: usize| &packed[line(panel, 0)..][..steps * TILES * LINES];
        let mut squares = out.as_chunks_mut::<{ SIDE * SIDE }>().0.iter_mut();
        // What the square before sums up is added while the next one is multiplied.
        let (mut before, mut turn) = (None, 0);
        // SAFETY: the caller's promise.
        let _tiles = unsafe { Tiles::new() };
        for panel in 0..panels {
            for (tile, out) in part(panel).as_chunks::<LINES>().0.iter().zip(sideways.as_chunks_mut::<LINES>().0) {
                flip(tile, out);
            }
            for other in 0..=panel {
                // SAFETY: both hold so many steps, and the tiles are set up.
                unsafe { multiply(sideways.as_ptr(), part(other).as_ptr(), steps, sums[turn].0.as_mut_ptr()) };
                turn = 1 - turn;
                if let (Some(to), sums) = (before, &sums[turn]) {
                    add(sums, to);
                }
                before = squares.next();
            }
        }
        if let Some(to) = before {
            add(&sums[1 - turn], to);
        }
    }

    /// The sums of a square, row after row.
    #[repr(C, align(64))]
    struct Square([f32; SIDE * SIDE]);

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn add(sums: &Square, to: &mut [f32; SIDE * SIDE]) {
        to.iter_mut().zip(&sums.0).for_each(|(to, sum)| *to += sum);
    }

    /// Turns pairs by columns into columns by pairs.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn flip(tile: &[Line; LINES], out: &mut [Line; LINES]) {
        // SAFETY: lines are as long and as aligned as vectors.
        let rows: [__m512i; LINES] =
            std::array::from_fn(|row| unsafe { _mm512_load_si512((&raw const tile[row]).cast()) });
        let zero = _mm512_setzero_si512();
        let (mut twos, mut fours, mut eights) = ([zero; LINES], [zero; LINES], [zero; LINES]);
        for at in (0..LINES).step_by(2) {
            twos[at] = _mm512_unpacklo_epi32(rows[at], rows[at + 1]);
            twos[at + 1] = _mm512_unpackhi_epi32(rows[at], rows[at + 1]);
        }
        for at in (0..LINES).step_by(4) {
            for half in 0..2 {
                fours[at + 2 * half] = _mm512_unpacklo_epi64(twos[at + half], twos[at + 2 + half]);
                fours[at + 2 * half + 1] = _mm512_unpackhi_epi64(twos[at + half], twos[at + 2 + half]);
            }
        }
        // `fours[4 g + c]` holds, of rows 4 g to 4 g + 3, columns c, 4 + c, 8 + c and 12 + c.
        for at in 0..4 {
            eights[at] = _mm512_shuffle_i32x4::<0x88>(fours[at], fours[4 + at]);
            eights[4 + at] = _mm512_shuffle_i32x4::<0xdd>(fours[at], fours[4 + at]);
            eights[8 + at] = _mm512_shuffle_i32x4::<0x88>(fours[8 + at], fours[12 + at]);
            eights[12 + at] = _mm512_shuffle_i32x4::<0xdd>(fours[8 + at], fours[12 + at]);
        }
        for at in 0..4 {
            let columns = [
                (at, _mm512_shuffle_i32x4::<0x88>(eights[at], eights[8 + at])),
                (8 + at, _mm512_shuffle_i32x4::<0xdd>(eights[at], eights[8 + at])),
                (4 + at, _mm512_shuffle_i32x4::<0x88>(eights[4 + at], eights[12 + at])),
                (12 + at, _mm512_shuffle_i32x4::<0xdd>(eights[4 + at], eights[12 + at])),
            ];
            for (column, values) in columns {
                // SAFETY: as above.
                unsafe { _mm512_store_si512((&raw mut out[column]).cast(), values) };
            }
        }
    }

    /// Products of two tiles with two others.
    macro_rules! four {
        () => {
            "tdpbf16ps tmm0, tmm4, tmm6
             tdpbf16ps tmm1, tmm4, tmm7
             tdpbf16ps tmm2, tmm5, tmm6
             tdpbf16ps tmm3, tmm5, tmm7"
        };
    }

    /// Writes 32 x 32 sums over so many steps, row after row; the smallest products of a step come first.
    ///
    /// # Safety
    /// The tiles must be set up, and as many steps of tiles lie on both sides.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn multiply(left: *const Line, right: *const Line, steps: usize, out: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe {
            asm!(
                "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
                "2:",
                "tileloadd tmm4, [{left} + {line}]",
                "tileloadd tmm6, [{right} + {line} + 4096]",
                "tileloadd tmm5, [{left} + {line} + 1024]",
                "tileloadd tmm7, [{right} + {line} + 5120]",
                four!(),
                "tileloadd tmm6, [{right} + {line} + 2048]",
                "tileloadd tmm7, [{right} + {line} + 3072]",
                four!(),
                "tileloadd tmm4, [{left} + {line} + 2048]",
                "tileloadd tmm5, [{left} + {line} + 3072]",
                four!(),
                "tileloadd tmm6, [{right} + {line}]",
                "tileloadd tmm7, [{right} + {line} + 1024]",
                four!(),
                "tileloadd tmm4, [{left} + {line} + 4096]",
                "tileloadd tmm5, [{left} + {line} + 5120]",
                four!(),
                "tileloadd tmm4, [{left} + {line}]",
                "tileloadd tmm5, [{left} + {line} + 1024]",
                four!(),
                "add {left}, 6144", "add {right}, 6144",
                "dec {steps}",
                "jnz 2b",
                "tilestored [{out} + {line}*2], tmm0",
                "tilestored [{out} + {line}*2 + 64], tmm1",
                "tilestored [{out} + {line}*2 + 2048], tmm2",
                "tilestored [{out} + {line}*2 + 2112], tmm3",
                left = inout(reg) left => _, right = inout(reg) right => _, steps = inout(reg) steps => _,
                line = in(reg) 64_usize, out = in(reg) out,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
}
