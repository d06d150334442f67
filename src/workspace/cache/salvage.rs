//! Reads what can still be read of a damaged index.
//!
//! Changes nothing in the old file. Keys are hashes, so their space is cut into even ranges: a bad page costs the rows of its
//! own ranges, from the first bad row to the last. Whatever is read wrongly does no harm: a vector is handed out only when
//! its checksum fits.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use super::index::{Place, place};
use super::key::RowKey;
use super::segment::Kind;

/// Ranges of the key space, by the first two bytes.
const RANGES: u32 = 2048;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Salvaged {
    /// Id, file name and kind of each segment whose file exists.
    pub segments: Vec<(i64, String, Kind)>,
    /// Rows of those segments.
    pub rows: Vec<(RowKey, Place)>,
}

/// Reads the index at `path`, whose segments lie in `dir`; empty where nothing can be read.
pub(super) fn read(path: &Path, dir: &Path) -> Salvaged {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(connection) = Connection::open_with_flags(path, flags) else { return Salvaged::default() };
    let segments = segments(&connection, dir);
    let mut rows = HashMap::new();
    for range in 0..RANGES {
        let edge = |range: u32| (range * (0x1_0000 / RANGES)).to_be_bytes();
        let (from, to) = (edge(range), edge(range + 1));
        // The last range ends where no key does.
        let to: &[u8] = if range + 1 == RANGES { &[0xff; 40] } else { &to[2..] };
        let sound = read_rows(&connection, "ASC", &from[2..], to, &mut rows);
        if !sound {
            read_rows(&connection, "DESC", &from[2..], to, &mut rows);
        }
    }
    let known: std::collections::HashSet<i64> = segments.iter().map(|&(id, ..)| id).collect();
    rows.retain(|_, place| known.contains(&place.segment));
    Salvaged { segments, rows: rows.into_iter().collect() }
}

/// Adds the rows of a range until the first that cannot be read; whether it came to the end.
fn read_rows(connection: &Connection, order: &str, from: &[u8], to: &[u8], into: &mut HashMap<RowKey, Place>) -> bool {
    let text = format!(
        "SELECT segment, row, checksum, tokens, cut, note, key FROM rows WHERE key >= ?1 AND key < ?2 ORDER BY key {order}"
    );
    let Ok(mut select) = connection.prepare_cached(&text) else { return false };
    let Ok(mut rows) = select.query(params![from, to]) else { return false };
    loop {
        match rows.next() {
            Ok(Some(row)) => {
                if let (Ok(key), Ok(place)) = (row.get(6), place(row)) {
                    into.insert(RowKey(key), place);
                }
            }
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

fn segments(connection: &Connection, dir: &Path) -> Vec<(i64, String, Kind)> {
    let mut found: HashMap<i64, (String, Kind)> = HashMap::new();
    for order in ["ASC", "DESC"] {
        let text = format!("SELECT id, name, dim, model FROM segments ORDER BY id {order}");
        let Ok(mut select) = connection.prepare(&text) else { continue };
        let Ok(mut rows) = select.query([]) else { continue };
        while let Ok(Some(row)) = rows.next() {
            if let (Ok(id), Ok(name), Ok(dim), Ok(model)) = (row.get(0), row.get(1), row.get(2), row.get(3)) {
                found.insert(id, (name, Kind { dim, model }));
            }
        }
    }
    // A name is a plain file name; anything else was not written by us.
    let there = |name: &str| !name.contains(['/', '\\']) && dir.join(name).is_file();
    let mut segments: Vec<_> = found.into_iter().map(|(id, (name, kind))| (id, name, kind)).collect();
    segments.retain(|(_, name, _)| there(name));
    segments.sort_by_key(|&(id, ..)| id);
    segments.dedup_by(|a, b| a.1 == b.1);
    segments
}
