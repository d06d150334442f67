//! Products of rows and panels, tile by tile, and what happens to each tile before it is stored.
//!
//! Unsafe because of raw memory and because the instructions must exist. Invariant: a product is summed over its factors in one order,
//! wherever in a tile it lies, and each value is stored once.
#![allow(unsafe_code)]

use std::ops::Range;

use super::pack::Packed;
use super::rows::Rows;
use super::{Kernel, PANEL};
use crate::models::encoder::math::{Activation, Lanes};

/// Rows of the tallest tile.
pub(super) const TALLEST: usize = 32;

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
    /// What each column's sum begins with, where factors are raised.
    pub(super) start: *const i32,
}

/// How a kernel makes tiles.
///
/// # Safety
/// `multiply` reads as many rows as it is asked for, rounded up to an even number of at most `ROWS` (sixteen or 32 by tiles).
pub(super) trait Engine {
    /// Rows of a tile.
    const ROWS: usize;
    /// Whether sums are integers.
    const INTEGERS: bool;
    /// What is done with the sums is done by these.
    type Lanes: Lanes;
    /// What must live meanwhile.
    type Guard;

    /// # Safety
    /// The machine must have the instructions.
    unsafe fn begin() -> Self::Guard;

    /// # Safety
    /// The machine must have the instructions, and all that [`Factors`] points to must lie there.
    unsafe fn multiply(factors: &Factors, rows: usize, tile: &mut Tile);
}

/// Where results go: the first row's first column.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// Rows `stride` apart, of which only the first `columns` are stored.
    Singles { to: *mut f32, stride: usize, columns: usize },
    /// Rows `stride` apart, of whole panels.
    Bfloats { to: *mut u16, stride: usize },
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
    // SAFETY: the instructions exist. Rows have room for whole tiles behind the last one, weights for whole panels.
    unsafe {
        let _guard = E::begin();
        let mut tile = Tile([0.0; TALLEST * PANEL]);
        for panel in job.panels.clone() {
            for row in job.band.clone().step_by(E::ROWS) {
                let rows = E::ROWS.min(job.band.end - row);
                let factors = Factors {
                    rows: job.rows.at(row),
                    stride: job.rows.stride(),
                    panel: job.weight.panel(panel),
                    steps: job.weight.steps,
                    start: job.weight.start[panel * PANEL..].as_ptr(),
                };
                E::multiply(&factors, rows, &mut tile);
                match job.activation {
                    Activation::None => finish::<E>(job, (row, rows, panel), &tile, Activation::None),
                    Activation::Gelu => finish::<E>(job, (row, rows, panel), &tile, Activation::Gelu),
                    Activation::GeluTanh => finish::<E>(job, (row, rows, panel), &tile, Activation::GeluTanh),
                    Activation::Relu => finish::<E>(job, (row, rows, panel), &tile, Activation::Relu),
                    Activation::Tanh => finish::<E>(job, (row, rows, panel), &tile, Activation::Tanh),
                }
            }
        }
    }
}

/// Scales a tile's sums, adds the bias, and stores them through the activation.
///
/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn finish<E: Engine>(
    job: &Job<'_>,
    (row, rows, panel): (usize, usize, usize),
    tile: &Tile,
    activation: Activation,
) {
    let (first, down) = (panel * PANEL, row - job.band.start);
    // SAFETY: the instructions exist; bias and scales are filled up to whole panels; the target has room.
    unsafe {
        match job.target {
            Target::Singles { to, stride, columns } => {
                let to = to.add(down * stride + first);
                if first + PANEL <= columns {
                    values::<E>(job, (row, rows, first), tile, |at, column, values| {
                        activation.of(values).store(to.add(at * stride + column));
                    });
                } else {
                    let mut wide = [0.0f32; TALLEST * PANEL];
                    let room = wide.as_mut_ptr();
                    values::<E>(job, (row, rows, first), tile, |at, column, values| {
                        activation.of(values).store(room.add(at * PANEL + column));
                    });
                    for at in 0..rows {
                        std::ptr::copy_nonoverlapping(room.add(at * PANEL), to.add(at * stride), columns - first);
                    }
                }
            }
            Target::Bfloats { to, stride } => {
                let to = to.add(down * stride + first);
                values::<E>(job, (row, rows, first), tile, |at, column, values| {
                    activation.of(values).store_bfloats(to.add(at * stride + column));
                });
            }
        }
    }
}

/// Hands out the tile's values, scaled and with their bias: row, column and values.
///
/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn values<E: Engine>(
    job: &Job<'_>,
    (row, rows, first): (usize, usize, usize),
    tile: &Tile,
    mut each: impl FnMut(usize, usize, E::Lanes),
) {
    let count = E::Lanes::COUNT;
    let (bias, scales) = (job.bias[first..].as_ptr(), job.weight.scales[first..].as_ptr());
    let sums = tile.0.as_ptr();
    // SAFETY: the instructions exist; bias and scales are filled up to whole panels.
    unsafe {
        for column in (0..PANEL).step_by(count) {
            let (bias, scale) = (E::Lanes::load(bias.add(column)), E::Lanes::load(scales.add(column)));
            for at in 0..rows {
                let sums = sums.add(at * PANEL + column);
                let values = if E::INTEGERS {
                    let scale = scale.times(E::Lanes::splat(*job.rows.scales().get_unchecked(row + at)));
                    E::Lanes::load_integers(sums.cast()).fused(scale, bias)
                } else {
                    E::Lanes::load(sums).plus(bias)
                };
                each(at, column, values);
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
                if kernel.precision == Precision::Bf16 {
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
                    (Amx | Avx512Vnni | Avx512, F32) => return super::wide::singles(self),
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
