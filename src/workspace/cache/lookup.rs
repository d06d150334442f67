//! Reading many rows at once: keys to places in one pass over the index, places to vectors in long parallel reads.
//!
//! Changes nothing itself; segments found damaged are handed to `repair`. Invariant: every vector handed out passed its checksum.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::index::{self, Index, Place};
use super::key::RowKey;
use super::segment::{self, Kind, SegmentReader};
use super::{CacheError, ModelSpace, VectorCache, repair};

/// Rows of one read at most.
const RUN: usize = 1024;
/// Rows that are read over rather than begin another read.
const GAP: u32 = 16;

/// What was noted of a cached row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CachedRow {
    /// Tokens the model saw.
    pub tokens: u32,
    /// Tokens it did not see.
    pub cut: u32,
    /// The model's few words about the input; mostly empty.
    pub note: String,
}

/// Answer to a look-up.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// One row a key, `dim` values each; zeros where nothing was found.
    pub values: Vec<f32>,
    /// What was noted of each key's row; `None` where nothing was found.
    pub rows: Vec<Option<CachedRow>>,
}

/// A run of neighbouring rows of one segment, and the keys that want them.
struct Run {
    segment: i64,
    first: u32,
    wanted: Vec<(usize, Place)>,
}

impl VectorCache {
    /// The vectors of `keys`, as far as they are here. 100,000 rows take about a second.
    ///
    /// # Errors
    /// The index cannot be read for another reason than damage.
    pub fn find(&self, keys: &[RowKey], space: &ModelSpace) -> Result<Found, CacheError> {
        let kind = space.0;
        // The first pass may come upon damage; the second meets what was saved from it.
        let (found, bad) = self.find_once(keys, &kind)?;
        if bad.is_empty() {
            return Ok(found);
        }
        self.repair(&bad, &kind)?;
        Ok(self.find_once(keys, &kind)?.0)
    }

    fn find_once(&self, keys: &[RowKey], kind: &Kind) -> Result<(Found, BTreeSet<i64>), CacheError> {
        let places = match self.index().find(keys, kind) {
            Err(error) if index::is_damage(&error) => None,
            other => Some(other.map_err(|error| self.index_error(error))?),
        };
        let places = match places {
            Some(places) => places,
            None => self.renew_index(keys, kind)?,
        };
        let names = self.index().segments_of(kind).map_err(|error| self.index_error(error))?;
        Ok(self.read(places, &names, kind))
    }

    fn read(&self, places: Vec<Option<Place>>, names: &HashMap<i64, String>, kind: &Kind) -> (Found, BTreeSet<i64>) {
        let mut found = nothing(places.len(), kind);
        let runs = runs(places);
        let readers: BTreeMap<i64, Option<SegmentReader>> = runs
            .iter()
            .map(|run| run.segment)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(|id| (id, names.get(&id).and_then(|name| SegmentReader::open(self.dir.join(name), kind).ok())))
            .collect();
        let read: Vec<(Run, Option<Vec<u8>>)> = runs
            .into_par_iter()
            .map(|run| {
                let bytes =
                    readers.get(&run.segment).and_then(Option::as_ref).and_then(|reader| read_run(reader, &run, kind));
                (run, bytes)
            })
            .collect();
        let mut bad = BTreeSet::new();
        let width = kind.dim as usize;
        for (run, bytes) in read {
            let Some(bytes) = bytes else {
                bad.insert(run.segment);
                continue;
            };
            for (at, place) in run.wanted {
                let from = (place.row - run.first) as usize * kind.row_bytes();
                let row = &bytes[from..from + kind.row_bytes()];
                for (value, four) in found.values[at * width..(at + 1) * width].iter_mut().zip(row.chunks_exact(4)) {
                    *value = f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
                }
                found.rows[at] = Some(CachedRow { tokens: place.tokens, cut: place.cut, note: place.note });
            }
        }
        (found, bad)
    }

    /// Puts a fresh index in the place of one that turned out to be damaged while in use, and looks the keys up in it.
    fn renew_index(&self, keys: &[RowKey], kind: &Kind) -> Result<Vec<Option<Place>>, CacheError> {
        let _lock = repair::lock(&self.dir)?;
        // Another process may have been faster, and its new index must stay where it is.
        if let Ok(renewed) = Index::open(&self.dir)
            && let Ok(places) = renewed.find(keys, kind)
        {
            *self.index() = renewed;
            return Ok(places);
        }
        let broken = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT), None);
        let (index, messages) = repair::renew_index(&self.dir, &broken)?;
        *self.index() = index;
        messages.into_iter().for_each(|message| self.tell(message));
        Ok(self.index().find(keys, kind).unwrap_or_else(|_| vec![None; keys.len()]))
    }
}

fn nothing(keys: usize, kind: &Kind) -> Found {
    Found { values: vec![0.0; keys * kind.dim as usize], rows: vec![None; keys] }
}

/// Bytes of a run whose wanted rows all pass their checksum.
fn read_run(reader: &SegmentReader, run: &Run, kind: &Kind) -> Option<Vec<u8>> {
    let last = run.wanted.last()?.1.row;
    if last >= reader.rows {
        return None;
    }
    let bytes = reader.read(run.first, (last - run.first) as usize + 1, kind).ok()?;
    let sound = run.wanted.iter().all(|(_, place)| {
        let from = (place.row - run.first) as usize * kind.row_bytes();
        segment::checksum(&bytes[from..from + kind.row_bytes()]) == place.checksum
    });
    sound.then_some(bytes)
}

/// Groups places into runs of neighbouring rows.
fn runs(places: Vec<Option<Place>>) -> Vec<Run> {
    let mut wanted: Vec<(usize, Place)> =
        places.into_iter().enumerate().filter_map(|(at, place)| Some((at, place?))).collect();
    wanted.sort_by_key(|(_, place)| (place.segment, place.row));
    let mut runs: Vec<Run> = Vec::new();
    for (at, place) in wanted {
        match runs.last_mut() {
            Some(run)
                if run.segment == place.segment
                    && ((place.row - run.first) as usize) < RUN
                    && run.wanted.last().is_some_and(|(_, last)| place.row - last.row <= GAP) =>
            {
                run.wanted.push((at, place));
            }
            _ => runs.push(Run { segment: place.segment, first: place.row, wanted: vec![(at, place)] }),
        }
    }
    runs
}
