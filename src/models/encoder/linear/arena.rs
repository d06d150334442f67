//! Memory for packed weights, many beside one another, so that the system can back it by large pages.
//!
//! All weights are read from beginning to end for each group of texts; in pages of 4 KB, looking up where they lie takes a tenth of the
//! time. Unsafe because parts of one map are handed out. Invariant: parts do not overlap, and a map lives as long as one of its parts.
#![allow(unsafe_code)]

use super::form::LINE;

#[cfg(target_os = "linux")]
pub(super) use huge::Part;
#[cfg(not(target_os = "linux"))]
pub(super) use plain::Part;

#[cfg(not(target_os = "linux"))]
mod plain {
    use super::super::form::{Line, lines};

    /// Zeroed memory of its own, from a cache line on.
    pub(in super::super) struct Part(Vec<Line>);

    impl Part {
        /// So many bytes.
        pub(in super::super) fn new(bytes: usize) -> Self {
            Self(lines(bytes))
        }

        pub(in super::super) fn at(&self, byte: usize) -> *const u8 {
            self.0[byte / super::LINE..].as_ptr().cast()
        }

        pub(in super::super) fn bytes_mut(&mut self) -> *mut u8 {
            self.0.as_mut_ptr().cast()
        }
    }
}

#[cfg(target_os = "linux")]
mod huge {
    use std::sync::{Arc, Mutex, PoisonError, Weak};

    use memmap2::{Advice, MmapMut};

    use super::super::form::{Line, lines};
    use super::LINE;

    /// Bytes of a large page.
    const PAGE: usize = 2 << 20;
    /// Bytes that are mapped at a time; those never written take no memory.
    const MAP: usize = 64 << 20;

    struct Map {
        memory: MmapMut,
        /// The first byte that is the first of a large page.
        start: usize,
    }

    /// The map that the next part is taken from, if a part of it still lives, and the first byte that is no part's yet.
    static CURRENT: Mutex<(Weak<Map>, usize)> = Mutex::new((Weak::new(), 0));

    /// Zeroed memory of its own, from a cache line on.
    pub(in super::super) struct Part {
        at: *mut u8,
        bytes: usize,
        _keep: Keep,
    }

    enum Keep {
        Map { _map: Arc<Map> },
        Lines { _lines: Vec<Line> },
    }

    // SAFETY: the part is this one's alone, as if it were a vector.
    unsafe impl Send for Part {}
    // SAFETY: as above; it is written by way of `&mut` only.
    unsafe impl Sync for Part {}

    impl Part {
        /// So many bytes.
        pub(in super::super) fn new(bytes: usize) -> Self {
            Self::mapped(bytes).unwrap_or_else(|| {
                let mut own = lines(bytes);
                Self { at: own.as_mut_ptr().cast(), bytes, _keep: Keep::Lines { _lines: own } }
            })
        }

        fn mapped(bytes: usize) -> Option<Self> {
            let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
            let whole = bytes.next_multiple_of(LINE);
            let (map, from) = match current.0.upgrade() {
                Some(map) if map.memory.len() - map.start - current.1 >= whole => (map, current.1),
                _ => (Arc::new(Map::new(whole.max(MAP))?), 0),
            };
            *current = (Arc::downgrade(&map), from + whole);
            // SAFETY: the bytes lie within the map, and no other part begins before `from + whole`.
            let at = unsafe { map.memory.as_ptr().add(map.start + from) }.cast_mut();
            Some(Self { at, bytes, _keep: Keep::Map { _map: map } })
        }

        pub(in super::super) fn at(&self, byte: usize) -> *const u8 {
            assert!(byte <= self.bytes);
            self.at.wrapping_add(byte)
        }

        pub(in super::super) fn bytes_mut(&mut self) -> *mut u8 {
            self.at
        }
    }

    impl Map {
        fn new(bytes: usize) -> Option<Self> {
            let memory = MmapMut::map_anon(bytes + PAGE).ok()?;
            // Where the system has no large pages, small ones do.
            let _ = memory.advise(Advice::HugePage);
            let start = memory.as_ptr().align_offset(PAGE);
            Some(Self { memory, start })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_zeroed_lines_of_their_own() {
        let mut parts: Vec<Part> = [1usize, 64, 65, 3 << 20, 70 << 20, 100].map(Part::new).into();
        for (byte, part) in parts.iter_mut().enumerate() {
            assert!(part.at(0).cast::<[u8; LINE]>().is_aligned() && (part.at(0) as usize).is_multiple_of(LINE));
            // SAFETY: each part has a first byte.
            unsafe {
                assert_eq!(*part.at(0), 0);
                *part.bytes_mut() = byte as u8;
            }
        }
        for (byte, part) in parts.iter().enumerate() {
            // SAFETY: as above.
            assert_eq!(unsafe { *part.at(0) }, byte as u8);
        }
    }
}
