//! Options that say which rows a question is asked of.

use clap::{Args, ValueEnum};

use super::session::Failure;
use crate::corpus::Modality;
use crate::tasks::{Only, PathPatterns};

/// Kinds of rows, as typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KindArg {
    /// Prose, notes, tables as text
    Text,
    /// Source code
    Code,
    /// Pictures
    Image,
}

#[derive(Debug, Args)]
pub struct OnlyArgs {
    /// Only files whose path fits: `*.rs`, `notes/**`; may be given several times
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// Only this folder inside what was loaded, and those in it, such as animals of @sample; may be given several times
    #[arg(long, value_name = "FOLDER")]
    pub folder: Vec<String>,
    /// Only rows of this kind; may be given several times
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Vec<KindArg>,
}

impl OnlyArgs {
    /// What they say.
    pub(super) fn only(&self) -> Result<Only, Failure> {
        let paths = (!self.only.is_empty()).then(|| PathPatterns::new(self.only.iter().map(String::as_str)));
        Ok(Only {
            kinds: self.kind.iter().map(|&kind| modality(kind)).collect(),
            folders: self.folder.clone(),
            paths: paths.transpose().map_err(|why| Failure::Usage(format!("--only {why}")))?,
            rows: None,
        })
    }
}

fn modality(kind: KindArg) -> Modality {
    match kind {
        KindArg::Text => Modality::Text,
        KindArg::Code => Modality::Code,
        KindArg::Image => Modality::Image,
    }
}
