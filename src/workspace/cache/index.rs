//! The index of the cache: which row of which segment holds the vector of a key. SQLite, shared by all processes.
//!
//! Knows no vectors. Invariant: a row is committed only after its bytes are in the segment.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::key::RowKey;
use super::salvage::Salvaged;
use super::segment::Kind;

/// Name of the index file; the number is that of its tables, so that another version never meets tables it does not know.
pub(super) const FILE: &str = "index-1.sqlite";

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, dim INTEGER NOT NULL, model BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS rows (
    key BLOB PRIMARY KEY, segment INTEGER NOT NULL, row INTEGER NOT NULL, checksum INTEGER NOT NULL,
    tokens INTEGER NOT NULL, cut INTEGER NOT NULL, note TEXT NOT NULL) WITHOUT ROWID;";

/// Where a row lies and what was noted of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub segment: i64,
    pub row: u32,
    pub checksum: i64,
    pub tokens: u32,
    pub cut: u32,
    pub note: String,
}

/// The open index.
#[derive(Debug)]
pub(super) struct Index {
    connection: Connection,
}

/// Whether an error means that the file itself is bad, not that it is busy or the disk full.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    match error {
        E::SqliteFailure(failure, message) => {
            matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TypeMismatch)
                || message.as_deref().is_some_and(|text| text.contains("no such") || text.contains("malformed"))
        }
        E::SqlInputError { .. }
        | E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..) => true,
        _ => false,
    }
}

impl Index {
    /// Opens or makes the index and looks it over.
    pub(super) fn open(dir: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(dir.join(FILE))?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        connection.execute_batch(TABLES)?;
        let health: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if health != "ok" {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            return Err(rusqlite::Error::SqliteFailure(code, Some(health)));
        }
        Ok(Self { connection })
    }

    /// Looks up keys of one kind, in the order given. Searched in order of key, which is the order of the file.
    pub(super) fn find(&self, keys: &[RowKey], kind: &Kind) -> rusqlite::Result<Vec<Option<Place>>> {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_unstable_by_key(|&at| keys[at]);
        let mut found = vec![None; keys.len()];
        let known = self.segments_of(kind)?;
        let transaction = self.connection.unchecked_transaction()?;
        {
            let mut select = transaction
                .prepare_cached("SELECT segment, row, checksum, tokens, cut, note FROM rows WHERE key = ?1")?;
            for at in order {
                let place = select.query_row([&keys[at].0[..]], place).optional()?;
                found[at] = place.filter(|place| known.contains_key(&place.segment));
            }
        }
        transaction.commit()?;
        Ok(found)
    }

    /// Ids and names of the segments of one kind.
    pub(super) fn segments_of(&self, kind: &Kind) -> rusqlite::Result<HashMap<i64, String>> {
        let mut select =
            self.connection.prepare_cached("SELECT id, name FROM segments WHERE dim = ?1 AND model = ?2")?;
        let rows = select.query_map(params![kind.dim, &kind.model[..]], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    /// Names of all segments.
    pub(super) fn all_segments(&self) -> rusqlite::Result<Vec<String>> {
        let mut select = self.connection.prepare_cached("SELECT name FROM segments")?;
        let names = select.query_map([], |row| row.get(0))?;
        names.collect()
    }

    /// Everything the index says of one segment.
    pub(super) fn rows_in(&self, segment: i64) -> rusqlite::Result<Vec<(RowKey, Place)>> {
        let mut select = self
            .connection
            .prepare_cached("SELECT segment, row, checksum, tokens, cut, note, key FROM rows WHERE segment = ?1")?;
        let rows = select.query_map([segment], |row| Ok((RowKey(row.get(6)?), place(row)?)))?;
        rows.collect()
    }

    /// Takes a segment and its rows out.
    pub(super) fn forget(&mut self, segment: i64) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute("DELETE FROM rows WHERE segment = ?1", [segment])?;
        transaction.execute("DELETE FROM segments WHERE id = ?1", [segment])?;
        transaction.commit()
    }

    /// Enters a new segment, returns its id.
    pub(super) fn add_segment(&self, name: &str, kind: &Kind) -> rusqlite::Result<i64> {
        self.connection.execute(
            "INSERT INTO segments (name, dim, model) VALUES (?1, ?2, ?3)",
            params![name, kind.dim, &kind.model[..]],
        )?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Begins with what was saved from an index that was lost. Ids go on far beyond any that the lost one gave, so that a writer
    /// that still holds one of those cannot be taken for another.
    pub(super) fn adopt(&mut self, saved: &Salvaged) -> rusqlite::Result<()> {
        for (id, name, kind) in &saved.segments {
            self.connection.execute(
                "INSERT OR IGNORE INTO segments (id, name, dim, model) VALUES (?1, ?2, ?3, ?4)",
                params![id, name, kind.dim, &kind.model[..]],
            )?;
        }
        let beyond = super::unix_millis() as i64;
        self.connection.execute("DELETE FROM sqlite_sequence WHERE name = 'segments'", [])?;
        self.connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('segments', ?1)", [beyond])?;
        self.add_rows(&saved.rows)
    }

    /// Enters rows, all or none.
    pub(super) fn add_rows(&mut self, rows: &[(RowKey, Place)]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT OR REPLACE INTO rows (key, segment, row, checksum, tokens, cut, note)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for (key, place) in rows {
                let Place { segment, row, checksum, tokens, cut, note } = place;
                insert.execute(params![&key.0[..], segment, row, checksum, tokens, cut, note])?;
            }
        }
        transaction.commit()
    }
}

/// A row of the table, in the order of columns that all statements use.
pub(super) fn place(row: &rusqlite::Row<'_>) -> rusqlite::Result<Place> {
    Ok(Place {
        segment: row.get(0)?,
        row: row.get(1)?,
        checksum: row.get(2)?,
        tokens: row.get(3)?,
        cut: row.get(4)?,
        note: row.get(5)?,
    })
}
