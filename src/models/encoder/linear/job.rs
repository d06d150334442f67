//! Products of rows and panels, tile by tile, and what happens to each tile before it is stored.
//!
//! Unsafe because of raw memory and because the instructions must exist. Invariant: a product is summed over its factors in one order,
//! wherever in a tile it lies, and each value is stored once.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::Range;

use super::form::{LINE, RUN, SIDE, TILE};
use super::pack::Packed;
use super::rows::Rows;
use super::{Kernel, PANEL};
use crate::models::encoder::math::{Activation, Lanes};

/// Rows of the tallest tile.
pub(super) const TALLEST: usize = 32;

/// Tiles that are summed in turn.
const TILES: usize = 8;

/// Sums of a tile, `PANEL` a row: floats, or integers where factors are.
#[repr(C, align(64))]
pub(super) struct Tile(pub(super) [f32; TALLEST * PANEL]);

/// What a tile is made of.
pub(super) struct Factors {
    /// The first row.
    pub(super) rows: *const u8,
    /// Bytes from row to row.
    pub(super) stride: usize,
    /// The panel.
    pub(super) panel: *const u8,
    /// Steps of four bytes.
    pub(super) steps: usize,
    /// Whether the sums of steps before these are in the tile.
    pub(super) more: bool,
    /// What each column's sum begins with, where factors are raised.
    pub(super) start: *const i32,
    /// What will be read after all tiles of this panel, to be fetched meanwhile.
    pub(super) ahead: *const u8,
    /// So many lines of it.
    pub(super) share: usize,
}

/// How a kernel makes tiles.
///
/// # Safety
/// `multiply` reads as many rows as it is asked for, rounded up to an even number of at most `ROWS` (sixteen or 32 by tiles).
pub(super) trait Engine: Sized {
    /// Rows of a tile.
    const ROWS: usize;
    /// Whether sums are integers.
    const INTEGERS: bool;
    /// Steps of a tile at a time: after so many, other rows come first, so that the panel's part stays in the first cache.
    const DEPTH: usize;
    /// What is done with the sums is done by these.
    type Lanes: Lanes;
    /// What must live meanwhile.
    type Guard;

    /// # Safety
    /// The machine must have the instructions.
    unsafe fn begin() -> Self::Guard;

    /// Makes a tile, or adds to it where `factors.more` says so.
    ///
    /// # Safety
    /// The machine must have the instructions, and all that [`Factors`] points to must lie there.
    unsafe fn multiply(factors: &Factors, rows: usize, tile: *mut Tile);

    /// Runs a job.
    ///
    /// # Safety
    /// As for [`run`].
    #[inline(always)]
    unsafe fn run_to<A: Through>(job: &Job<'_>, sink: impl Sink) {
        // SAFETY: the caller's promise.
        unsafe { tiles::<Self, A>(job, sink) };
    }
}

/// The pointer itself, of which the compiler no longer knows where it came from: told how pointers hang together, it computes each
/// row's from the one before, and every product waits for the last.
#[cfg(target_arch = "x86_64")]
#[allow(clippy::pointers_in_nomem_asm_block)] // nothing is read: it is only the pointer that goes through
#[inline(always)]
pub(super) fn apart(pointer: *const u8) -> *const u8 {
    let mut pointer = pointer;
    // SAFETY: no instruction.
    unsafe { std::arch::asm!("/* {0} */", inout(reg) pointer, options(pure, readonly, nostack, preserves_flags)) };
    pointer
}

/// Where results go: the first row's first column.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// Rows `stride` apart, of which only the first `columns` are stored.
    Singles { to: *mut f32, stride: usize, columns: usize },
    /// Rows `stride` apart, of whole panels.
    Bfloats { to: *mut u16, stride: usize },
    /// As thirds, from the first tile of 16 rows on; `block` values from one 16 rows to the next.
    Thirds { to: *mut u16, block: usize },
}

/// What is multiplied, and where it goes.
pub(super) struct Job<'a> {
    pub(super) rows: &'a Rows,
    /// Which of them.
    pub(super) band: Range<usize>,
    pub(super) weight: &'a Packed,
    /// Filled up to whole panels.
    pub(super) bias: &'a [f32],
    pub(super) panels: Range<usize>,
    pub(super) activation: Activation,
    pub(super) target: Target,
}

/// Runs a job.
///
/// # Safety
/// The machine must have the instructions of `E`, whose form the rows and the weights must have; the target must have room for the
/// band.
#[inline(always)]
pub(super) unsafe fn run<E: Engine>(job: &Job<'_>) {
    // SAFETY: the caller's promises.
    unsafe {
        match job.target {
            Target::Singles { to, stride, columns } => run_to::<E>(job, Singles { to, stride, columns }),
            Target::Bfloats { to, stride } => run_to::<E>(job, Bfloats { to, stride }),
            Target::Thirds { to, block } => run_to::<E>(job, Thirds { to, block, row: 0 }),
        }
    }
}

/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn run_to<E: Engine>(job: &Job<'_>, sink: impl Sink) {
    // SAFETY: the caller's promises.
    unsafe {
        match job.activation {
            Activation::None => E::run_to::<Nothing>(job, sink),
            Activation::Gelu => E::run_to::<Gelu>(job, sink),
            Activation::GeluTanh => E::run_to::<GeluTanh>(job, sink),
            Activation::Relu => E::run_to::<Relu>(job, sink),
            Activation::Tanh => E::run_to::<Tanh>(job, sink),
            Activation::QuickGelu => E::run_to::<QuickGelu>(job, sink),
            Activation::Silu => E::run_to::<Silu>(job, sink),
        }
    }
}

/// An activation known when the program is compiled.
pub(super) trait Through {
    const ACTIVATION: Activation;
}

macro_rules! through {
    ($($name:ident, $activation:ident);*) => {
        $(struct $name;
        impl Through for $name {
            const ACTIVATION: Activation = Activation::$activation;
        })*
    };
}

through!(Nothing, None; Gelu, Gelu; GeluTanh, GeluTanh; Relu, Relu; Tanh, Tanh; QuickGelu, QuickGelu; Silu, Silu);

/// Runs a job tile by tile.
///
/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn tiles<E: Engine, A: Through>(job: &Job<'_>, sink: impl Sink) {
    // SAFETY: the instructions exist. Rows have room for whole tiles behind the last one, weights for whole panels.
    unsafe {
        let _guard = E::begin();
        let mut tiles = [const { MaybeUninit::<Tile>::uninit() }; TILES];
        let (all, tall) = (job.weight.steps, job.band.len().div_ceil(E::ROWS));
        let parts = all.div_ceil(E::DEPTH);
        let depth = if parts > 1 { all.div_ceil(parts).next_multiple_of(E::DEPTH.min(16)) } else { all };
        let share = (all * PANEL * 4).div_ceil(tall * parts * LINE);
        for panel in job.panels.clone() {
            let own = job.weight.panel(panel);
            let mut ahead = own.wrapping_add(all * PANEL * 4);
            for some in job.band.clone().step_by(E::ROWS * TILES) {
                let end = job.band.end.min(some + E::ROWS * TILES);
                for from in (0..all).step_by(depth) {
                    for (row, tile) in (some..end).step_by(E::ROWS).zip(&mut tiles) {
                        let rows = E::ROWS.min(end - row);
                        let factors = Factors {
                            rows: job.rows.at(row).add(from * 4),
                            stride: job.rows.stride(),
                            panel: own.add(from * PANEL * 4),
                            steps: depth.min(all - from),
                            more: from > 0,
                            start: job.weight.start[panel * PANEL..].as_ptr(),
                            ahead,
                            share,
                        };
                        ahead = ahead.wrapping_add(share * LINE);
                        E::multiply(&factors, rows, tile.as_mut_ptr());
                        if from + depth >= all {
                            finish::<E, A>(job, (row, rows, panel), tile.as_ptr(), sink);
                        }
                    }
                }
            }
        }
    }
}

/// Where values of a tile go: row and column within it.
pub(super) trait Sink: Copy {
    /// The same from another row and column on.
    fn from(self, row: usize, column: usize) -> Self;

    /// # Safety
    /// There must be room for the values.
    unsafe fn put<L: Lanes>(self, at: usize, column: usize, values: L);

    /// Columns behind the first one that there is room for.
    fn room(self) -> usize;

    /// Puts some values of a row.
    ///
    /// # Safety
    /// There must be room for the values.
    unsafe fn put_some(self, at: usize, values: &[f32]);
}

#[derive(Clone, Copy)]
struct Singles {
    to: *mut f32,
    stride: usize,
    columns: usize,
}

#[derive(Clone, Copy)]
struct Bfloats {
    to: *mut u16,
    stride: usize,
}

#[derive(Clone, Copy)]
struct Thirds {
    to: *mut u16,
    block: usize,
    row: usize,
}

impl Sink for Singles {
    #[inline(always)]
    fn from(self, row: usize, column: usize) -> Self {
        Self { to: self.to.wrapping_add(row * self.stride + column), columns: self.columns - column, ..self }
    }

    #[inline(always)]
    unsafe fn put<L: Lanes>(self, at: usize, column: usize, values: L) {
        // SAFETY: there is room.
        unsafe { values.store(self.to.add(at * self.stride + column)) };
    }

    #[inline(always)]
    fn room(self) -> usize {
        self.columns
    }

    #[inline(always)]
    unsafe fn put_some(self, at: usize, values: &[f32]) {
        // SAFETY: there is room.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.to.add(at * self.stride), values.len()) };
    }
}

impl Sink for Bfloats {
    #[inline(always)]
    fn from(self, row: usize, column: usize) -> Self {
        Self { to: self.to.wrapping_add(row * self.stride + column), ..self }
    }

    #[inline(always)]
    unsafe fn put<L: Lanes>(self, at: usize, column: usize, values: L) {
        // SAFETY: there is room.
        unsafe { values.store_bfloats(self.to.add(at * self.stride + column)) };
    }

    #[inline(always)]
    fn room(self) -> usize {
        PANEL
    }

    #[inline(always)]
    unsafe fn put_some(self, _: usize, _: &[f32]) {}
}

impl Sink for Thirds {
    #[inline(always)]
    fn from(self, row: usize, column: usize) -> Self {
        Self { to: self.to.wrapping_add(column / RUN * 3 * TILE), row: self.row + row, ..self }
    }

    #[inline(always)]
    unsafe fn put<L: Lanes>(self, at: usize, column: usize, values: L) {
        let row = self.row + at;
        // SAFETY: there is room.
        unsafe { values.store_thirds(self.to.add(row / SIDE * self.block + row % SIDE * RUN + column), TILE) };
    }

    #[inline(always)]
    fn room(self) -> usize {
        PANEL
    }

    #[inline(always)]
    unsafe fn put_some(self, _: usize, _: &[f32]) {}
}

/// A tile's place: its first row, how many rows, its panel.
pub(super) type Place = (usize, usize, usize);

/// Puts a tile's values into the sink.
///
/// # Safety
/// As for [`run`].
#[inline(always)]
pub(super) unsafe fn finish<E: Engine, A: Through>(
    job: &Job<'_>,
    (row, rows, panel): Place,
    tile: *const Tile,
    sink: impl Sink,
) {
    let first = panel * PANEL;
    let sink = sink.from(row - job.band.start, first);
    let of_rows: [&[f32]; 2] = if E::INTEGERS {
        [&job.rows.scales()[row..row + rows], &job.rows.middles()[row..row + rows]]
    } else {
        [&[], &[]]
    };
    let of_columns = [job.bias, &job.weight.scales, &job.weight.sums].map(|all| &all[first..first + PANEL]);
    // SAFETY: the instructions exist; the target has room for what is asked of it.
    unsafe {
        if sink.room() >= PANEL {
            return put_all::<E, A>((tile, rows), of_rows, of_columns, sink);
        }
        let mut whole = Tile([0.0; TALLEST * PANEL]);
        let all = Singles { to: whole.0.as_mut_ptr(), stride: PANEL, columns: PANEL };
        put_all::<E, A>((tile, rows), of_rows, of_columns, all);
        for (at, values) in whole.0.chunks_exact(PANEL).take(rows).enumerate() {
            sink.put_some(at, &values[..sink.room()]);
        }
    }
}

/// Scales a tile's sums, adds the bias, and puts them through the activation into the sink.
///
/// # Safety
/// As for [`run`]; bias, scales and sums must be a panel's, with one scale and one middle a row where products are integers.
#[inline(always)]
unsafe fn put_all<E: Engine, A: Through>(
    (tile, rows): (*const Tile, usize),
    [row_scales, middles]: [&[f32]; 2],
    [bias, scales, sums]: [&[f32]; 3],
    sink: impl Sink,
) {
    for column in (0..PANEL).step_by(E::Lanes::COUNT) {
        // SAFETY: the instructions exist; bias, scales and sums are a panel's.
        unsafe {
            let [bias, scale, sum] = [
                E::Lanes::load(bias.as_ptr().add(column)),
                E::Lanes::load(scales.as_ptr().add(column)),
                E::Lanes::load(sums.as_ptr().add(column)),
            ];
            for at in 0..rows {
                let products = tile.cast::<f32>().add(at * PANEL + column);
                let values = if E::INTEGERS {
                    let scale = scale.times(E::Lanes::splat(*row_scales.get_unchecked(at)));
                    let begin = sum.fused(E::Lanes::splat(*middles.get_unchecked(at)), bias);
                    E::Lanes::load_integers(products.cast()).fused(scale, begin)
                } else {
                    E::Lanes::load(products).plus(bias)
                };
                sink.put(at, column, A::ACTIVATION.of(values));
            }
        }
    }
}

/// A function of a kernel from one written over [`Lanes`]. The machine must have the kernel.
macro_rules! by_kernel {
    ($name:ident, $work:ident, $($argument:ident: $type:ty),*) => {
        pub(super) fn $name(kernel: $crate::models::encoder::kernel::Kernel, $($argument: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                use $crate::models::encoder::math::{Narrow, Wide};
                #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
                fn bfloats($($argument: $type),*) {
                    // SAFETY: the instructions are enabled here.
                    unsafe { $work::<Wide>($($argument),*) }
                }
                #[target_feature(enable = "avx512f,avx512bw")]
                fn wide($($argument: $type),*) {
                    // SAFETY: as above.
                    unsafe { $work::<Wide>($($argument),*) }
                }
                #[target_feature(enable = "avx2,fma")]
                fn narrow($($argument: $type),*) {
                    // SAFETY: as above.
                    unsafe { $work::<Narrow>($($argument),*) }
                }
                use $crate::{models::Precision, vectors::Level};
                if kernel.precision == Precision::Bf16 || kernel.level == Level::Amx {
                    // SAFETY: kernels in use were found on this machine.
                    return unsafe { bfloats($($argument),*) };
                }
                if kernel.level.is_wide() {
                    // SAFETY: as above.
                    return unsafe { wide($($argument),*) };
                }
                if kernel.level <= Level::Avx2 {
                    // SAFETY: as above.
                    return unsafe { narrow($($argument),*) };
                }
            }
            let _ = kernel;
            // SAFETY: plain numbers need no instructions.
            unsafe { $work::<$crate::models::encoder::math::Plain>($($argument),*) }
        }
    };
}
pub(super) use by_kernel;

impl Job<'_> {
    /// Runs it. The machine must have the kernel, whose form the rows and the weights must have.
    ///
    /// # Safety
    /// The target must have room for the band.
    pub(super) unsafe fn run(&self, kernel: Kernel) {
        // SAFETY: kernels in use were found on this machine; the rest is the caller's promise.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            {
                use crate::models::Precision::{Bf16, F32, Int8};
                use crate::vectors::Level::{Amx, Avx2, Avx2Vnni, Avx512, Avx512Vnni, Portable};
                match (kernel.level, kernel.precision) {
                    (Amx, Bf16) => return super::amx::bfloats(self),
                    (Amx, Int8) => return super::amx::bytes(self),
                    (Amx, F32) => return super::thirds::singles(self),
                    (Avx512Vnni | Avx512, F32) => return super::wide::singles(self),
                    (_, Bf16) => return super::wide::bfloats(self),
                    (Avx512Vnni, Int8) => return super::wide::raised(self),
                    (Avx512, Int8) => return super::wide::words(self),
                    (Avx2Vnni | Avx2, F32) => return super::narrow::singles(self),
                    (Avx2Vnni, Int8) => return super::narrow::raised(self),
                    (Avx2, Int8) => return super::narrow::words(self),
                    (Portable, F32 | Int8) => {}
                }
            }
            super::plain::run(kernel, self);
        }
    }
}
