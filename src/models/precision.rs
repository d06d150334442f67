//! What numbers a text encoder multiplies.
//!
//! A choice made for each embedding set: it changes the vectors a little and the speed a lot. Storing vectors in fewer bits is
//! another matter. Invariant: a precision's word never changes, since it is part of model names and caches.

use std::str::FromStr;

use crate::vectors;

/// The numbers of an encoder's matrix products. Everything sensitive (layer norms, softmax, sums) is `f32` in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point: the reference, and the slowest.
    #[default]
    F32,
    /// Products of 16-bit floats (bfloat16), sums in `f32`: needs a processor with AVX-512 BF16.
    Bf16,
    /// Products of bytes: weights scaled by output channel, activations by token. The quickest.
    Int8,
}

impl Precision {
    /// All of them, the most exact first.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Int8];

    /// The word for it on the command line, in model names ("minilm@int8") and in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }

    /// One sentence for whoever chooses: what it is, and what it brings here.
    pub fn about(self) -> &'static str {
        match self {
            Self::F32 => "Floats of 32 bits: the reference, and the slowest",
            Self::Bf16 if self.runs_as() == Self::F32 => {
                "Floats of 16 bits: this processor has no products of them, so it runs as f32"
            }
            Self::Bf16 => "Floats of 16 bits: quicker, and the vectors hardly differ",
            Self::Int8 => "Bytes: quickest; the vectors differ a little, see Compare",
        }
    }

    /// What this machine runs when asked for it: bfloat16 without its instructions is run as `f32`.
    pub fn runs_as(self) -> Self {
        if self == Self::Bf16 && !vectors::has_bf16_products() { Self::F32 } else { self }
    }
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|precision| precision.word().eq_ignore_ascii_case(word));
        found.ok_or_else(|| format!("{word:?} is no precision; f32, bf16 and int8 are"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_there_and_back() {
        for precision in Precision::ALL {
            assert_eq!(precision.word().parse(), Ok(precision));
            assert_eq!(serde_json::to_value(precision).unwrap(), precision.word());
        }
        assert_eq!("INT8".parse(), Ok(Precision::Int8));
        assert!("int4".parse::<Precision>().unwrap_err().contains("int8"));
        assert_eq!(Precision::Int8.runs_as(), Precision::Int8);
    }
}
