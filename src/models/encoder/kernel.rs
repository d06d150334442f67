//! Which instructions and which numbers an encoder multiplies with.
//!
//! Invariant: decided once, when a model is opened, so that no vector mixes two.

use crate::models::Precision;
use crate::vectors::{Level, level};

/// Level of the machine and precision of the products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::models) struct Kernel {
    pub(in crate::models) level: Level,
    /// As it is run: never bfloat16 on a level without its products.
    pub(in crate::models) precision: Precision,
}

impl Kernel {
    /// The best this machine has for the precision.
    pub(in crate::models) fn of(precision: Precision) -> Self {
        Self { level: level(), precision: precision.runs_as() }
    }

    /// All that this machine can run, for tests.
    #[cfg(test)]
    pub(in crate::models) fn available() -> Vec<Self> {
        let bfloat = |level: Level| level <= Level::Avx512Vnni && Precision::Bf16.runs_as() == Precision::Bf16;
        let kernels = Level::available()
            .into_iter()
            .flat_map(|level| Precision::ALL.into_iter().map(move |precision| Self { level, precision }));
        kernels.filter(|kernel| kernel.precision != Precision::Bf16 || bfloat(kernel.level)).collect()
    }
}
