//! Which kernels this machine runs, decided once.
//!
//! Invariant: the answer never changes within a process, so results of one run never mix two kernels.

use std::sync::OnceLock;

/// Families of instructions the kernels are written for, the widest first.
///
/// Each is served by kernels of its own or by those of the next one that has them; [`Level::Portable`] runs everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// As [`Level::Avx512Vnni`], and products of whole tiles of bytes and bfloat16 (AMX): Intel servers since Sapphire Rapids, where
    /// the system lets programs use them.
    Amx,
    /// 512 bits with byte products (AVX-512 F, BW and VNNI): Intel since Ice Lake, AMD since Zen 4.
    Avx512Vnni,
    /// 512 bits without byte products (AVX-512 F and BW).
    Avx512,
    /// 256 bits with byte products (AVX2, FMA and AVX-VNNI): Intel since Alder Lake, AMD since Zen 5.
    Avx2Vnni,
    /// 256 bits (AVX2 and FMA): nearly every x86 processor since 2015.
    Avx2,
    /// No named instructions: what the compiler makes of plain loops.
    Portable,
}

impl Level {
    const ALL: [Self; 6] = [Self::Amx, Self::Avx512Vnni, Self::Avx512, Self::Avx2Vnni, Self::Avx2, Self::Portable];

    /// The name shown in the system report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amx => "AVX-512 + VNNI + AMX",
            Self::Avx512Vnni => "AVX-512 + VNNI",
            Self::Avx512 => "AVX-512",
            Self::Avx2Vnni => "AVX2 + FMA + VNNI",
            Self::Avx2 => "AVX2 + FMA",
            Self::Portable => "portable",
        }
    }

    /// The word that chooses it in `EMBEDLENS_CPU`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Amx => "amx",
            Self::Avx512Vnni => "avx512vnni",
            Self::Avx512 => "avx512",
            Self::Avx2Vnni => "avx2vnni",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }

    /// The levels this machine has, the best first; always ends with [`Level::Portable`].
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|level| level.detected()).collect()
    }

    /// Whether it multiplies bytes four at a time.
    pub(crate) fn has_byte_products(self) -> bool {
        matches!(self, Self::Amx | Self::Avx512Vnni | Self::Avx2Vnni)
    }

    /// Whether it multiplies bytes two at a time, adding them up in 16 bits, for want of anything better.
    pub(crate) fn adds_bytes_in_pairs(self) -> bool {
        matches!(self, Self::Avx512 | Self::Avx2)
    }

    /// Whether 512-bit kernels run.
    pub(crate) fn is_wide(self) -> bool {
        self <= Self::Avx512
    }

    #[cfg(target_arch = "x86_64")]
    fn detected(self) -> bool {
        use std::arch::is_x86_feature_detected as has;
        let fma = has!("avx2") && has!("fma");
        let wide = fma && has!("avx512f") && has!("avx512bw");
        match self {
            Self::Amx => Self::Avx512Vnni.detected() && has!("avx512bf16") && super::amx::permitted(),
            Self::Avx512Vnni => wide && has!("avx512vnni"),
            Self::Avx512 => wide,
            Self::Avx2Vnni => fma && has!("avxvnni"),
            Self::Avx2 => fma,
            Self::Portable => true,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn detected(self) -> bool {
        self == Self::Portable
    }
}

/// The level in use: the best this machine has, or the one named by `EMBEDLENS_CPU` where the machine has it (where it has not, the
/// best one below it). Words that name no level change nothing, see [`unknown_wish`]. faer's matrix products choose for themselves.
pub fn level() -> Level {
    static LEVEL: OnceLock<Level> = OnceLock::new();
    *LEVEL.get_or_init(|| chosen(std::env::var("EMBEDLENS_CPU").ok().as_deref(), &Level::available()))
}

/// The first of `available` that is not above the wish.
fn chosen(wish: Option<&str>, available: &[Level]) -> Level {
    let highest = Level::ALL.into_iter().find(|level| wish.is_some_and(|word| word.eq_ignore_ascii_case(level.word())));
    let allowed = |level: &&Level| highest.is_none_or(|highest| **level >= highest);
    available.iter().find(allowed).copied().unwrap_or(Level::Portable)
}

/// What `EMBEDLENS_CPU` says where it names no level.
pub fn unknown_wish() -> Option<String> {
    let wish = std::env::var("EMBEDLENS_CPU").ok().filter(|wish| !wish.is_empty())?;
    (!Level::ALL.into_iter().any(|level| wish.eq_ignore_ascii_case(level.word()))).then_some(wish)
}

/// The words that name levels, the best level first.
pub fn level_words() -> String {
    Level::ALL.map(Level::word).join(", ")
}

/// Whether AVX2 + FMA kernels run.
pub(crate) fn has_fma() -> bool {
    level() <= Level::Avx2
}

/// Whether products of bfloat16 run in hardware: AVX-512 BF16 or AMX, at the two highest levels only.
pub fn has_bf16_products() -> bool {
    #[cfg(target_arch = "x86_64")]
    let present = std::arch::is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    let present = false;
    present && level() <= Level::Avx512Vnni
}

/// The name of the kernels in use, for the system report.
pub fn kernel_name() -> &'static str {
    level().name()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_lowers_the_level_and_never_raises_it() {
        use Level::{Avx2, Avx2Vnni, Avx512, Portable};
        let machine = [Avx512, Avx2, Portable];
        assert_eq!(chosen(None, &machine), Avx512);
        assert_eq!(chosen(Some("avx512vnni"), &machine), Avx512);
        assert_eq!(chosen(Some("AVX2"), &machine), Avx2);
        assert_eq!(chosen(Some("avx2vnni"), &machine), Avx2);
        assert_eq!(chosen(Some("portable"), &machine), Portable);
        assert_eq!(chosen(Some("quantum"), &machine), Avx512);
        assert_eq!(chosen(None, &[Avx2Vnni, Avx2, Portable]), Avx2Vnni);
        assert_eq!(Level::available().last(), Some(&Portable));
    }
}
