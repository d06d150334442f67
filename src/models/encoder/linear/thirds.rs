//! Products in single precision by the processor's matrix tiles of bfloat16.
//!
//! A float's 24 digits are those of three bfloat16, so it is cut into three that add up to it, and a product of two floats is the sum
//! of nine products; the three smallest, below the last digit of the whole, are left out. The six others take two thirds of the time of
//! one product in single precision. Tiles sum up in single precision: what comes out is as exact as a chain of fused products.
//! Rows are cut as they are put, weights as they are multiplied: the next part of a panel, and what is done with the tile before, come
//! between the tiles' products, which take much longer than to be asked for. Unsafe because the instructions must exist; the compiler
//! has no functions for them yet. Invariant: tiles are set up as long as they are used, and rows and panels are filled up to whole runs.
#![allow(unsafe_code)]

use std::arch::asm;
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::PANEL;
use super::form::{RUN, SIDE};
use super::job::{Engine, Factors, Job, Sink, Through, Tile, finish, run};
use crate::models::encoder::math::Wide;
use crate::vectors::amx::Tiles;

/// # Safety
/// As for [`run`].
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn singles(job: &Job<'_>) {
    // SAFETY: the caller's promise.
    unsafe { run::<Thirds>(job) };
}

struct Thirds;

/// Bytes of a tile.
const TILE: usize = 2 * super::form::TILE;
/// Bytes of a run of a panel: of each third two tiles of 16 columns.
const RUN_BYTES: usize = 6 * TILE;
/// Bytes from one line that is fetched ahead to the next: the processor itself fetches those between.
const FETCH: usize = 512;
/// Tiles that are summed in turn.
const TILES: usize = 8;

/// A panel's part as tiles, run by run.
#[repr(C, align(64))]
struct Cut([u8; Thirds::DEPTH / RUN * RUN_BYTES]);

/// Weights that are being cut.
struct Cutting {
    from: *const u8,
    to: *mut u8,
    /// Which pair of steps is next, and how many there are.
    at: usize,
    pairs: usize,
}

impl Cutting {
    /// Cuts some more: each third is the upper half of what is left by the one before.
    ///
    /// # Safety
    /// The instructions must exist; so many steps must lie there, and there must be room for as many.
    #[inline(always)]
    unsafe fn go_on(&mut self, pairs: usize) {
        let end = self.pairs.min(self.at + pairs);
        // SAFETY: the caller's promise.
        unsafe {
            let upper = _mm512_set1_epi32(0xffff_0000_u32.cast_signed());
            for pair in self.at..end {
                let from = self.from.add(pair * 8 * PANEL).cast::<f32>();
                let to = self.to.add(pair / SIDE * RUN_BYTES + pair % SIDE * 64);
                for half in 0..2 {
                    let mut even = _mm512_loadu_ps(from.add(16 * half));
                    let mut odd = _mm512_loadu_ps(from.add(PANEL + 16 * half));
                    for third in 0..3 {
                        let (left, right) = (_mm512_castps_si512(even), _mm512_castps_si512(odd));
                        let both = _mm512_mask_blend_epi16(0xaaaa_aaaa, _mm512_srli_epi32::<16>(left), right);
                        _mm512_store_si512(to.add((2 * third + half) * TILE).cast(), both);
                        if third < 2 {
                            even = _mm512_sub_ps(even, _mm512_castsi512_ps(_mm512_and_si512(left, upper)));
                            odd = _mm512_sub_ps(odd, _mm512_castsi512_ps(_mm512_and_si512(right, upper)));
                        }
                    }
                }
            }
        }
        self.at = end;
    }
}

/// What comes between products.
trait Beside {
    /// # Safety
    /// As for [`run`]; it is called for each of so many runs once.
    unsafe fn go_on(&mut self, run: usize, runs: usize);
}

/// The tile before is finished, and the next part is cut.
struct Between<'a, 'b, A, S> {
    job: &'a Job<'b>,
    sink: S,
    /// Row, rows and panel of the tile before, if it is whole.
    done: Option<((usize, usize, usize), *const Tile)>,
    cutting: &'a mut Cutting,
    /// Pairs of steps to cut a run.
    each: usize,
    ahead: *const u8,
    /// Lines to fetch a run.
    share: usize,
    activation: std::marker::PhantomData<A>,
}

impl<A: Through, S: Sink> Beside for Between<'_, '_, A, S> {
    #[inline(always)]
    unsafe fn go_on(&mut self, run: usize, runs: usize) {
        // SAFETY: the caller's promise; a tile's rows are PANEL sums each.
        unsafe {
            self.cutting.go_on(self.each);
            for _ in 0..self.share {
                _mm_prefetch::<_MM_HINT_T1>(self.ahead.cast());
                self.ahead = self.ahead.wrapping_add(FETCH);
            }
            if let Some(((row, rows, panel), tile)) = self.done {
                let each = rows.div_ceil(runs);
                let (from, to) = ((run * each).min(rows), ((run + 1) * each).min(rows));
                if from < to {
                    let some = tile.cast::<f32>().add(from * PANEL).cast();
                    finish::<Thirds, A>(self.job, (row + from, to - from, panel), some, self.sink);
                }
            }
        }
    }
}

impl Engine for Thirds {
    const ROWS: usize = 32;
    const INTEGERS: bool = false;
    /// The part as tiles, the next one, sums and rows fit into the first cache; longer chains of products were slower, too.
    const DEPTH: usize = 128;
    type Lanes = Wide;
    type Guard = Tiles;

    #[inline(always)]
    unsafe fn begin() -> Tiles {
        // SAFETY: the caller's promise; no other tiles live, since products call nothing.
        unsafe { Tiles::new() }
    }

    /// Tiles are made by [`Engine::run_to`] here.
    #[inline(always)]
    unsafe fn multiply(_: &Factors, _: usize, _: *mut Tile) {}

    #[inline(always)]
    unsafe fn run_to<A: Through>(job: &Job<'_>, sink: impl Sink) {
        // SAFETY: the instructions exist. Rows have room for whole tiles behind the last one, weights for whole panels.
        unsafe {
            // Where there is one tile only, as for a query, it has no more rows than there are.
            let (high, low) = match job.band.len() {
                rows @ 1..=16 => (rows as u8, 16),
                rows @ 17..=32 => (16, rows as u8 - 16),
                _ => (16, 16),
            };
            let _guard = Tiles::of_rows([high, high, low, low, high, low, 16, 16]);
            let mut tiles = [const { MaybeUninit::<Tile>::uninit() }; TILES];
            let mut cuts = [const { MaybeUninit::<Cut>::uninit() }; 2];
            let (all, block) = (job.weight.steps, SIDE * job.rows.stride());
            let (parts, tall) = (all.div_ceil(Self::DEPTH), job.band.len().div_ceil(Self::ROWS));
            let depth = all.div_ceil(parts).next_multiple_of(RUN);
            let bands = job.band.len().div_ceil(Self::ROWS * TILES);
            let share = (all * PANEL * 4).div_ceil(tall * (all / RUN) * FETCH);
            // Parts come in the order of memory, those of a panel once a band.
            let part = |index: usize| {
                let (panel, from) = (job.panels.start + index / (parts * bands), index % parts * depth);
                (job.weight.panel(panel.min(job.panels.end - 1)).add(from * PANEL * 4), depth.min(all - from) / 2)
            };
            let last = parts * bands * job.panels.len() - 1;
            let (from, pairs) = part(0);
            Cutting { from, to: cuts[0].as_mut_ptr().cast(), at: 0, pairs }.go_on(pairs);
            let (mut index, mut done) = (0, None);
            for panel in job.panels.clone() {
                let mut ahead = job.weight.panel(panel).wrapping_add(all * PANEL * 4);
                for some in job.band.clone().step_by(Self::ROWS * TILES) {
                    let end = job.band.end.min(some + Self::ROWS * TILES);
                    for from in (0..all).step_by(depth) {
                        let runs = depth.min(all - from) / RUN;
                        let own = cuts[index % 2].as_ptr().cast::<u8>();
                        index += 1;
                        let (next, pairs) = part(index.min(last));
                        let to = cuts[index % 2].as_mut_ptr().cast();
                        let mut cutting =
                            Cutting { from: next, to, at: 0, pairs: if index > last { 0 } else { pairs } };
                        let each = pairs.div_ceil((end - some).div_ceil(Self::ROWS) * runs);
                        for (row, tile) in (some..end).step_by(Self::ROWS).zip(&mut tiles) {
                            let rows = Self::ROWS.min(end - row);
                            let activation = std::marker::PhantomData::<A>;
                            let mut beside =
                                Between { job, sink, done, cutting: &mut cutting, each, ahead, share, activation };
                            let left = (job.rows.at(row).add(from / RUN * 3 * TILE), block);
                            let tile = tile.as_mut_ptr();
                            if rows > 16 {
                                tall_tile(left, (own, runs), (tile.cast(), from > 0), &mut beside);
                            } else {
                                flat_tile(left, (own, runs), (tile.cast(), from > 0), &mut beside);
                            }
                            ahead = beside.ahead;
                            done = (from + depth >= all).then_some(((row, rows, panel), tile.cast_const()));
                        }
                    }
                }
            }
            if let Some((place, tile)) = done {
                finish::<Self, A>(job, place, tile, sink);
            }
        }
    }
}

/// Rows as tiles: the first one, and bytes from 16 rows to the next.
type Left = (*const u8, usize);

/// Products of two tiles of rows with two of a panel.
macro_rules! four {
    () => {
        "tdpbf16ps tmm0, tmm4, tmm6
         tdpbf16ps tmm1, tmm4, tmm7
         tdpbf16ps tmm2, tmm5, tmm6
         tdpbf16ps tmm3, tmm5, tmm7"
    };
}

/// Products of a tile of rows with two of a panel.
macro_rules! two {
    () => {
        "tdpbf16ps tmm0, tmm4, tmm6
         tdpbf16ps tmm1, tmm4, tmm7"
    };
}

/// Sums of 32 rows.
///
/// # Safety
/// The instructions and the tiles must exist; so many rows of so many runs and as much of a panel must lie there, and there must be
/// room for the sums, which are there already where there are `more`.
#[inline(always)]
unsafe fn tall_tile(
    (rows, block): Left,
    (panel, runs): (*const u8, usize),
    (to, more): (*mut f32, bool),
    beside: &mut impl Beside,
) {
    let (mut panel, mut rows, mut others) = (panel, rows, rows.wrapping_add(block));
    // SAFETY: the caller's promise.
    unsafe {
        if more {
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
        for run in 0..runs {
            // The smallest products first; each four share tiles with the four before.
            asm!(
                "tileloadd tmm4, [{rows} + {line}]",
                "tileloadd tmm6, [{panel} + {line} + 4096]",
                "tileloadd tmm5, [{others} + {line}]",
                "tileloadd tmm7, [{panel} + {line} + 5120]",
                four!(),
                "tileloadd tmm6, [{panel} + {line} + 2048]",
                "tileloadd tmm7, [{panel} + {line} + 3072]",
                four!(),
                "tileloadd tmm4, [{rows} + {line} + 1024]",
                "tileloadd tmm5, [{others} + {line} + 1024]",
                four!(),
                "tileloadd tmm6, [{panel} + {line}]",
                "tileloadd tmm7, [{panel} + {line} + 1024]",
                four!(),
                "tileloadd tmm4, [{rows} + {line} + 2048]",
                "tileloadd tmm5, [{others} + {line} + 2048]",
                four!(),
                "tileloadd tmm4, [{rows} + {line}]",
                "tileloadd tmm5, [{others} + {line}]",
                four!(),
                rows = in(reg) rows, others = in(reg) others, panel = in(reg) panel, line = in(reg) 64_usize,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack, readonly),
            );
            rows = rows.wrapping_add(3 * TILE);
            others = others.wrapping_add(3 * TILE);
            panel = panel.wrapping_add(RUN_BYTES);
            beside.go_on(run, runs);
        }
        asm!(
            "tilestored [{to} + {wide}], tmm0",
            "tilestored [{to} + {wide} + 64], tmm1",
            "tilestored [{to} + {wide} + 2048], tmm2",
            "tilestored [{to} + {wide} + 2112], tmm3",
            to = in(reg) to, wide = in(reg) 128_usize, options(nostack),
        );
    }
}

/// Sums of 16 rows.
///
/// # Safety
/// As for [`tall_tile`].
#[inline(always)]
unsafe fn flat_tile(
    (rows, _): Left,
    (panel, runs): (*const u8, usize),
    (to, more): (*mut f32, bool),
    beside: &mut impl Beside,
) {
    let (mut panel, mut rows) = (panel, rows);
    // SAFETY: the caller's promise.
    unsafe {
        if more {
            asm!(
                "tileloadd tmm0, [{to} + {wide}]",
                "tileloadd tmm1, [{to} + {wide} + 64]",
                to = in(reg) to, wide = in(reg) 128_usize, out("tmm0") _, out("tmm1") _,
                options(nostack, readonly),
            );
        } else {
            asm!("tilezero tmm0", "tilezero tmm1", out("tmm0") _, out("tmm1") _, options(nostack, nomem));
        }
        for run in 0..runs {
            asm!(
                "tileloadd tmm4, [{rows} + {line}]",
                "tileloadd tmm6, [{panel} + {line} + 4096]",
                "tileloadd tmm7, [{panel} + {line} + 5120]",
                two!(),
                "tileloadd tmm6, [{panel} + {line} + 2048]",
                "tileloadd tmm7, [{panel} + {line} + 3072]",
                two!(),
                "tileloadd tmm4, [{rows} + {line} + 1024]",
                two!(),
                "tileloadd tmm6, [{panel} + {line}]",
                "tileloadd tmm7, [{panel} + {line} + 1024]",
                two!(),
                "tileloadd tmm4, [{rows} + {line} + 2048]",
                two!(),
                "tileloadd tmm4, [{rows} + {line}]",
                two!(),
                rows = in(reg) rows, panel = in(reg) panel, line = in(reg) 64_usize,
                out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm6") _, out("tmm7") _,
                options(nostack, readonly),
            );
            rows = rows.wrapping_add(3 * TILE);
            panel = panel.wrapping_add(RUN_BYTES);
            beside.go_on(run, runs);
        }
        asm!(
            "tilestored [{to} + {wide}], tmm0", "tilestored [{to} + {wide} + 64], tmm1",
            to = in(reg) to, wide = in(reg) 128_usize, options(nostack),
        );
    }
}
