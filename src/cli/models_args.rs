//! What `embedlens models` and its commands take.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::options::{Common, LoadArgs};
use crate::models::WeightType;
use crate::tasks::Weighting;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ModelsArgs {
    #[command(subcommand)]
    pub command: Option<ModelsCommand>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Fetch a model from the hub into the cache that Python uses too
    #[command(after_help = "Examples:\n  embedlens models download BAAI/bge-small-en-v1.5\n  \
        embedlens embed notes --model BAAI/bge-small-en-v1.5 --out notes.npy\n\n\
        What was begun is gone on with, and every file is checked. Obeyed are HF_HUB_CACHE, HF_HOME, HF_ENDPOINT, HF_TOKEN, \
        HF_HUB_OFFLINE, HF_HUB_DOWNLOAD_TIMEOUT and HTTPS_PROXY, as Python's huggingface_hub does.")]
    Download(DownloadArgs),
    /// Write a model's weights again as safetensors of one type: from several files, pickle or another type
    #[command(after_help = "Examples:\n  embedlens models convert ./model --out model-f16\n  \
        embedlens models convert ORG/NAME --out model --dtype f32\n\n\
        Pickled weights (pytorch_model.bin) are parsed and checked; nothing in them is run. The new folder holds configurations \
        and tokenizer too.")]
    Convert(ConvertArgs),
    /// Make a static model from a text model: far smaller and faster, and coarser
    #[command(after_help = "Examples:\n  embedlens models distill minilm --out my-static\n  \
        embedlens models distill minilm --out my-static --corpus notes --weighting sif\n\n\
        Every token goes through the model once; texts are then averages of tokens (Model2Vec's recipe). With --corpus the \
        frequent words of your files get vectors of their own. Python's model2vec and sentence-transformers read the folder.")]
    Distill(DistillArgs),
}

impl ModelsArgs {
    pub fn common(&self) -> &Common {
        match &self.command {
            None => &self.common,
            Some(ModelsCommand::Download(args)) => &args.common,
            Some(ModelsCommand::Convert(args)) => &args.common,
            Some(ModelsCommand::Distill(args)) => &args.common,
        }
    }
}

#[derive(Debug, Args)]
pub struct DownloadArgs {
    /// The model's name on the hub
    #[arg(value_name = "ORG/NAME")]
    pub name: String,
    /// A branch, a tag or a commit [default: main]
    #[arg(long, value_name = "NAME")]
    pub revision: Option<String>,
    /// Take pickled weights (`pytorch_model.bin`) where there are no others; nothing in them is run
    #[arg(long)]
    pub pickle: bool,
    #[command(flatten)]
    pub common: Common,
}

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
