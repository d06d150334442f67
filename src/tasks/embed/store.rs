//! The cache as an embedding run sees it: optional, and never a reason to fail.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::slots::Slots;
use crate::progress::{Cancelled, Progress};
use crate::workspace::cache::{CacheError, CacheReport, CacheWriter, CachedRow, ModelSpace, VectorCache};

/// How long rows wait before they are safe from a kill.
const COMMIT_EVERY: Duration = Duration::from_millis(900);
/// Keys of one look-up.
const BLOCK: usize = 16_384;

/// The cache, or none.
pub(super) struct Store {
    cache: Option<VectorCache>,
    space: ModelSpace,
    messages: Mutex<Vec<String>>,
}

impl Store {
    /// Opens the cache in a folder. What goes wrong becomes a message.
    pub(super) fn open(dir: Option<&Path>, dim: usize, fingerprint: &str) -> Self {
        let space = ModelSpace::new(dim, fingerprint);
        let mut messages = Vec::new();
        let cache = dir.and_then(|dir| {
            VectorCache::open(&dir.join("vectors")).map_err(|error| messages.push(going_on(&error))).ok()
        });
        Self { cache, space, messages: messages.into() }
    }

    pub(super) fn session(&self) -> Session<'_> {
        let writer = self.cache.as_ref().map(|cache| cache.writer(&self.space));
        Session { store: self, writer, committed: Instant::now() }
    }

    fn tell(&self, error: &CacheError) {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).push(going_on(error));
    }

    pub(super) fn into_report(self) -> CacheReport {
        let mut messages = self.cache.map(|cache| cache.report().messages).unwrap_or_default();
        messages.extend(self.messages.into_inner().unwrap_or_else(PoisonError::into_inner));
        CacheReport { messages }
    }
}

fn going_on(error: &CacheError) -> String {
    format!("Going on without the vector cache: {error}.")
}

/// Reading and writing of one run.
pub(super) struct Session<'a> {
    store: &'a Store,
    writer: Option<CacheWriter<'a>>,
    committed: Instant,
}

impl Session<'_> {
    /// Fills the slots whose vectors are in the cache, some thousands at a time.
    ///
    /// # Errors
    /// Cancelled.
    pub(super) fn fill(&self, slots: &mut Slots, progress: &Progress) -> Result<(), Cancelled> {
        let Some(cache) = &self.store.cache else { return Ok(()) };
        let keys = slots.keys().to_vec();
        for (block, keys) in keys.chunks(BLOCK).enumerate() {
            progress.check()?;
            let found = match cache.find(keys, &self.store.space) {
                Ok(found) => found,
                Err(error) => {
                    self.store.tell(&error);
                    return Ok(());
                }
            };
            let width = found.values.len() / keys.len();
            for (at, noted) in found.rows.into_iter().enumerate() {
                if let Some(noted) = noted {
                    slots.fill((block * BLOCK + at) as u32, &found.values[at * width..(at + 1) * width], noted);
                }
            }
            progress.advance(keys.len() as u64);
        }
        Ok(())
    }

    /// Stores what was embedded for a slot.
    pub(super) fn push(&mut self, slots: &Slots, slot: u32, vector: &[f32], noted: &CachedRow) {
        if let Some(writer) = &mut self.writer {
            writer.push(slots.keys()[slot as usize], vector, noted);
        }
    }

    /// Commits when it is time. Called between batches.
    pub(super) fn commit_when_due(&mut self) {
        if self.committed.elapsed() >= COMMIT_EVERY {
            self.commit();
        }
    }

    /// Commits now. After a failure nothing more is stored in this run.
    pub(super) fn commit(&mut self) {
        if let Some(Err(error)) = self.writer.as_mut().map(CacheWriter::commit) {
            self.store.tell(&error);
            self.writer = None;
        }
        self.committed = Instant::now();
    }
}
