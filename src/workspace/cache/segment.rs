//! Segment files: a header of 64 bytes, then rows of little-endian `f32`, only ever appended to by the one writer that made the file.
//!
//! Which row is whose stands in the index, not here. Invariant: a row that the index names was wholly written before.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fs_err as fs;

const MAGIC: &[u8; 8] = b"EMBLSEG\n";
const VERSION: u32 = 1;
/// Bytes before the first row.
pub(super) const HEADER: u64 = 64;
/// Ending of a segment's file name.
pub(super) const ENDING: &str = "seg";

/// What all rows of a segment have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// Values a row.
    pub dim: u32,
    /// BLAKE3 of the model's fingerprint.
    pub model: [u8; 32],
}

impl Kind {
    pub(super) fn row_bytes(&self) -> usize {
        self.dim as usize * size_of::<f32>()
    }

    fn header(&self) -> [u8; HEADER as usize] {
        let mut header = [0; HEADER as usize];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&VERSION.to_le_bytes());
        header[12..16].copy_from_slice(&self.dim.to_le_bytes());
        header[16..48].copy_from_slice(&self.model);
        header
    }
}

/// Eight bytes that tell whether a row's bytes are those that were written.
pub(super) fn checksum(bytes: &[u8]) -> i64 {
    let mut short = [0; 8];
    short.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    i64::from_le_bytes(short)
}

/// Little-endian bytes of a row.
pub(super) fn to_bytes(row: &[f32], out: &mut Vec<u8>) {
    out.extend(row.iter().flat_map(|value| value.to_le_bytes()));
}

/// A segment being written. The file stays locked while it is, so that no other process takes it for a left-over.
#[derive(Debug)]
pub(super) struct SegmentWriter {
    pub(super) name: String,
    file: fs::File,
    rows: u32,
}

impl SegmentWriter {
    /// A new file in `dir` under a name nobody else has.
    pub(super) fn create(dir: &Path, kind: &Kind) -> io::Result<Self> {
        let process = std::process::id();
        let time = super::unix_millis();
        for attempt in 0u32.. {
            let name = format!("{time}-{process}-{attempt}.{ENDING}");
            match fs::OpenOptions::new().write(true).create_new(true).open(dir.join(&name)) {
                Ok(mut file) => {
                    // A file system without locks only loses the tidying up of left-overs.
                    let _ = file.file().lock();
                    // Between making and locking it another process may have tidied it up.
                    if !dir.join(&name).exists() {
                        continue;
                    }
                    file.write_all(&kind.header())?;
                    return Ok(Self { name, file, rows: 0 });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("no free name for a segment"))
    }

    /// Appends whole rows and hands them to the system; returns the number of the first.
    pub(super) fn append(&mut self, rows: &[u8], kind: &Kind) -> io::Result<u32> {
        let first = self.rows;
        // A write that failed half-way leaves a torn row: start behind the last whole one.
        self.file.seek(SeekFrom::Start(HEADER + u64::from(first) * kind.row_bytes() as u64))?;
        self.file.write_all(rows)?;
        self.file.flush()?;
        self.rows += (rows.len() / kind.row_bytes()) as u32;
        Ok(first)
    }

    /// Rows written so far.
    pub(super) fn rows(&self) -> u32 {
        self.rows
    }
}

/// A segment opened for reading, its header checked.
pub(super) struct SegmentReader {
    path: PathBuf,
    /// Whole rows in the file.
    pub(super) rows: u32,
}

impl SegmentReader {
    /// Fails when the file is gone, is no segment, or holds rows of another kind.
    pub(super) fn open(path: PathBuf, kind: &Kind) -> io::Result<Self> {
        let mut file = fs::File::open(&path)?;
        let mut header = [0; HEADER as usize];
        file.read_exact(&mut header)?;
        if header != kind.header() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its header is not what the index says"));
        }
        let bytes = file.metadata()?.len().saturating_sub(HEADER);
        let rows = (bytes / kind.row_bytes().max(1) as u64).min(u64::from(u32::MAX)) as u32;
        Ok(Self { path, rows })
    }

    /// Bytes of `count` rows from `first` on. Opens the file anew, so that many threads may read at once.
    pub(super) fn read(&self, first: u32, count: usize, kind: &Kind) -> io::Result<Vec<u8>> {
        let mut file = fs::File::open(&self.path)?;
        file.seek(SeekFrom::Start(HEADER + u64::from(first) * kind.row_bytes() as u64))?;
        let mut bytes = vec![0; count * kind.row_bytes()];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}
