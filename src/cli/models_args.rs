//! What `embedlens models` and its commands take.

use clap::{Args, Subcommand};

use super::options::Common;

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
}

impl ModelsArgs {
    pub fn common(&self) -> &Common {
        match &self.command {
            None => &self.common,
            Some(ModelsCommand::Download(args)) => &args.common,
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
