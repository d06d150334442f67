//! What `embedlens models convert` and `embedlens models distill` take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::options::{Common, LoadArgs};
use crate::models::WeightType;
use crate::tasks::Weighting;

#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// The model's folder, or its name in the hub's cache
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// The new folder
    #[arg(long, short, value_name = "FOLDER")]
    pub out: PathBuf,
    /// What numbers the weights are written as
    #[arg(long, value_enum, value_name = "TYPE", default_value = "f16")]
    pub dtype: DtypeArg,
    #[command(flatten)]
    pub common: Common,
}

/// What numbers weights are written as.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum DtypeArg {
    /// 32 bits
    F32,
    /// 16 bits, about three digits, up to 65,504
    F16,
    /// 16 bits, about two digits, as far as 32 bits reach
    Bf16,
}

impl From<DtypeArg> for WeightType {
    fn from(argument: DtypeArg) -> Self {
        match argument {
            DtypeArg::F32 => Self::F32,
            DtypeArg::F16 => Self::F16,
            DtypeArg::Bf16 => Self::Bf16,
        }
    }
}

#[derive(Debug, Args)]
pub struct DistillArgs {
    /// The text model that it is made from
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// The new folder
    #[arg(long, short, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Dimensions of the vectors
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(2..=4096))]
    pub dims: u32,
    /// Folders and files whose frequent words get vectors of their own
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub corpus: Vec<PathBuf>,
    /// Most words of the corpus that get vectors of their own
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub words: u32,
    /// How frequent tokens are weighed down
    #[arg(long, value_enum, value_name = "WAY", default_value = "zipf")]
    pub weighting: WeightingArg,
    /// Leave vectors as long as they are
    #[arg(long)]
    pub no_normalize: bool,
    /// Write the table in 32 bits instead of 16
    #[arg(long)]
    pub full: bool,
    #[command(flatten)]
    pub load: LoadArgs,
    #[command(flatten)]
    pub common: Common,
}

/// How frequent tokens are weighed down.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum WeightingArg {
    /// By their rank in the vocabulary
    Zipf,
    /// By how often they come in the corpus
    Sif,
    /// Not at all
    None,
}

impl From<WeightingArg> for Weighting {
    fn from(argument: WeightingArg) -> Self {
        match argument {
            WeightingArg::Zipf => Self::Zipf,
            WeightingArg::Sif => Self::Sif,
            WeightingArg::None => Self::None,
        }
    }
}
