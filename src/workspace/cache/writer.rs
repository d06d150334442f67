//! Writing: rows gather in memory, then go to the segment, then to the index, in that order.
//!
//! After a kill at any moment only rows since the last [`CacheWriter::commit`] are lost. Invariant: a failed write leaves nothing
//! in the index that is not in a segment.

use super::index::Place;
use super::key::RowKey;
use super::lookup::CachedRow;
use super::segment::{self, Kind, SegmentWriter};
use super::{CacheError, ModelSpace, VectorCache};

/// A segment is closed and another begun when it holds this many bytes.
const SEGMENT_BYTES: u64 = 256 << 20;

/// Adds rows of one model to a cache. Dropped, it forgets what was not committed.
#[derive(Debug)]
pub struct CacheWriter<'a> {
    cache: &'a VectorCache,
    kind: Kind,
    segment: Option<(i64, SegmentWriter)>,
    bytes: Vec<u8>,
    pending: Vec<(RowKey, Place)>,
}

impl VectorCache {
    /// A writer for the vectors of one model. Makes no file before the first commit.
    pub fn writer(&self, space: &ModelSpace) -> CacheWriter<'_> {
        CacheWriter { cache: self, kind: space.0, segment: None, bytes: Vec::new(), pending: Vec::new() }
    }
}

impl CacheWriter<'_> {
    /// Takes a row; vectors of another length than the model's are not taken.
    pub fn push(&mut self, key: RowKey, vector: &[f32], row: &CachedRow) {
        if vector.len() != self.kind.dim as usize {
            return;
        }
        let from = self.bytes.len();
        segment::to_bytes(vector, &mut self.bytes);
        let place = Place {
            segment: 0,
            row: self.pending.len() as u32,
            checksum: segment::checksum(&self.bytes[from..]),
            tokens: row.tokens,
            cut: row.cut,
            note: row.note.clone(),
        };
        self.pending.push((key, place));
    }

    /// Rows taken and not yet committed.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Writes everything taken so far. What is committed survives a kill.
    ///
    /// # Errors
    /// Disk full, folder gone, index locked for ten seconds. The rows stay pending and may be tried again.
    pub fn commit(&mut self) -> Result<(), CacheError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let kind = self.kind;
        let limit = (SEGMENT_BYTES / kind.row_bytes().max(1) as u64) as u32;
        if self.segment.as_ref().is_some_and(|(_, writer)| writer.rows() >= limit) {
            self.segment = None;
        }
        if self.segment.is_none() {
            let writer = SegmentWriter::create(&self.cache.dir, &kind)?;
            let added = self.cache.index().add_segment(&writer.name, &kind);
            self.segment = Some((added.map_err(|error| self.cache.index_error(error))?, writer));
        }
        let Some((id, writer)) = self.segment.as_mut() else { return Ok(()) };
        let first = writer.append(&self.bytes, &kind)?;
        let mut rows = std::mem::take(&mut self.pending);
        for (_, place) in &mut rows {
            place.segment = *id;
            place.row += first;
        }
        if let Err(error) = self.cache.index().add_rows(&rows) {
            for (_, place) in &mut rows {
                place.row -= first;
            }
            self.pending = rows;
            return Err(self.cache.index_error(error));
        }
        self.bytes.clear();
        Ok(())
    }
}
