//! How factors lie in memory, and memory that whole registers and tiles are read from.
//!
//! Invariant: weights and rows of one kernel have one form. Four bytes of a row meet four bytes of each column in a step.

use super::Kernel;
use crate::models::Precision;
use crate::vectors::Level;

/// What the factors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Single precision.
    Singles,
    /// Three bfloat16 a factor, which add up to it: of 16 rows, a tile of 32 factors for each third. Weights are in single precision,
    /// cut into such tiles as they are multiplied.
    Thirds,
    /// bfloat16.
    Bfloats,
    /// Signed bytes, for tiles.
    Bytes,
    /// Signed bytes; those of rows have 128 added, which the sums begin with the opposite of.
    Raised,
    /// Bytes widened to 16 bits, for levels without products of bytes.
    Words,
    /// Bytes as floats, which every compiler makes vectors of: sums below 2^24 are exact, greater ones as good as any float.
    Wholes,
}

impl Form {
    pub(super) fn of(kernel: Kernel) -> Self {
        match kernel.precision {
            Precision::F32 if kernel.level == Level::Amx => Self::Thirds,
            Precision::F32 => Self::Singles,
            Precision::Bf16 => Self::Bfloats,
            Precision::Int8 if kernel.level == Level::Amx => Self::Bytes,
            Precision::Int8 if kernel.level.has_byte_products() => Self::Raised,
            Precision::Int8 if kernel.level == Level::Portable => Self::Wholes,
            Precision::Int8 => Self::Words,
        }
    }

    /// Bytes of a row a factor.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Thirds => 6,
            Self::Singles | Self::Wholes => 4,
            Self::Bfloats | Self::Words => 2,
            Self::Bytes | Self::Raised => 1,
        }
    }

    /// Bytes of a weight.
    pub(super) fn weight(self) -> usize {
        if self == Self::Thirds { 4 } else { self.size() }
    }

    /// Whether factors are integers with a scale.
    pub(super) fn scaled(self) -> bool {
        matches!(self, Self::Bytes | Self::Raised | Self::Words | Self::Wholes)
    }

    /// Factors that a row of `inputs` is filled up to with zeros.
    pub(super) fn filled(self, inputs: usize) -> usize {
        // Whole tiles are 64 bytes deep.
        match self {
            Self::Singles | Self::Wholes => inputs,
            Self::Thirds | Self::Bfloats | Self::Words => inputs.next_multiple_of(32),
            Self::Bytes | Self::Raised => inputs.next_multiple_of(64),
        }
    }
}

/// Values of a row in a tile of thirds.
pub(super) const RUN: usize = 32;
/// Rows of a tile of thirds.
pub(super) const SIDE: usize = 16;
/// Values of a tile of thirds.
pub(super) const TILE: usize = RUN * SIDE;

/// The alignment of a cache line and of the widest register.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line([u8; 64]);

pub(super) const LINE: usize = size_of::<Line>();

/// Lines of zeros for so many bytes.
pub(super) fn lines(bytes: usize) -> Vec<Line> {
    vec![Line([0; 64]); bytes.div_ceil(LINE)]
}

/// Makes room for so many bytes; what was there is kept or forgotten.
pub(super) fn make_room(lines: &mut Vec<Line>, bytes: usize) {
    if lines.len() * LINE < bytes {
        lines.resize(bytes.div_ceil(LINE), Line([0; 64]));
    }
}
