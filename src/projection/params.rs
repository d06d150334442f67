//! Parameters of the projection methods and the scores of a map.

/// How vectors are laid out in the plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Principal components: the two directions along which the vectors differ most. Linear, instant, the same every time.
    Pca,
    /// t-SNE: keeps near neighbours near; distances between far groups mean little.
    Tsne,
    /// UMAP: keeps near neighbours near, quicker and tighter than t-SNE.
    Umap,
    /// `PaCMAP`: keeps both the neighbourhoods and how groups lie to each other, by pairs near, halfway near and far.
    Pacmap,
}

impl Method {
    /// The name shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pca => "PCA",
            Self::Tsne => "t-SNE",
            Self::Umap => "UMAP",
            Self::Pacmap => "PaCMAP",
        }
    }
}

/// Which program runs t-SNE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TsneEngine {
    /// Ours: live, resumable, cancellable.
    #[default]
    Embedlens,
    /// linfa-tsne as a reference, up to 5,000 points; shows nothing until it is done.
    Linfa,
}

/// How t-SNE computes the pushes between all points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Repulsion {
    /// All pairs up to 1,000 points, the tree up to a few thousand, the grid above.
    #[default]
    Automatic,
    /// A tree in which far points are seen as one (van der Maaten 2014); its accuracy is `theta`.
    BarnesHut,
    /// A grid and Fourier transforms (Linderman et al. 2019). Time depends on how wide the map is, hardly on the points.
    Fft,
    /// All pairs: slow above 10,000 points.
    Exact,
}

/// How strongly points are drawn to their neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attraction {
    /// By Gaussian weights of the given perplexity, over three times as many neighbours.
    #[default]
    Perplexity,
    /// By the same weight for each of a number of neighbours: faster, and close to a perplexity of that number (openTSNE's `Uniform`).
    Uniform {
        /// Neighbours of each point. Usual 10 to 30; larger values weigh the wider neighbourhood.
        neighbours: usize,
    },
}

/// Parameters of t-SNE (van der Maaten and Hinton 2008; Barnes-Hut: van der Maaten 2014). Defaults are openTSNE's.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct TsneParams {
    /// About how many neighbours each point listens to. Default 30, usual 5 to 100, less than a third of the points; larger values weigh the wider neighbourhood.
    pub perplexity: f32,
    /// Step size; `None` is `max(200, n / exaggeration)`. Usual 50 to 5,000; too large scatters the map, too small leaves it a ball.
    pub learning_rate: Option<f32>,
    /// Iterations in all, the exaggerated ones included. Default 750, usual 500 to 2,000.
    pub iterations: usize,
    /// Factor on attraction in the first iterations. Default 12, usual 4 to 30; larger values pull clusters together earlier.
    pub early_exaggeration: f32,
    /// How many iterations are exaggerated. Default 250.
    pub exaggeration_iterations: usize,
    /// Accuracy of the Barnes-Hut tree: 0 is exact, default 0.5, usual 0.2 to 0.8; larger values are faster and coarser.
    pub theta: f32,
    /// How the pushes between all points are computed.
    pub repulsion: Repulsion,
    /// How strongly points are drawn to their neighbours.
    pub attraction: Attraction,
    /// Seed of what is random (the jitter of equal points).
    pub seed: u64,
    /// Which program runs it.
    pub engine: TsneEngine,
}

impl Default for TsneParams {
    fn default() -> Self {
        Self {
            perplexity: 30.0,
            learning_rate: None,
            iterations: 750,
            early_exaggeration: 12.0,
            exaggeration_iterations: 250,
            theta: 0.5,
            repulsion: Repulsion::Automatic,
            attraction: Attraction::Perplexity,
            seed: 42,
            engine: TsneEngine::Embedlens,
        }
    }
}

/// How far a map may be trusted, over a sample of points with ranks among all points.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Quality {
    /// Trustworthiness, 0 to 1 (Venna and Kaski 2001): 1 when every neighbour on the map is one in the original space.
    pub trustworthiness: f32,
    /// Continuity, 0 to 1: 1 when every neighbour in the original space is one on the map.
    pub continuity: f32,
    /// Mean share of the 10 nearest neighbours in the original space that are among the 10 nearest on the map.
    pub neighbours_kept: f32,
    /// Points sampled.
    pub sampled: usize,
}
