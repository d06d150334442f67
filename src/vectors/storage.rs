//! Vectors in a file of our own, in single, half or byte precision, with what the precision costs.
//!
//! A header of 64 bytes (magic, version, precision, rows, dimensions, checksum of the header), then a scale a row (bytes only), then
//! the rows; each part begins at a multiple of 64. Does not compress. Invariant: a file is there whole or not at all, and what is no
//! such file is told by name before anything is read.

use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use fs_err::File;
use half::f16;
use rayon::prelude::*;

use super::replace::rows_at_once;
use super::stored::{Kind, Stored};
use super::{Heard, Rows, Vectors, VectorsError, cosine, dot, norm, replace_file, unheard};

const MAGIC: &[u8; 8] = b"EMBLVEC\0";
const VERSION: u32 = 1;
const HEADER: usize = 64;

/// How many bits a value is kept in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits: nothing is lost.
    #[default]
    F32,
    /// 16 bits: about three digits; values beyond 65,504 become infinite.
    F16,
    /// 8 bits and a scale a row: about two digits.
    Int8,
}

/// How far rows are turned by being kept in less precision: 1 − cosine with the original.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PrecisionCost {
    /// Mean over all rows of finite length.
    pub mean: f32,
    /// The worst row.
    pub max: f32,
}

impl Precision {
    fn code(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Int8 => 2,
        }
    }

    fn from_code(code: u32) -> Option<Self> {
        [Self::F32, Self::F16, Self::Int8].into_iter().find(|precision| precision.code() == code)
    }

    /// Bytes a value.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::Int8 => 1,
        }
    }
}

/// Largest absolute value of a row that is a number, over 127; 0 for a row of zeros.
fn scale_of(row: &[f32]) -> f32 {
    row.iter().filter(|value| value.is_finite()).fold(0.0f32, |largest, value| largest.max(value.abs())) / 127.0
}

/// A row as it will be read again.
fn reduced(row: &[f32], precision: Precision) -> Vec<f32> {
    match precision {
        Precision::F32 => row.to_vec(),
        Precision::F16 => row.iter().map(|&value| f16::from_f32(value).to_f32()).collect(),
        Precision::Int8 => {
            let scale = scale_of(row);
            row.iter().map(|&value| f32::from(byte(value, scale)) * scale).collect()
        }
    }
}

fn byte(value: f32, scale: f32) -> i8 {
    if scale > 0.0 { (value / scale).round().clamp(-127.0, 127.0) as i8 } else { 0 }
}

/// What keeping `vectors` in `precision` would cost.
pub fn cost(vectors: &Vectors, precision: Precision) -> PrecisionCost {
    let turned = |row: &[f32]| {
        let own = norm(row);
        (own.is_finite() && own > 0.0).then(|| {
            let kept = reduced(row, precision);
            1.0 - cosine(dot(row, &kept), own, norm(&kept))
        })
    };
    let turned: Vec<f32> = (0..vectors.len()).into_par_iter().filter_map(|at| turned(vectors.row(at))).collect();
    let sum: f64 = turned.iter().map(|&turned| f64::from(turned)).sum();
    let max = turned.iter().copied().fold(0.0, f32::max);
    PrecisionCost { mean: (sum / turned.len().max(1) as f64) as f32, max }
}

/// Writes vectors; a file that is there is replaced. Values that are not finite become 0 in bytes.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, vectors: &Vectors, precision: Precision) -> Result<(), VectorsError> {
    replace_file(path, |part| fill(part, vectors, precision, &mut unheard)).map_err(|error| failed(path, error.kind()))
}

/// As [`write()`], into a file under way.
///
/// # Errors
/// It cannot be written, or is no longer wanted.
pub fn fill(part: &Path, vectors: &Vectors, precision: Precision, heard: Heard<'_>) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(part)?);
    out.write_all(&header(precision, vectors.len() as u64, vectors.dim() as u64))?;
    let scales: Vec<f32> = match precision {
        Precision::Int8 => vectors.rows().map(scale_of).collect(),
        Precision::F32 | Precision::F16 => Vec::new(),
    };
    for scale in &scales {
        out.write_all(&scale.to_le_bytes())?;
    }
    out.write_all(&vec![0; padding(4 * scales.len())])?;
    let step = rows_at_once(vectors.dim());
    for (at, row) in vectors.rows().enumerate() {
        for &value in row {
            match precision {
                Precision::F32 => out.write_all(&value.to_le_bytes())?,
                Precision::F16 => out.write_all(&f16::from_f32(value).to_le_bytes())?,
                Precision::Int8 => out.write_all(&byte(value, scales[at]).to_le_bytes())?,
            }
        }
        if (at + 1) % step == 0 {
            heard(step as u64)?;
        }
    }
    heard((vectors.len() % step) as u64)?;
    out.flush()
}

/// Opens vectors and says in which precision they are kept. Single precision stays in the file (mapped into memory), the others are
/// decoded by all threads.
///
/// # Errors
/// The file cannot be read, is none of ours or of a newer version, or is cut short; the message names it.
pub fn open(path: &Path) -> Result<(Vectors, Precision), VectorsError> {
    let (rows, precision) = open_rows(path)?;
    Ok((rows.decoded()?, precision))
}

/// As [`open`], but nothing is decoded before it is asked for.
///
/// # Errors
/// Those of [`open`].
pub fn open_rows(path: &Path) -> Result<(Rows, Precision), VectorsError> {
    let io_failed = |error: std::io::Error| failed(path, error.kind());
    let file = File::open(path).map_err(io_failed)?;
    let held = file.metadata().map_err(io_failed)?.len();
    let mut head = [0u8; HEADER];
    Read::read_exact(&mut &file, &mut head).map_err(|_| failed(path, "not a file of stored vectors"))?;
    let (precision, rows, dim) = parsed(&head).map_err(|reason| failed(path, reason))?;
    let scales = if precision == Precision::Int8 { rows.saturating_mul(4) } else { 0 };
    let start = (HEADER as u64).saturating_add(scales).saturating_add(padding(scales as usize) as u64);
    let promised = rows.saturating_mul(dim).saturating_mul(precision.bytes() as u64).saturating_add(start);
    if promised > held {
        return Err(VectorsError::Short { path: path.display().to_string(), promised, held });
    }
    let (rows, dim, start) = (rows as usize, dim as usize, start as usize);
    if precision == Precision::F32
        && let Some(vectors) = Vectors::mapped(&file, start, rows, dim).map_err(io_failed)?
    {
        return Ok((Rows::Single(vectors), precision));
    }
    let (kind, scales) = match precision {
        Precision::F32 => (Kind::Single, Vec::new()),
        Precision::F16 => (Kind::Half, Vec::new()),
        Precision::Int8 => {
            let mut scales = vec![0u8; 4 * rows];
            Read::read_exact(&mut &file, &mut scales).map_err(io_failed)?;
            (Kind::Bytes, scales.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect())
        }
    };
    let stored = Stored::new(&file, start, (rows, dim), (kind, scales)).map_err(io_failed)?;
    let stored = stored.ok_or_else(|| failed(path, "it became shorter while it was read"))?;
    Ok((Rows::Stored(Arc::new(stored)), precision))
}

fn failed(path: &Path, reason: impl std::fmt::Display) -> VectorsError {
    VectorsError::File { path: path.display().to_string(), reason: reason.to_string() }
}

fn padding(bytes: usize) -> usize {
    bytes.next_multiple_of(64) - bytes
}

fn header(precision: Precision, rows: u64, dim: u64) -> [u8; HEADER] {
    let mut head = [0u8; HEADER];
    head[..8].copy_from_slice(MAGIC);
    head[8..12].copy_from_slice(&VERSION.to_le_bytes());
    head[12..16].copy_from_slice(&precision.code().to_le_bytes());
    head[16..24].copy_from_slice(&rows.to_le_bytes());
    head[24..32].copy_from_slice(&dim.to_le_bytes());
    let sum = checksum(&head[..56]);
    head[56..].copy_from_slice(&sum.to_le_bytes());
    head
}

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn parsed(head: &[u8; HEADER]) -> Result<(Precision, u64, u64), &'static str> {
    let long = |at: usize| head[at..].first_chunk().map_or(0, |&bytes| u64::from_le_bytes(bytes));
    let short = |at: usize| head[at..].first_chunk().map_or(0, |&bytes| u32::from_le_bytes(bytes));
    if &head[..8] != MAGIC {
        return Err("not a file of stored vectors");
    }
    if short(8) != VERSION {
        return Err("stored vectors of another version");
    }
    let precision = Precision::from_code(short(12));
    match (precision, long(24)) {
        (Some(precision), dim) if dim > 0 && long(56) == checksum(&head[..56]) => Ok((precision, long(16), dim)),
        _ => Err("the header of the stored vectors is damaged"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors() -> Vectors {
        let values: Vec<f32> = (0..37 * 19).map(|at| ((at * 29 % 101) as f32 - 50.0) / 17.0).collect();
        Vectors::new(values, 19).unwrap()
    }

    #[test]
    fn stored_vectors_come_back_as_close_as_their_precision() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.vectors");
        let vectors = vectors();
        for (precision, bound) in [(Precision::F32, 0.0), (Precision::F16, 2e-3), (Precision::Int8, 1.3e-2)] {
            write(&path, &vectors, precision).unwrap();
            let (back, found) = open(&path).unwrap();
            assert_eq!((back.len(), back.dim(), found), (37, 19, precision));
            for (a, b) in back.values().iter().zip(vectors.values()) {
                assert!((a - b).abs() <= bound, "{precision:?}: {a} for {b}");
            }
            let cost = cost(&vectors, precision);
            assert!(cost.mean <= cost.max && cost.max < 1e-3, "{precision:?}: {cost:?}");
        }
        let none = Vectors::new(Vec::new(), 3).unwrap();
        write(&path, &none, Precision::F32).unwrap();
        assert!(open(&path).unwrap().0.is_empty());
    }

    #[test]
    fn errors_name_the_file_and_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.vectors");
        write(&path, &vectors(), Precision::Int8).unwrap();
        let whole = fs_err::read(&path).unwrap();
        let message = |bytes: &[u8]| {
            fs_err::write(&path, bytes).unwrap();
            open(&path).unwrap_err().to_string()
        };
        assert!(message(b"hello").contains("set.vectors: not a file of stored vectors"));
        assert!(message(&whole[..whole.len() - 1]).contains("the header promises"));
        let mut damaged = whole.clone();
        damaged[17] ^= 1;
        assert!(message(&damaged).contains("damaged"));
        damaged = whole;
        damaged[8] = 9;
        assert!(message(&damaged).contains("another version"));
    }
}
