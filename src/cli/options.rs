//! Options that several commands share, and what they mean to the tasks.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::belongs::strangers;
use super::overrides::Wish;
use crate::corpus::LoadOptions;
use crate::models::{self, ModelId, Precision};
use crate::projection::{
    Attraction, Method, PacmapParams, Reduction, Repulsion, TsneEngine, TsneParams, UmapParams, UmapStart,
};
use crate::vectors::Metric;
use crate::workspace::ProjectionParams;

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "General options")]
pub struct Common {
    /// Print one JSON document on stdout
    #[arg(long)]
    pub json: bool,
    /// No progress and no messages
    #[arg(long, short)]
    pub quiet: bool,
    /// List every file that was left out
    #[arg(long, short, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Never ask the network
    #[arg(long)]
    pub offline: bool,
    /// Folder of the cache of vectors, neighbours and layouts under way [default: in the user's cache folder]
    #[arg(long, value_name = "DIR", env = "EMBEDLENS_CACHE")]
    pub cache: Option<PathBuf>,
    /// Neither read nor write the cache, whatever cache folder is named
    #[arg(long)]
    pub no_cache: bool,
    /// Use a model otherwise than its own files say: query-prompt=TEXT, passage-prompt=TEXT, pooling=mean|cls|max|weighted-mean|last or
    /// normalize=yes|no; may be given several times
    #[arg(long = "use", value_name = "MODEL:KEY=VALUE", value_parser = super::overrides::wish)]
    pub wishes: Vec<Wish>,
    /// Seed of whatever is random
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub seed: u64,
}

/// Largest passage that may be asked for: far beyond any model's context.
const MOST_CHUNK_TOKENS: i64 = 1_000_000;

/// How files are found and cut.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Loading options")]
pub struct LoadArgs {
    /// Read files and folders whose names begin with a dot
    #[arg(long)]
    pub hidden: bool,
    /// Do not obey .gitignore, .ignore and .embedignore files
    #[arg(long)]
    pub no_ignore: bool,
    /// Do not follow symbolic links
    #[arg(long)]
    pub no_follow: bool,
    /// Largest text file, in megabytes
    #[arg(long, value_name = "MB", default_value_t = LoadOptions::default().max_text_mb)]
    pub max_text_mb: u64,
    /// Largest picture, in megapixels
    #[arg(long, value_name = "MP", default_value_t = LoadOptions::default().max_megapixels)]
    pub max_megapixels: u32,
    /// Tokens a passage
    #[arg(long, value_name = "N", default_value_t = LoadOptions::default().chunk_tokens as u32,
        value_parser = clap::value_parser!(u32).range(1..=MOST_CHUNK_TOKENS))]
    pub chunk_tokens: u32,
    /// Tokens a passage shares with the one before it [default: 30, or less for short passages]
    #[arg(long, value_name = "N")]
    pub overlap_tokens: Option<u32>,
}

impl LoadArgs {
    pub fn options(&self) -> Result<LoadOptions, String> {
        let usual = LoadOptions::default().overlap_tokens as u32;
        let overlap = self.overlap_tokens.unwrap_or_else(|| usual.min(self.chunk_tokens / 4));
        if overlap >= self.chunk_tokens {
            return Err(format!("--overlap-tokens {overlap} must be less than --chunk-tokens {}", self.chunk_tokens));
        }
        Ok(LoadOptions {
            gitignore: !self.no_ignore,
            hidden: self.hidden,
            follow_links: !self.no_follow,
            max_text_mb: self.max_text_mb,
            max_megapixels: self.max_megapixels,
            chunk_tokens: self.chunk_tokens as usize,
            overlap_tokens: overlap as usize,
        })
    }
}

/// Which models.
#[derive(Clone, Debug, Args)]
pub struct ModelArgs {
    /// Model: an id from `embedlens models`, a folder, or ORG/NAME in the local hub cache; ID@int8 runs it in that precision; may be
    /// given several times [default: all-MiniLM-L6-v2 for texts and code, efficientnet-lite0 for pictures]
    #[arg(long = "model", short, value_name = "ID|DIR")]
    pub models: Vec<String>,
    #[command(flatten)]
    pub precision: PrecisionArgs,
}

/// What numbers text models multiply.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct PrecisionArgs {
    /// Precision of text models that have none in their name: f32, bf16 or int8; the less, the quicker
    #[arg(long, value_enum, value_name = "PRECISION")]
    pub precision: Option<PrecisionArg>,
}

impl PrecisionArgs {
    /// A model in the precision asked for: that of its name, where it has one, else this one, where the model has a choice.
    pub fn of(self, name: &str) -> ModelId {
        let (given, id) = (ModelId(name.trim().to_owned()), models::canonical(&ModelId(name.to_owned())));
        let named = given.parts().0.len() < given.0.len();
        match self.precision.filter(|_| !named && has_choice(&id)) {
            Some(precision) => id.at(precision.into()),
            None => id,
        }
    }
}

/// Whether a model that was named without a precision has a choice of them. Models from elsewhere than this program are encoders.
fn has_choice(id: &ModelId) -> bool {
    models::cards().into_iter().find(|card| card.id == *id).is_none_or(|card| card.precision.is_some())
}

impl ModelArgs {
    /// The models in the order given, each once whatever names it was given by.
    pub fn ids(&self) -> Vec<ModelId> {
        let mut known = HashSet::new();
        let ids = self.models.iter().map(|name| self.precision.of(name));
        // Two paths to one folder are one model.
        let place = |id: &ModelId| {
            let (name, precision) = id.parts();
            (fs_err::canonicalize(name).unwrap_or_else(|_| PathBuf::from(name)), precision)
        };
        ids.filter(|id| known.insert(place(id))).collect()
    }

    /// The models that were named, or else the usual ones, in the precision asked for.
    pub fn or(&self, usual: impl FnOnce() -> Vec<ModelId>) -> Vec<ModelId> {
        let named = self.ids();
        if named.is_empty() { usual().iter().map(|id| self.precision.of(&id.0)).collect() } else { named }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionArg {
    /// Floats of 32 bits: the reference
    F32,
    /// Floats of 16 bits (bfloat16), where the processor multiplies them
    Bf16,
    /// Bytes: quickest
    Int8,
}

impl From<PrecisionArg> for Precision {
    fn from(argument: PrecisionArg) -> Self {
        match argument {
            PrecisionArg::F32 => Self::F32,
            PrecisionArg::Bf16 => Self::Bf16,
            PrecisionArg::Int8 => Self::Int8,
        }
    }
}

/// How vectors are laid out.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Layout options")]
pub struct LayoutArgs {
    /// Method [default: pca; the positions that a file of vectors came with are taken as they are]
    #[arg(long, value_enum)]
    pub method: Option<MethodArg>,
    #[command(flatten)]
    pub tuning: Tuning,
}

/// Parameters of the layouts, whichever method is taken.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Layout options")]
pub struct Tuning {
    /// t-SNE: about how many neighbours each point listens to; usual 5 to 100
    #[arg(long, value_name = "X", default_value_t = TsneParams::default().perplexity)]
    pub perplexity: f32,
    /// t-SNE, UMAP and PaCMAP: step size [default: t-SNE by the number of points, UMAP and PaCMAP 1]
    #[arg(long, value_name = "X")]
    pub learning_rate: Option<f32>,
    /// t-SNE and PaCMAP: iterations in all [default: t-SNE 750, PaCMAP 450]
    #[arg(long, value_name = "N")]
    pub iterations: Option<usize>,
    /// t-SNE: accuracy, 0 is exact, larger is faster and coarser
    #[arg(long, value_name = "X", default_value_t = TsneParams::default().theta)]
    pub theta: f32,
    /// t-SNE: draw each point to its N nearest neighbours with the same weight, instead of by perplexity; larger weighs the wider
    /// neighbourhood; usual 10 to 30
    #[arg(long, value_name = "N", conflicts_with = "perplexity", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub uniform: Option<u16>,
    /// t-SNE: how the pushes between all points are computed
    #[arg(long, value_enum, default_value_t = RepulsionArg::Auto)]
    pub repulsion: RepulsionArg,
    /// t-SNE: factor on attraction in the first iterations; larger pulls groups together sooner; usual 4 to 30
    #[arg(long, value_name = "X", default_value_t = TsneParams::default().early_exaggeration)]
    pub early_exaggeration: f32,
    /// t-SNE: how many iterations are exaggerated; larger gives groups longer to form [default: 250, at most a third of all]
    #[arg(long, value_name = "N")]
    pub exaggeration_iterations: Option<usize>,
    /// t-SNE: which program runs it; linfa is a reference for up to 5,000 points
    #[arg(long, value_enum, default_value_t = EngineArg::Embedlens)]
    pub engine: EngineArg,
    /// UMAP: neighbours a point listens to, itself counted; usual 5 to 100. PaCMAP: neighbours a point is drawn to; usual 5 to 50,
    /// 0 chooses by the number of points. Larger shows the wider structure [default: UMAP 15, PaCMAP 10]
    #[arg(long, visible_alias = "neighbours", value_name = "N")]
    pub neighbors: Option<usize>,
    /// UMAP: how near points may lie; usual 0 to 0.99
    #[arg(long, value_name = "X", default_value_t = UmapParams::default().min_dist)]
    pub min_dist: f32,
    /// UMAP: scale of the map; usual 0.5 to 3
    #[arg(long, value_name = "X", default_value_t = UmapParams::default().spread)]
    pub spread: f32,
    /// UMAP: rounds over all edges [default: 500 up to 10,000 points, else 200]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// UMAP: points that push a point away each time one draws it; usual 2 to 20
    #[arg(long, value_name = "N", default_value_t = UmapParams::default().negative_sample_rate)]
    pub negative_rate: usize,
    /// UMAP: weight of pushing away; larger leaves more room between points; usual 0.5 to 2
    #[arg(long, value_name = "X", default_value_t = UmapParams::default().repulsion_strength)]
    pub repulsion_strength: f32,
    /// UMAP: where it begins
    #[arg(long, value_enum, default_value_t = StartArg::Pca)]
    pub start: StartArg,
    /// PaCMAP: pairs halfway near for each neighbour; larger keeps the large shape more firmly; usual 0 to 5
    #[arg(long, value_name = "X", default_value_t = PacmapParams::default().mn_ratio)]
    pub mid_near: f32,
    /// PaCMAP: pairs of points at random, which push each other away, for each neighbour; larger parts groups more and takes longer;
    /// usual 0.5 to 10
    #[arg(long, value_name = "X", default_value_t = PacmapParams::default().fp_ratio)]
    pub further: f32,
    /// UMAP: keep rows of one label together
    #[arg(long)]
    pub by_label: bool,
    /// UMAP: weight of the labels against the neighbours, 0 to 1; larger lets the labels decide more
    #[arg(long, value_name = "X", requires = "by_label", default_value_t = UmapParams::default().target_weight)]
    pub label_weight: f32,
    /// Axes of UMAP, PaCMAP and PCA: 2 or 3; t-SNE has 2
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub dimensions: usize,
    /// What counts as near [default: cosine for vectors of length 1, else Euclidean]
    #[arg(long, value_enum)]
    pub metric: Option<MetricArg>,
}

impl LayoutArgs {
    pub fn method(&self) -> Method {
        match self.method {
            None | Some(MethodArg::Pca) => Method::Pca,
            Some(MethodArg::Tsne) => Method::Tsne,
            Some(MethodArg::Umap) => Method::Umap,
            Some(MethodArg::Pacmap) => Method::Pacmap,
        }
    }

    /// Everything a map is made with.
    pub fn params(&self, seed: u64) -> Result<ProjectionParams, String> {
        self.tuning.params(self.method(), seed)
    }

    /// What to say of options that change nothing for the method.
    pub fn strangers(&self) -> Vec<String> {
        strangers(&self.tuning, self.method())
    }
}

impl Tuning {
    fn params(&self, method: Method, seed: u64) -> Result<ProjectionParams, String> {
        if !(2..=3).contains(&self.dimensions) {
            return Err("--dimensions must be 2 or 3".to_owned());
        }
        if self.dimensions == 3 && method == Method::Tsne {
            return Err("t-SNE makes maps of 2 dimensions; take --method umap, pacmap or pca for 3".to_owned());
        }
        let metric = self.metric.map(|metric| match metric {
            MetricArg::Cosine => Metric::Cosine,
            MetricArg::Euclidean => Metric::Euclidean,
        });
        // What is asked of one method is not held against the others.
        let usual = ProjectionParams { dimensions: self.dimensions, metric, ..ProjectionParams::new(method) };
        let (mut umap, mut pacmap) = (usual.umap, usual.pacmap);
        (umap.seed, pacmap.seed) = (seed, seed);
        Ok(match method {
            Method::Pacmap => ProjectionParams { tsne: self.tsne(seed)?, umap, pacmap: self.pacmap(seed)?, ..usual },
            _ => ProjectionParams { tsne: self.tsne(seed)?, umap: self.umap(seed)?, pacmap, ..usual },
        })
    }

    fn pacmap(&self, seed: u64) -> Result<PacmapParams, String> {
        let usual = PacmapParams::default();
        let n_neighbors = match self.neighbors {
            None => usual.n_neighbors,
            Some(0) => None,
            Some(near) if near <= 150 => Some(near),
            Some(_) => return Err("--neighbors must be at most 150 for PaCMAP, or 0 for automatic".to_owned()),
        };
        if !(0.0..=20.0).contains(&self.mid_near) {
            return Err("--mid-near must be 0 to 20".to_owned());
        }
        if !(0.1..=50.0).contains(&self.further) {
            return Err("--further must be 0.1 to 50: without points that push, all would fall together".to_owned());
        }
        Ok(PacmapParams {
            n_neighbors,
            mn_ratio: self.mid_near,
            fp_ratio: self.further,
            iterations: self.iterations.unwrap_or(usual.iterations),
            learning_rate: self.learning_rate.unwrap_or(usual.learning_rate),
            seed,
        })
    }

    fn umap(&self, seed: u64) -> Result<UmapParams, String> {
        let neighbors = self.neighbors.unwrap_or(UmapParams::default().n_neighbors);
        if !(2..=1000).contains(&neighbors) {
            return Err("--neighbors must be 2 to 1,000".to_owned());
        }
        if self.negative_rate > 1000 {
            return Err("--negative-rate must be at most 1,000".to_owned());
        }
        let spread_is_sound = self.spread.is_finite() && self.spread > 0.0;
        if !spread_is_sound || !(0.0..=self.spread).contains(&self.min_dist) {
            return Err("--min-dist must be 0 to --spread, and --spread above 0".to_owned());
        }
        if !(0.0..=100.0).contains(&self.repulsion_strength) {
            return Err("--repulsion-strength must be 0 to 100".to_owned());
        }
        if !(0.0..=1.0).contains(&self.label_weight) {
            return Err("--label-weight must be 0 to 1".to_owned());
        }
        Ok(UmapParams {
            repulsion_strength: self.repulsion_strength,
            target_weight: self.label_weight,
            n_neighbors: neighbors,
            min_dist: self.min_dist,
            spread: self.spread,
            epochs: self.epochs,
            negative_sample_rate: self.negative_rate,
            learning_rate: self.learning_rate.unwrap_or(UmapParams::default().learning_rate),
            start: match self.start {
                StartArg::Pca => UmapStart::Given,
                StartArg::Spectral => UmapStart::Spectral,
                StartArg::Random => UmapStart::Random,
            },
            seed,
        })
    }

    fn tsne(&self, seed: u64) -> Result<TsneParams, String> {
        let positive = |name: &str, value: f32| {
            if value.is_finite() && value > 0.0 { Ok(()) } else { Err(format!("{name} must be a number above 0")) }
        };
        positive("--perplexity", self.perplexity)?;
        self.learning_rate.map_or(Ok(()), |rate| positive("--learning-rate", rate))?;
        positive("--early-exaggeration", self.early_exaggeration)?;
        if !(0.0..=1.0).contains(&self.theta) {
            return Err("--theta must be 0 to 1".to_owned());
        }
        let usual = TsneParams::default();
        let iterations = self.iterations.unwrap_or(usual.iterations);
        Ok(TsneParams {
            perplexity: self.perplexity,
            learning_rate: self.learning_rate,
            iterations,
            early_exaggeration: self.early_exaggeration,
            exaggeration_iterations: self
                .exaggeration_iterations
                .unwrap_or_else(|| usual.exaggeration_iterations.min(iterations / 3)),
            theta: self.theta,
            repulsion: self.repulsion.into(),
            attraction: self
                .uniform
                .map_or(Attraction::Perplexity, |neighbours| Attraction::Uniform { neighbours: neighbours.into() }),
            seed,
            engine: match self.engine {
                EngineArg::Embedlens => TsneEngine::Embedlens,
                EngineArg::Linfa => TsneEngine::Linfa,
            },
        })
    }
}

/// "pca:50" as a reduction; the seed is the command's.
pub fn reduction(text: &str) -> Result<Reduction, String> {
    let usage = || "give pca:N, truncate:N or random:N, with N dimensions from 1 on".to_owned();
    let (way, k) = text.split_once(':').ok_or_else(usage)?;
    let k: usize = k.trim().parse().ok().filter(|&k| k > 0).ok_or_else(usage)?;
    match way.trim().to_ascii_lowercase().as_str() {
        "pca" => Ok(Reduction::Pca { k }),
        "truncate" => Ok(Reduction::Truncate { k }),
        "random" => Ok(Reduction::Random { k, seed: 0 }),
        _ => Err(usage()),
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MethodArg {
    /// Principal components
    Pca,
    /// t-SNE
    Tsne,
    /// UMAP
    Umap,
    /// PaCMAP
    Pacmap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StartArg {
    /// Principal components
    Pca,
    /// Smoothest functions on the neighbour graph
    Spectral,
    /// Random places
    Random,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RepulsionArg {
    /// All pairs up to 1,000 points, the tree up to a few thousand, the grid above
    Auto,
    /// A tree in which far points are seen as one; --theta is its accuracy
    BarnesHut,
    /// A grid and Fourier transforms: time hardly grows with the points
    Fft,
    /// All pairs: slow above 10,000 points
    Exact,
}

impl From<RepulsionArg> for Repulsion {
    fn from(argument: RepulsionArg) -> Self {
        match argument {
            RepulsionArg::Auto => Self::Automatic,
            RepulsionArg::BarnesHut => Self::BarnesHut,
            RepulsionArg::Fft => Self::Fft,
            RepulsionArg::Exact => Self::Exact,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MetricArg {
    /// Cosine of the angle
    Cosine,
    /// Euclidean distance
    Euclidean,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum EngineArg {
    /// Ours
    Embedlens,
    /// linfa-tsne
    Linfa,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "bundled-models")]
    #[test]
    fn a_precision_is_for_text_models_without_one_of_their_own() {
        let ids = |models: &[&str], precision| {
            let models = models.iter().map(|&name| name.to_owned()).collect();
            let args = ModelArgs { models, precision: PrecisionArgs { precision } };
            args.ids().into_iter().map(|id| id.0).collect::<Vec<_>>()
        };
        let several = ["minilm", "minilm@f32", "static", "lite0", "./folder", "org/name@bf16", "MiniLM@int8"];
        let plain = ["all-MiniLM-L6-v2", "all-MiniLM-L6-v2-static-256", "efficientnet-lite0", "./folder"];
        let ends = |ids: Vec<String>, more: &[&str]| assert_eq!(ids, [&plain[..], more].concat());
        ends(ids(&several, None), &["org/name@bf16", "all-MiniLM-L6-v2@int8"]);
        let int8 = ids(&several, Some(PrecisionArg::Int8));
        let wanted =
            [&["all-MiniLM-L6-v2@int8", plain[0], plain[1], plain[2]][..], &["./folder@int8", "org/name@bf16"]];
        assert_eq!(int8, wanted.concat());
    }
}
