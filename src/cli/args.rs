//! The commands and what each takes. Says nothing about how it is done.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::models_args::ModelsArgs;
use super::numeric_args::{BenchArgs, ClusterArgs, NeighboursArgs};
use super::only::OnlyArgs;
use super::options::{Common, LayoutArgs, LoadArgs, ModelArgs, PrecisionArgs, reduction};
use crate::projection::Reduction;
use crate::tasks::ColourBy;
use crate::vectors::storage::Precision;

const EXAMPLES: &str = "\
Examples:
  embedlens                                        open the window on the sample
  embedlens --open ~/notes                         open the window on a folder
  embedlens search ~/notes --query \"lentil soup\"   find the passages nearest in meaning
  embedlens embed ~/notes --out notes.npy          write one vector a passage
  embedlens render ~/notes --method tsne --out map.png
  embedlens search @sample --query \"a cup of coffee\"  ask the bundled sample

Results go to stdout, progress and messages to stderr.
Exit codes: 0 ok, 1 failure, 2 wrong usage, 130 interrupted.
EMBEDLENS_CPU=amx|avx512vnni|avx512|avx2vnni|avx2|portable holds the program to instructions of that level or below.";

/// See how embedding models see your data.
///
/// Point it at folders of text, code and images; it embeds them with the models you choose, draws the map, and answers queries.
/// Everything runs on this computer. Without a command it opens the window.
#[derive(Debug, Parser)]
#[command(name = "embedlens", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    pub window: WindowArgs,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What the window takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Window options")]
pub struct WindowArgs {
    /// Folder or file to open instead of the sample; may be given several times
    #[arg(long, value_name = "PATH")]
    pub open: Vec<PathBuf>,
    /// Folder of the vector cache [default: in the user's cache folder]
    #[arg(long, value_name = "DIR", env = "EMBEDLENS_CACHE")]
    pub cache: Option<PathBuf>,
    /// Threads of a task [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Never ask the network
    #[arg(long)]
    pub offline: bool,
    #[command(flatten)]
    pub precision: PrecisionArgs,
    /// Write the time of every frame to this file at the end
    #[arg(long, value_name = "FILE")]
    pub frame_stats: Option<PathBuf>,
    /// Colours
    #[arg(long, value_enum, default_value_t)]
    pub theme: super::WindowTheme,
    /// Arrangement of panes to begin with
    #[arg(long, value_enum, value_name = "NAME")]
    pub perspective: Option<PerspectiveArg>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PerspectiveArg {
    /// One map, an inspector, queries
    Explore,
    /// Two to four models side by side
    Compare,
}

impl PerspectiveArg {
    /// The window's name for it, in small letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Explore => "explore",
            Self::Compare => "compare",
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the models that are here, and what each is good for; look through the catalogue, choose, fetch
    #[command(after_help = "Examples:\n  embedlens models --json\n  embedlens models --all --domain law\n  \
        embedlens models choose --for semantic-search notes\n  embedlens models download BAAI/bge-small-en-v1.5")]
    Models(ModelsArgs),
    /// Load, cut and embed files, and write one vector a passage or picture
    #[command(after_help = "Examples:\n  embedlens embed notes --out notes.npy\n  \
        embedlens embed src --model static --out code.parquet --json\n\n\
        Beside F.npy stands F.metadata.jsonl, beside F.tsv F.metadata.tsv: one row a vector, in the same order; F.npz and \
        F.parquet hold ids and texts themselves.\n\
        With several models the first writes F.npy, the others F-MODEL.npy.")]
    Embed(EmbedArgs),
    /// Lay vectors out by PCA, t-SNE, UMAP or PaCMAP, and say how far the map may be trusted
    #[command(after_help = "Examples:\n  embedlens project notes --method tsne --out map.csv\n  \
        embedlens project notes --method umap --dimensions 3 --out space.csv\n  \
        embedlens project notes --method pacmap --neighbors 20 --out map.csv\n  \
        embedlens project old --method umap --place new --out map.csv\n  \
        embedlens project vectors.npy --reduce pca:50 --method umap --out map.npy\n  \
        embedlens project vectors.npy --method pca --out map.csv --json")]
    Project(ProjectArgs),
    /// Find the passages and pictures nearest to a text or a picture
    #[command(after_help = "Examples:\n  embedlens search notes --query \"how to cook lentils\"\n  \
        embedlens search photos --image cat.jpg --top 5 --json\n  \
        embedlens search vectors.npy --query \"lentil soup\" --model all-MiniLM-L6-v2\n\n\
        Scores of texts, code and pictures are not on one scale: each kind has a ranking of its own.")]
    Search(SearchArgs),
    /// Compare models on the same files: agreement, speed, memory
    #[command(after_help = "Examples:\n  embedlens compare notes --model all-MiniLM-L6-v2 --model static\n  \
        embedlens compare notes --model minilm --model minilm@int8\n  \
        embedlens compare one.npy two.npy")]
    Compare(CompareArgs),
    /// Show how a text is cut into tokens, pooled and normalised, or how well captions describe a picture
    #[command(after_help = "Examples:\n  embedlens inspect \"The lentils simmer.\" --json\n  \
        embedlens inspect --image cat.jpg --caption \"a cat\" --caption \"a dog\" --model conse")]
    Inspect(InspectArgs),
    /// Draw a map into a PNG or SVG file, with title and legend
    #[command(after_help = "Examples:\n  embedlens render notes --method tsne --out map.png\n  \
        embedlens render vectors.npy --out map.svg --theme dark")]
    Render(RenderArgs),
    /// Write the nearest neighbours of every row
    #[command(
        visible_alias = "neighbors",
        after_help = "Examples:\n  embedlens neighbours notes --k 10 --out near.csv\n  \
        embedlens neighbours vectors.npy --metric euclidean --approximate --out near.parquet --json\n\n\
        Neighbours are row numbers from 0, nearest first; a row is never its own neighbour. Greater scores are closer."
    )]
    Neighbours(NeighboursArgs),
    /// Find groups of rows that are alike, and name them by their words
    #[command(after_help = "Examples:\n  embedlens cluster notes --out clusters.csv\n  \
        embedlens cluster vectors.npy --method k-means --k 12 --out clusters.csv --json\n  \
        embedlens cluster map.npy --method density --json\n\n\
        A cluster of -1 is none: the row stands alone.")]
    Cluster(ClusterArgs),
    /// Time the numerics on a file of vectors, beside what this machine can do at most
    #[command(after_help = "Examples:\n  embedlens bench neighbours --input vectors.npy --json\n  \
        embedlens bench project --input vectors.npy --method tsne --runs 1 --out map.npy")]
    Bench(BenchArgs),
}

impl Command {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Models(_) => "models",
            Self::Embed(_) => "embed",
            Self::Project(_) => "project",
            Self::Search(_) => "search",
            Self::Compare(_) => "compare",
            Self::Inspect(_) => "inspect",
            Self::Render(_) => "render",
            Self::Neighbours(_) => "neighbours",
            Self::Cluster(_) => "cluster",
            Self::Bench(_) => "bench",
        }
    }

    pub fn common(&self) -> &Common {
        match self {
            Self::Models(args) => args.common(),
            Self::Embed(args) => &args.common,
            Self::Project(args) => &args.common,
            Self::Search(args) => &args.common,
            Self::Compare(args) => &args.common,
            Self::Inspect(args) => &args.common,
            Self::Render(args) => &args.common,
            Self::Neighbours(args) => &args.common,
            Self::Cluster(args) => &args.common,
            Self::Bench(args) => args.suite.common(),
        }
    }
}

#[derive(Debug, Args)]
pub struct EmbedArgs {
    /// Folders and files, or files of vectors to shorten or to write in another form; a folder that holds nothing but vectors, or numbered
    /// files of one whole (train-00000-of-00002.parquet), are one set
    #[arg(required = true, value_name = "PATH|VECTORS")]
    pub paths: Vec<PathBuf>,
    /// File to write: .npy, .npz, .tsv, .parquet, or .vectors (ours, see --store)
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Bits a value of a .vectors file takes; what fewer lose is measured on these vectors and told
    #[arg(long, value_enum, value_name = "BITS")]
    pub store: Option<StoreArg>,
    /// Make the vectors shorter: pca:N (principal components), truncate:N (first dimensions) or random:N (random directions).
    /// How is written beside F.npy as F.npy.reduction.npz: a row x became (x - mean) @ components.T, and with truncate was brought
    /// back to its length
    #[arg(long, value_name = "WAY:N", value_parser = reduction)]
    pub reduce: Option<Reduction>,
    /// Make the vectors as short as --reduce made others: the F.npy.reduction.npz it wrote, or the F.npy beside which that lies
    #[arg(long, value_name = "FILE", conflicts_with = "reduce")]
    pub reduce_as: Option<PathBuf>,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub load: LoadArgs,
    #[command(flatten)]
    pub common: Common,
}

/// In which precision vectors are stored.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StoreArg {
    /// 32 bits: nothing is lost
    F32,
    /// 16 bits: half the size, about three digits
    F16,
    /// 8 bits and a scale a row: a quarter of the size, about two digits
    Int8,
}

impl From<StoreArg> for Precision {
    fn from(argument: StoreArg) -> Self {
        match argument {
            StoreArg::F32 => Self::F32,
            StoreArg::F16 => Self::F16,
            StoreArg::Int8 => Self::Int8,
        }
    }
}

#[derive(Debug, Args)]
pub struct ProjectArgs {
    /// Folders and files; or vectors or a map: a .npy, .npz, .tsv, .csv (with columns x and y, or of numbers alone), .parquet or .vectors
    /// file, several, or a folder of nothing else, which are read as one set
    #[arg(required = true, value_name = "PATH|VECTORS")]
    pub paths: Vec<PathBuf>,
    /// File to write: .csv, .parquet or .npy
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub layout: LayoutArgs,
    /// Make the vectors shorter first: pca:N (principal components), truncate:N (first dimensions) or random:N (random directions)
    #[arg(long, value_name = "WAY:N", value_parser = reduction, help_heading = "Layout options")]
    pub reduce: Option<Reduction>,
    /// Then place these files, or these vectors, on the map, whose own points stay where they are; written to F-placed.
    /// They are made as short as those on the map: by --reduce, or by the .reduction.npz beside the file of vectors
    #[arg(long, value_name = "PATH|VECTORS", help_heading = "Layout options")]
    pub place: Vec<PathBuf>,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub load: LoadArgs,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("asked").required(true).args(["query", "image", "queries"]))]
pub struct SearchArgs {
    /// Folders and files, or files or folders of vectors (.npy, .npz, .tsv, .csv, .parquet, .vectors) that --model made
    #[arg(required = true, value_name = "PATH|VECTORS")]
    pub paths: Vec<PathBuf>,
    /// What to look for, in words
    #[arg(long, value_name = "TEXT")]
    pub query: Option<String>,
    /// What to look for, as a picture
    #[arg(long, value_name = "FILE")]
    pub image: Option<PathBuf>,
    /// Many queries from a file: one a line, or JSON lines with "text" and "_id"
    #[arg(long, value_name = "FILE")]
    pub queries: Option<PathBuf>,
    #[command(flatten)]
    pub only: OnlyArgs,
    /// Results of each kind
    #[arg(long, short = 'k', value_name = "K", default_value_t = 10)]
    pub top: usize,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub load: LoadArgs,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Folders and files, or two or more files or folders of vectors (.npy, .npz, .tsv, .csv, .parquet, .vectors) of the same rows
    #[arg(required = true, value_name = "PATH|VECTORS")]
    pub paths: Vec<PathBuf>,
    /// Neighbours compared for each row
    #[arg(long, short = 'k', value_name = "K", default_value_t = 10)]
    pub neighbours: usize,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub load: LoadArgs,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The text; with --image it is left out
    #[arg(required_unless_present = "image", conflicts_with = "image")]
    pub text: Option<String>,
    /// A picture, to score captions of it
    #[arg(long, value_name = "FILE", requires = "caption")]
    pub image: Option<PathBuf>,
    /// What the picture may show; may be given several times: the captions' shares add up to 1
    #[arg(long, value_name = "TEXT", requires = "image")]
    pub caption: Vec<String>,
    /// What cosines are divided by; small makes the likeliest caption stand out [default: the model's own]
    #[arg(long, value_name = "X", requires = "image", value_parser = temperature)]
    pub temperature: Option<f32>,
    /// Model: an id from `embedlens models`, a folder, or ORG/NAME in the local hub cache
    #[arg(long, short, value_name = "ID|DIR", default_value = "all-MiniLM-L6-v2")]
    pub model: String,
    #[command(flatten)]
    pub precision: PrecisionArgs,
    #[command(flatten)]
    pub common: Common,
}

/// A temperature that captions can be scored with.
fn temperature(typed: &str) -> Result<f32, String> {
    let value = typed.parse::<f32>().ok().filter(|value| (0.001..=10.0).contains(value));
    value.ok_or_else(|| "expected a number from 0.001 to 10".to_owned())
}

#[derive(Debug, Args)]
pub struct RenderArgs {
    /// Folders and files; or vectors or a map: a .npy, .npz, .tsv, .csv (with columns x and y, or of numbers alone), .parquet or .vectors
    /// file, several, or a folder of nothing else, which are read as one set
    #[arg(required = true, value_name = "PATH|VECTORS")]
    pub paths: Vec<PathBuf>,
    /// File to write: .png or .svg
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// What the points are coloured by: folder, type, modality, language, size, modified, tokens, truncated, cluster, none, or the name of
    /// another column of a file of vectors
    #[arg(long, visible_alias = "color-by", value_name = "COLUMN", default_value = "folder")]
    pub colour_by: ColourBy,
    /// Show how dense the points are: lines around the densest 10, 25, 50, 75 and 90 % of them
    #[arg(long)]
    pub density: bool,
    /// Title [default: the names of what was loaded]
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Pixels across, 64 to 16,384
    #[arg(long, value_name = "PX", default_value_t = 1600, value_parser = clap::value_parser!(u32).range(64..=16_384))]
    pub width: u32,
    /// Pixels down, 64 to 16,384
    #[arg(long, value_name = "PX", default_value_t = 1100, value_parser = clap::value_parser!(u32).range(64..=16_384))]
    pub height: u32,
    /// Colours
    #[arg(long, value_enum, default_value_t)]
    pub theme: PictureTheme,
    #[command(flatten)]
    pub layout: LayoutArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub load: LoadArgs,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum PictureTheme {
    /// For paper
    #[default]
    Light,
    /// For dark screens
    Dark,
}

/// A column by the word for it; every other word is the name of a column of the file.
impl From<&str> for ColourBy {
    fn from(word: &str) -> Self {
        match word {
            "folder" => Self::Folder,
            "type" => Self::Type,
            "modality" => Self::Modality,
            "language" => Self::Language,
            "size" => Self::Size,
            "modified" => Self::Modified,
            "tokens" => Self::Tokens,
            "truncated" => Self::Truncated,
            "cluster" => Self::Cluster,
            "none" => Self::None,
            other => Self::Other(other.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_make_sense() {
        Cli::command().debug_assert();
    }

    #[test]
    fn window_options_and_commands_exclude_each_other() {
        assert!(Cli::try_parse_from(["embedlens", "--open", "notes"]).unwrap().command.is_none());
        assert!(Cli::try_parse_from(["embedlens", "--open", "notes", "models"]).is_err());
        assert!(Cli::try_parse_from(["embedlens", "search", "notes"]).is_err());
        assert!(Cli::try_parse_from(["embedlens", "search", "notes", "--query", "a", "--image", "b"]).is_err());
    }
}
