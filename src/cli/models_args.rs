//! What `embedlens models` and its commands take.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::make_args::{ConvertArgs, DistillArgs};
use super::options::{Common, LoadArgs};
use crate::models::catalogue::choose::{Criterion, Deployment, Use, Weighing};
use crate::models::catalogue::{Domain, Modality};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ModelsArgs {
    #[command(subcommand)]
    pub command: Option<ModelsCommand>,
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Show all that is known of one model
    #[command(after_help = "Example:\n  embedlens models show BAAI/bge-small-en-v1.5")]
    Show(ShowArgs),
    /// Rank models for a use, with the reasons for and against each
    #[command(after_help = "Examples:\n  embedlens models choose --for semantic-search notes\n  \
        embedlens models choose --for code-search --commercial --weights quality=3,speed=1 --json\n  \
        embedlens models choose --for domain-texts --domain law --where anywhere")]
    Choose(ChooseArgs),
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
            Some(ModelsCommand::Show(args)) => &args.common,
            Some(ModelsCommand::Choose(args)) => &args.common,
            Some(ModelsCommand::Download(args)) => &args.common,
            Some(ModelsCommand::Convert(args)) => &args.common,
            Some(ModelsCommand::Distill(args)) => &args.common,
        }
    }
}

/// Which entries of the catalogue are listed.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "The catalogue")]
pub struct FilterArgs {
    /// List what is known of models that are not here, too; so does each of the filters
    #[arg(long)]
    pub all: bool,
    /// Only models that read this
    #[arg(long, value_enum, value_name = "KIND")]
    pub modality: Option<ModalityArg>,
    /// Only models made for this field
    #[arg(long, value_enum, value_name = "FIELD")]
    pub domain: Option<DomainArg>,
    /// Only models whose licence has this in its name, as "MIT" or "Apache"
    #[arg(long, value_name = "NAME")]
    pub licence: Option<String>,
    /// Only models whose weights take so many megabytes at most
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_mb: Option<u64>,
}

impl FilterArgs {
    /// Whether the catalogue is asked for.
    pub fn is_asked(&self) -> bool {
        self.all || self.modality.is_some() || self.domain.is_some() || self.licence.is_some() || self.max_mb.is_some()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModalityArg {
    Text,
    Code,
    Image,
    TextAndImage,
}

impl From<ModalityArg> for Modality {
    fn from(argument: ModalityArg) -> Self {
        match argument {
            ModalityArg::Text => Self::Text,
            ModalityArg::Code => Self::Code,
            ModalityArg::Image => Self::Image,
            ModalityArg::TextAndImage => Self::TextAndImage,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DomainArg {
    General,
    Law,
    Biomedicine,
    ClinicalNotes,
    Finance,
    Science,
    Code,
    Pictures,
}

impl From<DomainArg> for Domain {
    fn from(argument: DomainArg) -> Self {
        match argument {
            DomainArg::General => Self::General,
            DomainArg::Law => Self::Law,
            DomainArg::Biomedicine => Self::Biomedicine,
            DomainArg::ClinicalNotes => Self::ClinicalNotes,
            DomainArg::Finance => Self::Finance,
            DomainArg::Science => Self::Science,
            DomainArg::Code => Self::Code,
            DomainArg::Pictures => Self::Pictures,
        }
    }
}

#[derive(Debug, Args)]
pub struct ShowArgs {
    /// An id of `embedlens models --all`, a short name, or a folder
    #[arg(value_name = "ID")]
    pub id: String,
    #[command(flatten)]
    pub common: Common,
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
pub struct ChooseArgs {
    /// Folders and files that it is for: their length, number and language count
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// What the model is wanted for
    #[arg(long = "for", value_enum, value_name = "USE")]
    pub purpose: UseArg,
    /// How much each counts, 0 to 5: quality, speed, storage, context, domain, cost [default: quality=3, the others 1]
    #[arg(long, value_name = "NAME=N,…", value_parser = weighing)]
    pub weights: Option<Weighing>,
    /// Where it may run
    #[arg(long = "where", value_enum, value_name = "PLACE", default_value_t)]
    pub place: PlaceArg,
    /// Leave out what may not be used commercially, or does not say
    #[arg(long)]
    pub commercial: bool,
    /// The field of the texts
    #[arg(long, value_enum, value_name = "FIELD")]
    pub domain: Option<DomainArg>,
    /// Texts are in other languages than English, too
    #[arg(long)]
    pub other_languages: bool,
    /// Each text is to be embedded whole, not in chunks
    #[arg(long)]
    pub whole: bool,
    /// Suggestions to list
    #[arg(long, short = 'k', value_name = "K", default_value_t = 5)]
    pub top: usize,
    #[command(flatten)]
    pub load: LoadArgs,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UseArg {
    SemanticSearch,
    QuestionAnswering,
    Clustering,
    Classification,
    Duplicates,
    CodeSearch,
    PicturesByWords,
    SimilarPictures,
    DomainTexts,
}

impl From<UseArg> for Use {
    fn from(argument: UseArg) -> Self {
        match argument {
            UseArg::SemanticSearch => Self::SemanticSearch,
            UseArg::QuestionAnswering => Self::QuestionAnswering,
            UseArg::Clustering => Self::Clustering,
            UseArg::Classification => Self::Classification,
            UseArg::Duplicates => Self::Duplicates,
            UseArg::CodeSearch => Self::CodeSearch,
            UseArg::PicturesByWords => Self::PicturesByWords,
            UseArg::SimilarPictures => Self::SimilarPictures,
            UseArg::DomainTexts => Self::DomainTexts,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PlaceArg {
    /// Only what is on this computer now
    Offline,
    /// On this computer, weights may be fetched
    #[default]
    Local,
    /// Also behind an API, and what cannot be run here yet
    Anywhere,
}

impl From<PlaceArg> for Deployment {
    fn from(argument: PlaceArg) -> Self {
        match argument {
            PlaceArg::Offline => Self::Offline,
            PlaceArg::Local => Self::Local,
            PlaceArg::Anywhere => Self::Anywhere,
        }
    }
}

/// "quality=3,speed=1" as weights; what is not named counts as usual.
fn weighing(typed: &str) -> Result<Weighing, String> {
    let mut weights = Weighing::default();
    for pair in typed.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, number) = pair.split_once('=').ok_or_else(|| format!("{pair:?}: expected NAME=N"))?;
        let named = Criterion::ALL.into_iter().find(|criterion| criterion.words().eq_ignore_ascii_case(name.trim()));
        let all = || Criterion::ALL.map(Criterion::words).join(", ");
        let criterion = named.ok_or_else(|| format!("{name:?} is none of {}", all()))?;
        let weight = number.trim().parse::<f64>().ok().filter(|weight| (0.0..=5.0).contains(weight));
        weights.set(criterion, weight.ok_or_else(|| format!("{number:?}: expected a number from 0 to 5"))?);
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read() {
        let weights = weighing("speed=5, Quality=0.5").unwrap();
        assert_eq!((weights.of(Criterion::Speed), weights.of(Criterion::Quality)), (5.0, 0.5));
        assert_eq!(weights.of(Criterion::Cost), Weighing::default().of(Criterion::Cost));
        for wrong in ["speed", "speed=6", "speed=-1", "speed=fast", "beauty=3", "speed=NaN"] {
            assert!(weighing(wrong).is_err(), "{wrong}");
        }
    }
}
