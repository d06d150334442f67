//! Single-precision values read straight from a file, without a copy.
//!
//! Unsafe because whoever writes over a mapped file changes what is read; files of ours are replaced, never written over.
//! Invariant: the values lie within the map and begin at a multiple of four bytes.
#![allow(unsafe_code)]

use fs_err::File;
use memmap2::Mmap;

/// Values in a file.
#[derive(Debug)]
pub(super) struct Mapped {
    map: Mmap,
    start: usize,
    len: usize,
}

impl Mapped {
    /// Maps `len` values from byte `start` on; `None` where the file is shorter, or the values cannot be read as they lie.
    pub fn new(file: &File, start: usize, len: usize) -> std::io::Result<Option<Self>> {
        // SAFETY: the file is only read; see the module's words on writing.
        let map = unsafe { Mmap::map(file)? };
        let end = len.checked_mul(4).and_then(|bytes| bytes.checked_add(start));
        let fits = cfg!(target_endian = "little") && start.is_multiple_of(4) && end.is_some_and(|end| end <= map.len());
        Ok(fits.then_some(Self { map, start, len }))
    }

    /// The values.
    pub fn values(&self) -> &[f32] {
        bytemuck::cast_slice(&self.map[self.start..self.start + 4 * self.len])
    }
}
