//! Rows in the form that a kernel multiplies.
//!
//! Unsafe because bytes are written where other numbers lie. Invariant: behind the last row there is room for whole tiles, and each row
//! is filled up with zeros to whole steps; what the rows behind the last one hold is anything.
#![allow(unsafe_code)]

use super::form::{Form, LINE, Line, make_room};
use super::pack::scales;
use super::{Kernel, by_kernel};
use crate::models::encoder::math::{Floats, Lanes};

/// Rows are room for a multiple of so many.
const TALLEST: usize = 32;

/// Rows in the form that a kernel multiplies, and memory for making them.
pub(in super::super) struct Rows {
    kernel: Kernel,
    form: Form,
    width: usize,
    len: usize,
    /// Bytes from one row to the next.
    stride: usize,
    lines: Vec<Line>,
    scales: Vec<f32>,
    pub(super) scratch: Floats,
}

impl Rows {
    /// No rows yet; memory is kept from one filling to the next.
    pub(in super::super) fn new(kernel: Kernel) -> Self {
        let (lines, scales, scratch) = (Vec::new(), Vec::new(), Floats::default());
        Self { kernel, form: Form::of(kernel), width: 1, len: 0, stride: LINE, lines, scales, scratch }
    }

    /// Takes rows of `width` values.
    pub(in super::super) fn fill(&mut self, values: &[f32], width: usize) {
        assert!(width > 0 && values.len().is_multiple_of(width));
        self.shape(values.len() / width, width);
        put_rows(self.kernel, self, values);
    }

    /// How many rows.
    pub(in super::super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    pub(super) fn kernel(&self) -> Kernel {
        self.kernel
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    /// Makes room for `len` rows of `width` values, which are still to be put.
    pub(super) fn shape(&mut self, len: usize, width: usize) {
        (self.len, self.width) = (len, width);
        // Whole panels can be stored, and an odd number of lines spreads the rows over all sets of a cache.
        let lines = (self.form.filled(width.next_multiple_of(super::PANEL)) * self.form.size()).div_ceil(LINE);
        self.stride = (lines | 1) * LINE;
        make_room(&mut self.lines, len.next_multiple_of(TALLEST) * self.stride);
        self.scales.resize(len, 0.0);
    }

    /// Where a row begins.
    pub(super) fn at(&self, row: usize) -> *const u8 {
        self.lines[row * self.stride / LINE..].as_ptr().cast()
    }

    /// Where a row begins, to write it.
    pub(super) fn at_mut(&mut self, row: usize) -> *mut u8 {
        self.lines[row * self.stride / LINE..].as_mut_ptr().cast()
    }

    /// What the integers of a row are multiplied by.
    pub(super) fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// Puts one row.
    ///
    /// # Safety
    /// The machine must have the instructions of `L`.
    #[inline(always)]
    pub(super) unsafe fn put<L: Lanes>(&mut self, row: usize, values: &[f32]) {
        assert!(row < self.len && values.len() == self.width);
        let to = self.at_mut(row);
        // SAFETY: the instructions exist; the row has room for its values filled up to whole panels and steps.
        unsafe {
            match self.form {
                Form::Singles => std::ptr::copy_nonoverlapping(values.as_ptr(), to.cast(), values.len()),
                Form::Bfloats => put_bfloats::<L>(values, to.cast()),
                Form::Words => self.scales[row] = put_words::<L>(values, to.cast()),
                Form::Bytes => self.scales[row] = put_bytes::<L>(values, to, 0),
                Form::Raised => self.scales[row] = put_bytes::<L>(values, to, 128),
            }
        }
    }
}

by_kernel!(put_rows, put_rows_of, rows: &mut Rows, values: &[f32]);

/// # Safety
/// The machine must have the instructions of `L`.
#[inline(always)]
unsafe fn put_rows_of<L: Lanes>(rows: &mut Rows, values: &[f32]) {
    for (row, values) in values.chunks_exact(rows.width).enumerate() {
        // SAFETY: the instructions exist.
        unsafe { rows.put::<L>(row, values) };
    }
}

/// # Safety
/// The machine must have the instructions of `L`; there must be room for whole runs of 32 values.
#[inline(always)]
unsafe fn put_bfloats<L: Lanes>(values: &[f32], to: *mut u16) {
    for (run, values) in values.chunks(32).enumerate() {
        let mut rest = [0.0f32; 32];
        // SAFETY: the instructions exist; 32 values are read from where 32 lie.
        unsafe {
            let from = whole(values, &mut rest);
            for at in (0..32).step_by(L::COUNT) {
                L::load(from.add(at)).store_bfloats(to.add(32 * run + at));
            }
        }
    }
}

/// As many values as `rest` holds: those themselves where they are as many, else with zeros behind them.
#[inline(always)]
fn whole<const N: usize>(values: &[f32], rest: &mut [f32; N]) -> *const f32 {
    if values.len() == N {
        return values.as_ptr();
    }
    rest[..values.len()].copy_from_slice(values);
    rest.as_ptr()
}

/// # Safety
/// The machine must have the instructions of `L`.
#[inline(always)]
unsafe fn peak<L: Lanes>(values: &[f32]) -> f32 {
    let (four, from) = (4 * L::COUNT, values.as_ptr());
    let whole = values.len() - values.len() % four;
    // SAFETY: the instructions exist; four vectors at a time are read below `whole`.
    unsafe {
        let mut most = [L::splat(0.0); 4];
        for at in (0..whole).step_by(four) {
            for (part, most) in most.iter_mut().enumerate() {
                *most = L::load(from.add(at + part * L::COUNT)).abs().max(*most);
            }
        }
        let most = most[0].max(most[1]).max(most[2].max(most[3])).peak();
        values[whole..].iter().fold(most, |most, value| most.max(value.abs()))
    }
}

/// # Safety
/// The machine must have the instructions of `L`; there must be room for whole runs of 64 values.
#[inline(always)]
unsafe fn put_bytes<L: Lanes>(values: &[f32], to: *mut u8, flip: u8) -> f32 {
    // SAFETY: the instructions exist; 64 values are read from where 64 lie.
    unsafe {
        let (factor, scale) = scales(peak::<L>(values));
        let factor = L::splat(factor);
        for (run, values) in values.chunks(64).enumerate() {
            let mut rest = [0.0f32; 64];
            let from = whole(values, &mut rest);
            for at in (0..64).step_by(4 * L::COUNT) {
                let mut four = [factor; 4];
                for (part, values) in four.iter_mut().enumerate() {
                    *values = L::load(from.add(at + part * L::COUNT)).times(factor);
                }
                L::store_bytes(four, to.add(64 * run + at), flip);
            }
        }
        scale
    }
}

/// # Safety
/// The machine must have the instructions of `L`; there must be room for whole runs of 32 values.
#[inline(always)]
unsafe fn put_words<L: Lanes>(values: &[f32], to: *mut i16) -> f32 {
    // SAFETY: the instructions exist; 32 values are read from where 32 lie.
    unsafe {
        let (factor, scale) = scales(peak::<L>(values));
        let factor = L::splat(factor);
        for (run, values) in values.chunks(32).enumerate() {
            let mut rest = [0.0f32; 32];
            let from = whole(values, &mut rest);
            for at in (0..32).step_by(L::COUNT) {
                L::load(from.add(at)).times(factor).store_words(to.add(32 * run + at));
            }
        }
        scale
    }
}
