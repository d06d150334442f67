//! Rows in the form that a kernel multiplies.
//!
//! Unsafe because bytes are written where other numbers lie. Invariant: behind the last row there is room for whole tiles, and each row
//! is filled up to whole steps, with anything finite: weights have zeros there. What the rows behind the last one hold is anything.
#![allow(unsafe_code)]

use super::form::{Form, LINE, Line, RUN, SIDE, TILE, make_room};
use super::pack::{ROUND, scales};
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
    /// What lies in the middle between the least and the greatest value of each row, and is taken away before it is rounded.
    middles: Vec<f32>,
    pub(super) scratch: Floats,
}

impl Rows {
    /// No rows yet; memory is kept from one filling to the next.
    pub(in super::super) fn new(kernel: Kernel) -> Self {
        let (lines, scales, middles, scratch) = (Vec::new(), Vec::new(), Vec::new(), Floats::default());
        Self { kernel, form: Form::of(kernel), width: 1, len: 0, stride: LINE, lines, scales, middles, scratch }
    }

    /// Takes rows of `width` values.
    pub(in super::super) fn fill(&mut self, values: &[f32], width: usize) {
        self.fill_part(values, width, width);
    }

    /// Takes the first `width` values of each row of `stride` values.
    pub(in super::super) fn fill_part(&mut self, values: &[f32], stride: usize, width: usize) {
        assert!(width > 0 && width <= stride && values.len().is_multiple_of(stride));
        self.shape(values.len() / stride, width);
        put_rows(self.kernel, self, values, stride);
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
        self.stride = if self.form == Form::Thirds { lines } else { lines | 1 } * LINE;
        make_room(&mut self.lines, len.next_multiple_of(TALLEST) * self.stride);
        self.scales.resize(len, 0.0);
        self.middles.resize(len, 0.0);
    }

    /// Lines before a row's first.
    fn lines_before(&self, row: usize) -> usize {
        match self.form {
            // A block of tiles holds the rows' first lines one after another.
            Form::Thirds => row / SIDE * SIDE * self.stride / LINE + row % SIDE,
            _ => row * self.stride / LINE,
        }
    }

    /// Where a row begins.
    pub(super) fn at(&self, row: usize) -> *const u8 {
        self.lines[self.lines_before(row)..].as_ptr().cast()
    }

    /// Where a row begins, to write it.
    pub(super) fn at_mut(&mut self, row: usize) -> *mut u8 {
        let before = self.lines_before(row);
        self.lines[before..].as_mut_ptr().cast()
    }

    /// What the integers of a row are multiplied by.
    pub(super) fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// What each value of a row that is made of integers is greater by.
    pub(super) fn middles(&self) -> &[f32] {
        &self.middles
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
                Form::Thirds => put_thirds::<L>(values, to.cast()),
                Form::Bfloats => put_bfloats::<L>(values, to.cast()),
                Form::Words | Form::Wholes | Form::Bytes | Form::Raised => {
                    let (middle, reach) = extent::<L>(values);
                    let (factor, scale) = scales(reach);
                    (self.middles[row], self.scales[row]) = (middle, scale);
                    match self.form {
                        Form::Wholes => put_wholes(values, (middle, factor), to.cast()),
                        Form::Words => put_words::<L>(values, (middle, factor), to.cast()),
                        Form::Raised => put_bytes::<L>(values, (middle, factor), to, 128),
                        _ => put_bytes::<L>(values, (middle, factor), to, 0),
                    }
                }
            }
        }
    }
}

by_kernel!(put_rows, put_rows_of, rows: &mut Rows, values: &[f32], stride: usize);

/// # Safety
/// The machine must have the instructions of `L`.
#[inline(always)]
unsafe fn put_rows_of<L: Lanes>(rows: &mut Rows, values: &[f32], stride: usize) {
    let width = rows.width;
    for (row, values) in values.chunks_exact(stride).enumerate() {
        // SAFETY: the instructions exist.
        unsafe { rows.put::<L>(row, &values[..width]) };
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

/// # Safety
/// The machine must have the instructions of `L`; there must be room for whole runs of 32 values, in a tile a third.
#[inline(always)]
unsafe fn put_thirds<L: Lanes>(values: &[f32], to: *mut u16) {
    for (run, values) in values.chunks(RUN).enumerate() {
        let mut rest = [0.0f32; RUN];
        // SAFETY: the instructions exist; 32 values are read from where 32 lie.
        unsafe {
            let from = whole(values, &mut rest);
            for at in (0..RUN).step_by(L::COUNT) {
                L::load(from.add(at)).store_thirds(to.add(3 * TILE * run + at), TILE);
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

/// The middle between the least and the greatest value, and how far both are from it.
///
/// # Safety
/// The machine must have the instructions of `L`.
#[inline(always)]
unsafe fn extent<L: Lanes>(values: &[f32]) -> (f32, f32) {
    let (four, from) = (4 * L::COUNT, values.as_ptr());
    let whole = values.len() - values.len() % four;
    // SAFETY: the instructions exist; four vectors at a time are read below `whole`.
    let (least, most) = unsafe {
        let (mut least, mut most) = ([L::splat(values[0]); 4], [L::splat(values[0]); 4]);
        for at in (0..whole).step_by(four) {
            for part in 0..4 {
                let values = L::load(from.add(at + part * L::COUNT));
                (least[part], most[part]) = (values.min(least[part]), values.max(most[part]));
            }
        }
        let least = least[0].min(least[1]).min(least[2].min(least[3]));
        let most = most[0].max(most[1]).max(most[2].max(most[3]));
        (-L::splat(0.0).minus(least).peak(), most.peak())
    };
    let (mut least, mut most) = (least, most);
    for &value in &values[whole..] {
        (least, most) = (least.min(value), most.max(value));
    }
    // Halves first: the sum of two large values could be infinite.
    let middle = 0.5 * least + 0.5 * most;
    (middle, (most - middle).max(middle - least))
}

/// # Safety
/// The machine must have the instructions of `L`; there must be room for whole runs of 64 values.
#[inline(always)]
unsafe fn put_bytes<L: Lanes>(values: &[f32], (middle, factor): (f32, f32), to: *mut u8, flip: u8) {
    // SAFETY: the instructions exist; 64 values are read from where 64 lie.
    unsafe {
        let (middle, factor) = (L::splat(middle), L::splat(factor));
        for (run, values) in values.chunks(64).enumerate() {
            let mut rest = [0.0f32; 64];
            let from = whole(values, &mut rest);
            for at in (0..64).step_by(4 * L::COUNT) {
                let mut four = [factor; 4];
                for (part, values) in four.iter_mut().enumerate() {
                    *values = L::load(from.add(at + part * L::COUNT)).minus(middle).times(factor);
                }
                L::store_bytes(four, to.add(64 * run + at), flip);
            }
        }
    }
}

/// # Safety
/// There must be room for as many values.
#[inline(always)]
unsafe fn put_wholes(values: &[f32], (middle, factor): (f32, f32), to: *mut f32) {
    for (at, value) in values.iter().enumerate() {
        // SAFETY: there is room.
        unsafe { to.add(at).write((((value - middle) * factor) + ROUND) - ROUND) };
    }
}

/// # Safety
/// The machine must have the instructions of `L`; there must be room for whole runs of 32 values.
#[inline(always)]
unsafe fn put_words<L: Lanes>(values: &[f32], (middle, factor): (f32, f32), to: *mut i16) {
    // SAFETY: the instructions exist; 32 values are read from where 32 lie.
    unsafe {
        let (middle, factor) = (L::splat(middle), L::splat(factor));
        for (run, values) in values.chunks(32).enumerate() {
            let mut rest = [0.0f32; 32];
            let from = whole(values, &mut rest);
            for at in (0..32).step_by(L::COUNT) {
                L::load(from.add(at)).minus(middle).times(factor).store_words(to.add(32 * run + at));
            }
        }
    }
}
