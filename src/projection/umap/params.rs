//! Parameters of UMAP.
//!
//! Only names, defaults and ranges. Invariant: what [`UmapParams::sane`] gives back is finite and in range, whatever came in.

/// Where a UMAP begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UmapStart {
    /// At the coordinates given (usually the first principal components), each axis stretched to 0 to 10.
    #[default]
    Given,
    /// At the smoothest functions on the neighbour graph (normalised Laplacian), as umap-learn does; takes longer to prepare.
    Spectral,
    /// At random places.
    Random,
}

/// Parameters of UMAP (`McInnes`, Healy and Melville 2018). Defaults are umap-learn's, but for the start.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct UmapParams {
    /// Neighbours a point listens to, itself counted. Default 15, usual 5 to 100; larger values show the wider structure and lose detail.
    pub n_neighbors: usize,
    /// How near points may lie on the map. Default 0.1, usual 0 to 0.99, less than `spread`; larger values spread groups out.
    pub min_dist: f32,
    /// The scale of the map. Default 1, usual 0.5 to 3; larger values give wider groups.
    pub spread: f32,
    /// Rounds over all edges; `None` is 500 up to 10,000 points and 200 beyond. Usual 100 to 1,000; more settles the map better.
    pub epochs: Option<usize>,
    /// Points that push a point away each time one draws it. Default 5, usual 2 to 20; larger values part groups and take longer.
    pub negative_sample_rate: usize,
    /// Step at the beginning, in units of the map; falls to 0 in a straight line. Default 1, usual 0.1 to 2; larger values are restless.
    pub learning_rate: f32,
    /// Weight of pushing away. Default 1, usual 0.5 to 2; larger values leave more room between points.
    pub repulsion_strength: f32,
    /// Where the map begins.
    pub start: UmapStart,
    /// Seed of what is random: which points push, and jitter at the start.
    pub seed: u64,
    /// Weight of labels against neighbours where labels are given. Default 0.5, from 0 (hardly any) to 1 (labels decide).
    pub target_weight: f32,
}

impl Default for UmapParams {
    fn default() -> Self {
        Self {
            n_neighbors: 15,
            min_dist: 0.1,
            spread: 1.0,
            epochs: None,
            negative_sample_rate: 5,
            learning_rate: 1.0,
            repulsion_strength: 1.0,
            start: UmapStart::Given,
            seed: 42,
            target_weight: 0.5,
        }
    }
}

impl UmapParams {
    /// Neighbours to look for, the point itself not counted.
    pub fn neighbours_needed(&self) -> usize {
        self.n_neighbors.max(2) - 1
    }

    /// Rounds for `n` points.
    pub fn epochs_for(&self, n: usize) -> usize {
        self.epochs.unwrap_or(if n <= 10_000 { 500 } else { 200 })
    }

    /// Brought into range; what is not a number becomes the default.
    pub(super) fn sane(&self) -> Self {
        let kept = |value: f32, low: f32, high: f32, otherwise: f32| {
            if value.is_finite() { value.clamp(low, high) } else { otherwise }
        };
        let spread = kept(self.spread, 0.01, 100.0, 1.0);
        Self {
            n_neighbors: self.n_neighbors.max(2),
            spread,
            min_dist: kept(self.min_dist, 0.0, spread, 0.1f32.min(spread)),
            negative_sample_rate: self.negative_sample_rate.min(100),
            learning_rate: kept(self.learning_rate, 0.0, 100.0, 1.0),
            repulsion_strength: kept(self.repulsion_strength, 0.0, 100.0, 1.0),
            target_weight: kept(self.target_weight, 0.0, 1.0, 0.5),
            ..*self
        }
    }
}
