//! Bytes of a file read where they lie, without a copy.
//!
//! Unsafe because whoever writes over a mapped file changes what is read; files of ours are replaced, never written over.
//! Invariant: the bytes lie within the map.
#![allow(unsafe_code)]

use std::ops::Range;

use bytemuck::AnyBitPattern;
use fs_err::File;
use memmap2::Mmap;

/// Bytes in a file.
#[derive(Debug)]
pub(super) struct Mapped {
    map: Mmap,
    start: usize,
    len: usize,
}

impl Mapped {
    /// Maps `len` bytes from byte `start` on; `None` where the file is shorter.
    pub fn new(file: &File, start: usize, len: usize) -> std::io::Result<Option<Self>> {
        // SAFETY: the file is only read; see the module's words on writing.
        let map = unsafe { Mmap::map(file)? };
        let fits = start.checked_add(len).is_some_and(|end| end <= map.len());
        Ok(fits.then_some(Self { map, start, len }))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.map[self.start..self.start + self.len]
    }

    /// The bytes as little-endian numbers; `None` where this machine cannot read them so as they lie.
    pub fn numbers<T: AnyBitPattern>(&self) -> Option<&[T]> {
        numbers(self.bytes())
    }

    /// Tells the system that the bytes `range` will not be read soon, so that they no longer count as memory in use. They may be read
    /// all the same.
    pub fn let_go(&self, range: Range<usize>) {
        #[cfg(unix)]
        if range.start < range.end && range.end <= self.len {
            let advice = memmap2::UncheckedAdvice::DontNeed;
            // SAFETY: the range lies within the map, which shares the file's pages and never writes to them: they come back as they were.
            // That they do not leave is no error.
            let _ = unsafe { self.map.unchecked_advise_range(advice, self.start + range.start, range.len()) };
        }
        #[cfg(not(unix))]
        let _ = range;
    }
}

/// Bytes as little-endian numbers; `None` where this machine cannot read them so as they lie.
pub(super) fn numbers<T: AnyBitPattern>(bytes: &[u8]) -> Option<&[T]> {
    if cfg!(target_endian = "little") { bytemuck::try_cast_slice(bytes).ok() } else { None }
}
