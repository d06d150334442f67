//! A matrix of which several threads write a part each.
//!
//! Unsafe because the compiler cannot see that the parts do not overlap. Invariant: a [`Sheet`] borrows its values mutably as long as
//! it lives, so that no one else reads or writes them.
#![allow(unsafe_code)]

use std::marker::PhantomData;

/// Rows of `stride` values in memory that was borrowed mutably.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet<'a> {
    values: *mut f32,
    len: usize,
    stride: usize,
    borrowed: PhantomData<&'a mut [f32]>,
}

// SAFETY: it is a mutable borrow of floats; whoever writes answers for the parts being disjoint, see `row`.
unsafe impl Send for Sheet<'_> {}
// SAFETY: as above.
unsafe impl Sync for Sheet<'_> {}

impl<'a> Sheet<'a> {
    pub(super) fn new(values: &'a mut [f32], stride: usize) -> Self {
        assert!(stride > 0 && values.len().is_multiple_of(stride));
        Self { values: values.as_mut_ptr(), len: values.len(), stride, borrowed: PhantomData }
    }

    /// Values a row.
    pub(super) fn stride(self) -> usize {
        self.stride
    }

    /// How many rows.
    pub(super) fn rows(self) -> usize {
        self.len / self.stride
    }

    /// Where the value at `row`, `column` lies, for kernels.
    pub(super) fn at(self, row: usize, column: usize) -> *mut f32 {
        assert!(row < self.rows() && column < self.stride);
        // SAFETY: the value lies within the borrowed ones.
        unsafe { self.values.add(row * self.stride + column) }
    }

    /// All of it, to read.
    ///
    /// # Safety
    /// No one may write it as long as the slice is used.
    pub(super) unsafe fn all(self) -> &'a [f32] {
        // SAFETY: the borrowed values; that no one writes them is the caller's promise.
        unsafe { std::slice::from_raw_parts(self.values, self.len) }
    }

    /// Some columns of a row.
    ///
    /// # Safety
    /// No other thread may read or write these values meanwhile, and no other slice of them may live.
    pub(super) unsafe fn part(self, row: usize, columns: std::ops::Range<usize>) -> &'a mut [f32] {
        assert!(columns.start <= columns.end && columns.end <= self.stride && row < self.rows());
        // SAFETY: within the borrowed values; that no one else uses them is the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.values.add(row * self.stride + columns.start), columns.len()) }
    }
}
