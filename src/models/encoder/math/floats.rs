//! Floats in memory that begins where a cache line does: whole registers stored there never cross one.
//!
//! Unsafe because lines are seen as floats. Invariant: there are at least as many floats in the lines as are shown.
#![allow(unsafe_code)]

use std::ops::{Deref, DerefMut};

/// As many floats as a cache line holds.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Floats that begin where a cache line does.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Floats {
    lines: Vec<Line>,
    len: usize,
}

impl Floats {
    /// Shows `len` floats, whatever they are; memory is kept.
    pub(in super::super) fn resize(&mut self, len: usize) {
        if self.lines.len() * 16 < len {
            self.lines.resize(len.div_ceil(16), Line([0.0; 16]));
        }
        self.len = len;
    }
}

impl Deref for Floats {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: the lines hold at least so many floats.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Floats {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}
