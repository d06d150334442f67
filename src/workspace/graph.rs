//! One place for the neighbour graphs and the search index of an embedding set, so that whoever needs neighbours next finds them made.
//!
//! Holds at most one graph a metric, the deepest made. Invariant: a graph put here belongs to the set that holds this place.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use super::SetIdentity;
use crate::progress::{Cancelled, Progress};
use crate::search::{Index, NeighbourGraph};
use crate::vectors::{Metric, Vectors};

/// The neighbour graphs of one embedding set; clones share them.
#[derive(Clone, Debug, Default)]
pub struct SharedGraph {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Each with the depth that was asked for: a set with few or broken rows gives less.
    made: Mutex<Vec<(usize, Arc<NeighbourGraph>)>>,
    making: Mutex<()>,
    indices: [OnceLock<Arc<Index>>; 3],
    identity: OnceLock<SetIdentity>,
    notes: Mutex<Vec<String>>,
}

/// The right to make a graph: held by one at a time.
#[derive(Debug)]
pub struct Making<'a> {
    _held: MutexGuard<'a, ()>,
}

impl SharedGraph {
    /// The graph by `metric`, if it is made and as deep as `k`, or as deep as the set allows.
    pub fn get(&self, metric: Metric, k: usize) -> Option<Arc<NeighbourGraph>> {
        let made = self.inner.made.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |made: &&(usize, Arc<NeighbourGraph>)| made.1.metric == metric && made.0.max(made.1.k) >= k;
        made.iter().find(fits).map(|(_, graph)| graph.clone())
    }

    /// The set's vectors prepared for queries by `metric`, at the first question: about 20 ms for 70,000 x 384.
    pub fn index(&self, vectors: &Vectors, metric: Metric) -> Arc<Index> {
        let place = match metric {
            Metric::Cosine => 0,
            Metric::Dot => 1,
            Metric::Euclidean => 2,
        };
        self.inner.indices[place].get_or_init(|| Arc::new(Index::new(vectors, metric))).clone()
    }

    /// The hashes of the set's vectors, made at the first question.
    pub fn identity(&self, vectors: &Vectors) -> &SetIdentity {
        self.inner.identity.get_or_init(|| SetIdentity::of(vectors))
    }

    /// As [`SharedGraph::identity`]. Errors: cancelled.
    pub fn identity_with(&self, vectors: &Vectors, progress: &Progress) -> Result<&SetIdentity, Cancelled> {
        if let Some(made) = self.inner.identity.get() {
            return Ok(made);
        }
        let made = SetIdentity::of_with(vectors, progress)?;
        Ok(self.inner.identity.get_or_init(|| made))
    }

    /// Notes something to tell the user of how the neighbours came to be.
    pub fn note(&self, words: String) {
        self.inner.notes.lock().unwrap_or_else(PoisonError::into_inner).push(words);
    }

    /// Takes what was noted since the last time.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.inner.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a graph that was asked to be so deep, in the place of a shallower one of its metric.
    pub fn put(&self, asked: usize, graph: Arc<NeighbourGraph>) {
        let mut made = self.inner.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.retain(|(_, other)| other.metric != graph.metric);
        made.push((asked, graph));
    }

    /// The right to make a graph; `None` while another makes one, which is then worth waiting for.
    pub fn try_making(&self) -> Option<Making<'_>> {
        match self.inner.making.try_lock() {
            Ok(held) => Some(Making { _held: held }),
            Err(TryLockError::Poisoned(held)) => Some(Making { _held: held.into_inner() }),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
