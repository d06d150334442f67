//! Vectors that stay in a file in which they are kept in other numbers than single precision, and are decoded when asked for.
//!
//! Knows no format: where the numbers lie in the file is told by [`super::storage`] and [`super::npy`]. Holds a scale a row and what was
//! mapped, never all rows. Invariant: a value is the same, bit for bit, in whichever block it is asked for.

use std::ops::Range;

use fs_err::File;
use half::f16;
use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;

use super::mapped::{Mapped, numbers};
use super::{RowBlocks, Vectors, VectorsError};

/// Values decoded at a time where all are.
const PIECE: usize = 1 << 18;
/// Bytes of the file that are let go at a time, once they are read.
const REGION: usize = 4 << 20;

/// Little-endian numbers in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// 32 bits; for files that cannot be read as they lie.
    Single,
    /// 64 bits.
    Double,
    /// 16 bits.
    Half,
    /// Bytes from −127 to 127, to be multiplied by their row's scale.
    Bytes,
}

impl Kind {
    /// Bytes a value.
    pub fn width(self) -> usize {
        match self {
            Self::Double => 8,
            Self::Single => 4,
            Self::Half => 2,
            Self::Bytes => 1,
        }
    }
}

/// Rows that are decoded when asked for, in blocks or all at once, by any number of threads.
#[derive(Debug)]
pub struct Stored {
    mapped: Mapped,
    kind: Kind,
    /// A scale a row; empty unless bytes are kept.
    scales: Vec<f32>,
    rows: usize,
    dim: usize,
}

impl Stored {
    /// Maps `sides` (rows, and values a row, at least 1) of numbers that begin at byte `start`; `None` where the file is shorter. There
    /// must be as many `scales` as rows where bytes are kept.
    pub(super) fn new(
        file: &File,
        start: usize,
        (rows, dim): (usize, usize),
        (kind, scales): (Kind, Vec<f32>),
    ) -> std::io::Result<Option<Self>> {
        let whole = kind != Kind::Bytes || scales.len() == rows;
        let len = rows.checked_mul(dim).and_then(|values| values.checked_mul(kind.width()));
        let (Some(len), true) = (len, whole && dim > 0) else { return Ok(None) };
        let mapped = Mapped::new(file, start, len)?;
        Ok(mapped.map(|mapped| Self { mapped, kind, scales, rows, dim }))
    }

    /// All rows, in memory; decoded by all threads of the running pool.
    ///
    /// # Errors
    /// None that could be: the rows are whole.
    pub fn decoded(&self) -> Result<Vectors, VectorsError> {
        let mut values = vec![0.0f32; self.rows * self.dim];
        let taken = (PIECE / self.dim).max(1);
        values.par_chunks_mut(taken * self.dim).enumerate().for_each(|(piece, out)| {
            let first = piece * taken;
            self.decode(first..first + out.len() / self.dim, out);
        });
        Vectors::new(values, self.dim)
    }

    /// Writes the rows `rows` over `out`, which has their length.
    fn decode(&self, rows: Range<usize>, out: &mut [f32]) {
        let bytes = rows.start * self.dim * self.kind.width()..rows.end * self.dim * self.kind.width();
        let own = &self.mapped.bytes()[bytes.clone()];
        match self.kind {
            Kind::Single => {
                out.iter_mut().zip(own.as_chunks().0).for_each(|(out, &four)| *out = f32::from_le_bytes(four));
            }
            Kind::Double => {
                out.iter_mut().zip(own.as_chunks().0).for_each(|(out, &eight)| *out = f64::from_le_bytes(eight) as f32);
            }
            Kind::Half => halves(own, out),
            Kind::Bytes => {
                let scaled = out.chunks_exact_mut(self.dim).zip(own.chunks_exact(self.dim)).zip(&self.scales[rows]);
                for ((out, own), &scale) in scaled {
                    out.iter_mut().zip(own).for_each(|(out, &byte)| *out = f32::from(byte.cast_signed()) * scale);
                }
            }
        }
        let passed = bytes.start / REGION * REGION..bytes.end / REGION * REGION;
        self.mapped.let_go(passed);
    }
}

/// Decodes halves, by the processor's own instruction where it has one and they lie as it reads them.
fn halves(bytes: &[u8], out: &mut [f32]) {
    match numbers::<f16>(bytes) {
        Some(halves) => halves.convert_to_f32_slice(out),
        None => {
            out.iter_mut().zip(bytes.as_chunks().0).for_each(|(out, &two)| *out = f16::from_le_bytes(two).to_f32());
        }
    }
}

impl RowBlocks for Stored {
    fn row_count(&self) -> usize {
        self.rows
    }

    fn row_length(&self) -> usize {
        self.dim
    }

    fn block<'a>(&'a self, rows: Range<usize>, room: &'a mut Vec<f32>) -> Result<&'a [f32], VectorsError> {
        room.resize(rows.len() * self.dim, 0.0);
        self.decode(rows, room);
        Ok(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A half by its definition, in double precision.
    fn by_definition(bits: u16) -> f64 {
        let (exponent, digits) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
        let size = match exponent {
            0 => digits * 2f64.powi(-24),
            31 if digits == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1024.0 + digits) * 2f64.powi(exponent - 25),
        };
        if bits >> 15 == 1 { -size } else { size }
    }

    #[test]
    fn every_half_is_decoded_wherever_it_lies() {
        let all: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("halves");
        // From an odd place on, halves are not read as they lie: as on machines of the other byte order.
        for start in [0, 1, 2, 67] {
            fs_err::write(&path, [vec![0; start], all.clone()].concat()).unwrap();
            let file = File::open(&path).unwrap();
            let stored = Stored::new(&file, start, (1 << 15, 2), (Kind::Half, Vec::new())).unwrap().unwrap();
            for (bits, &value) in (0..=u16::MAX).zip(stored.decoded().unwrap().values()) {
                let exact = by_definition(bits);
                let same = f64::from(value) == exact && value.is_sign_negative() == exact.is_sign_negative();
                assert!(same || value.is_nan() && exact.is_nan(), "{bits:#06x} from {start}: {value} for {exact}");
            }
            assert!(Stored::new(&file, start + 1, (1 << 15, 2), (Kind::Half, Vec::new())).unwrap().is_none());
        }
    }

    #[test]
    fn rows_that_were_let_go_are_read_again() {
        let (rows, dim) = (REGION / 300, 1000);
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..rows * dim).map(|at| (at % 251) as u8).collect();
        fs_err::write(file.path(), &bytes).unwrap();
        let scales = (0..rows).map(|row| row as f32).collect();
        let stored =
            Stored::new(&File::open(file.path()).unwrap(), 0, (rows, dim), (Kind::Bytes, scales)).unwrap().unwrap();
        let whole = stored.decoded().unwrap();
        let mut room = Vec::new();
        for (row, expected) in (0..rows).rev().map(|row| (row, whole.row(row))) {
            assert_eq!(stored.block(row..row + 1, &mut room).unwrap(), expected);
            let last = bytes[(row + 1) * dim - 1].cast_signed();
            assert_eq!(room[dim - 1], f32::from(last) * row as f32);
        }
    }
}
