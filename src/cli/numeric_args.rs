//! What `neighbours`, `cluster` and `bench` take.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::options::{Common, LayoutArgs, LoadArgs, MethodArg, ModelArgs, PrecisionArgs, Tuning};
use crate::vectors::Metric;
use crate::workspace::{ClusterMethod, ClusterParams};

#[derive(Debug, Args)]
pub struct NeighboursArgs {
    /// Folders and files; or a file of vectors, several, or a folder of nothing else, which are read as one set
    #[arg(required = true, value_name = "PATH|VECTORS")]
    pub paths: Vec<PathBuf>,
    /// File to write: .csv, .jsonl or .parquet with a line a row; .npz with the arrays indices, scores, row and path; or .npy, which
    /// becomes F.indices.npy, F.scores.npy and F.rows.npy. Rows are numbered as in the file they came from
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    #[command(flatten)]
    pub search: NeighbourArgs,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub load: LoadArgs,
    #[command(flatten)]
    pub common: Common,
}

/// How neighbours are found.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Neighbour options")]
pub struct NeighbourArgs {
    /// Neighbours of each row; usual 5 to 100
    #[arg(long, short, value_name = "K", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub k: u32,
    /// What counts as near [default: cosine for vectors of length 1, else Euclidean]
    #[arg(long, value_enum)]
    pub metric: Option<AnyMetricArg>,
    /// Compare all pairs, however many rows there are; by itself up to 200,000 rows
    #[arg(long, conflicts_with = "approximate")]
    pub exact: bool,
    /// Compare near pairs only: quicker from some ten thousand rows on, finds nearly all; how many is measured on 1,000 rows
    #[arg(long)]
    pub approximate: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum AnyMetricArg {
    /// Cosine of the angle
    Cosine,
    /// Euclidean distance; scores are distances with a minus, so that greater is closer
    Euclidean,
    /// Dot product
    Dot,
}

impl From<AnyMetricArg> for Metric {
    fn from(argument: AnyMetricArg) -> Self {
        match argument {
            AnyMetricArg::Cosine => Self::Cosine,
            AnyMetricArg::Euclidean => Self::Euclidean,
            AnyMetricArg::Dot => Self::Dot,
        }
    }
}

#[derive(Debug, Args)]
pub struct ClusterArgs {
    /// Folders and files; or a file of vectors or of a map, several, or a folder of nothing else, which are read as one set; vectors of two
    /// or three dimensions are a map
    #[arg(required = true, value_name = "PATH|VECTORS|MAP")]
    pub paths: Vec<PathBuf>,
    /// File to write: .csv, .jsonl or .parquet
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Also write the three likeliest clusters of each row, with the share of each
    #[arg(long, requires = "out")]
    pub soft: bool,
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// How vectors are laid out first, for the methods that look at the map [default: umap; positions that a file has are taken as they
    /// are]
    #[arg(long, value_enum, help_heading = "Layout options")]
    pub layout: Option<MethodArg>,
    #[command(flatten)]
    pub tuning: Tuning,
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub load: LoadArgs,
    #[command(flatten)]
    pub common: Common,
}

impl ClusterArgs {
    /// The layout as other commands have it.
    pub fn layout_args(&self) -> LayoutArgs {
        LayoutArgs { method: Some(self.layout.unwrap_or(MethodArg::Umap)), tuning: self.tuning.clone() }
    }
}

/// How clusters are found.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster options")]
pub struct ClusterOptions {
    /// Where clusters are looked for, and how
    #[arg(long, value_enum, default_value_t = ClusterArg::HdbscanMap)]
    pub method: ClusterArg,
    /// HDBSCAN: fewest rows of a cluster [default: a hundredth of the rows, 5 to 100]
    #[arg(long, value_name = "N")]
    pub min_size: Option<usize>,
    /// HDBSCAN: neighbours that make a place dense; larger leaves more rows without a cluster; usual 2 to 20
    #[arg(long, value_name = "N", default_value_t = ClusterParams::default().min_samples)]
    pub min_samples: usize,
    /// k-means: how many clusters
    #[arg(long, short, value_name = "K", default_value_t = ClusterParams::default().k)]
    pub k: usize,
    /// Density: how far it is smoothed, in shares of the map's extent; larger gives fewer clusters; usual 0.005 to
    /// 0.08; few rows are smoothed by up to 0.08 in any case
    #[arg(long, value_name = "X", default_value_t = ClusterParams::default().bandwidth)]
    pub bandwidth: f32,
}

impl ClusterOptions {
    /// What the task takes.
    pub fn params(&self, seed: u64) -> Result<ClusterParams, String> {
        let least = |name: &str, given: usize, least: usize| {
            if given < least { Err(format!("{name} must be at least {least}")) } else { Ok(()) }
        };
        least("--min-size", self.min_size.unwrap_or(2), 2)?;
        least("--min-samples", self.min_samples, 1)?;
        least("--k", self.k, 1)?;
        if !(self.bandwidth > 0.0 && self.bandwidth <= 1.0) {
            return Err("--bandwidth must be above 0 and at most 1".to_owned());
        }
        Ok(ClusterParams {
            method: self.method.into(),
            min_size: self.min_size,
            min_samples: self.min_samples,
            k: self.k,
            bandwidth: self.bandwidth,
            seed,
        })
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ClusterArg {
    /// HDBSCAN of the map: what the eye sees
    HdbscanMap,
    /// HDBSCAN of the vectors: without the errors of a map, slower
    HdbscanVectors,
    /// k-means of the vectors: every row belongs somewhere
    KMeans,
    /// Hills of the map's density: quickest
    Density,
}

impl From<ClusterArg> for ClusterMethod {
    fn from(argument: ClusterArg) -> Self {
        match argument {
            ClusterArg::HdbscanMap => Self::HdbscanMap,
            ClusterArg::HdbscanVectors => Self::HdbscanVectors,
            ClusterArg::KMeans => Self::KMeans,
            ClusterArg::Density => Self::Density,
        }
    }
}

/// The kinds of work that `bench` times.
#[derive(Debug, Subcommand)]
pub enum Suite {
    /// Lay vectors out: neighbours, layout, quality
    #[command(after_help = "Example:\n  embedlens bench project --input vectors.npy --method umap --json")]
    Project(BenchProjectArgs),
    /// Find the neighbours of every row
    #[command(
        after_help = "Example:\n  embedlens bench neighbours --input vectors.npy --k 15 --json",
        alias = "neighbors"
    )]
    Neighbours(BenchNeighboursArgs),
    /// Find principal components and the coordinates along them
    #[command(after_help = "Example:\n  embedlens bench pca --input vectors.npy --components 50 --json")]
    Pca(BenchPcaArgs),
    /// Embed texts or pictures
    #[command(
        after_help = "Example:\n  embedlens bench embed --model minilm --precision int8 --input texts.jsonl --json\n\n\
        Nothing is read from the cache or written to it: everything is embedded anew in every run. Queries of 12 to 20 words, or \
        pictures, are embedded one by one after that. Pictures are decoded before; making them ready for the model counts."
    )]
    Embed(BenchEmbedArgs),
    /// Find clusters
    #[command(after_help = "Example:\n  embedlens bench cluster --input map.npy --method hdbscan-map --json")]
    Cluster(BenchClusterArgs),
}

impl Suite {
    pub fn common(&self) -> &Common {
        match self {
            Self::Project(args) => &args.common,
            Self::Neighbours(args) => &args.common,
            Self::Pca(args) => &args.common,
            Self::Cluster(args) => &args.common,
            Self::Embed(args) => &args.common,
        }
    }
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(subcommand)]
    pub suite: Suite,
}

/// How often a benchmark runs, and what is told beside it.
#[derive(Clone, Debug, Args)]
pub struct Rounds {
    /// Times all of the work is done; the medians are told
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: u32,
    /// Leave out the self-test of the machine's peak, which takes about a second
    #[arg(long)]
    pub no_peak: bool,
}

/// What every benchmark of vectors takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Benchmark options")]
pub struct BenchInput {
    /// File of vectors, or a folder of nothing else
    #[arg(long, short, value_name = "VECTORS")]
    pub input: PathBuf,
    /// Also write the result, as .npy
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub rounds: Rounds,
}

#[derive(Debug, Args)]
pub struct BenchProjectArgs {
    #[command(flatten)]
    pub bench: BenchInput,
    #[command(flatten)]
    pub layout: LayoutArgs,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct BenchNeighboursArgs {
    #[command(flatten)]
    pub bench: BenchInput,
    #[command(flatten)]
    pub search: NeighbourArgs,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct BenchPcaArgs {
    #[command(flatten)]
    pub bench: BenchInput,
    /// Components
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub components: u32,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct BenchEmbedArgs {
    /// Texts: JSON lines with a field "text", or one text a line; or a folder of pictures
    #[arg(long, short, value_name = "FILE|FOLDER")]
    pub input: PathBuf,
    /// Model: an id from `embedlens models`, a folder, or ORG/NAME in the local hub cache; ID@int8 runs it in that precision
    #[arg(long, short, value_name = "ID|DIR", default_value = "all-MiniLM-L6-v2")]
    pub model: String,
    #[command(flatten)]
    pub precision: PrecisionArgs,
    /// Only the first N texts or pictures
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Vectors to compare with, in the order of the inputs: .npy
    #[arg(long, value_name = "FILE")]
    pub reference: Option<PathBuf>,
    /// Write the vectors, in the order of the inputs: .npy
    #[arg(long, value_name = "FILE")]
    pub dump: Option<PathBuf>,
    #[command(flatten)]
    pub rounds: Rounds,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Args)]
pub struct BenchClusterArgs {
    #[command(flatten)]
    pub bench: BenchInput,
    /// Labels to hold the clusters against, one a line, in the order of the rows: the adjusted Rand index is told
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    #[command(flatten)]
    pub cluster: ClusterOptions,
    #[command(flatten)]
    pub common: Common,
}
