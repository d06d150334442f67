//! Groups of rows found in an embedding set or on its map, with names.

use std::sync::{Arc, OnceLock};

use super::Positions;
use crate::analysis::clusters::{Exemplars, Likeliest};
use crate::vectors::{RowId, Vectors};

/// Up to so many rows clusters of the vectors are found unasked.
const QUICK_VECTORS: usize = 20_000;
/// Up to so many rows clusters of the map are found unasked.
const QUICK_MAP: usize = 300_000;

/// Where clusters are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterMethod {
    /// HDBSCAN of the shown map (Campello, Moulavi and Sander 2013): finds what the eye sees, and inherits the map's errors.
    #[default]
    HdbscanMap,
    /// HDBSCAN of the vectors, on the shared neighbour graph.
    HdbscanVectors,
    /// k-means of the vectors: every row belongs somewhere, clusters are round.
    KMeans,
    /// Hills of the map's density: in a blink, follows the map as it moves.
    Density,
}

impl ClusterMethod {
    /// All of them, as listed to the user.
    pub const ALL: [Self; 4] = [Self::HdbscanMap, Self::HdbscanVectors, Self::KMeans, Self::Density];

    /// The name shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::HdbscanMap => "HDBSCAN of the map",
            Self::HdbscanVectors => "HDBSCAN of the vectors",
            Self::KMeans => "k-means of the vectors",
            Self::Density => "Density of the map",
        }
    }

    /// Whether it looks at positions on the map rather than at vectors.
    pub fn on_map(self) -> bool {
        matches!(self, Self::HdbscanMap | Self::Density)
    }

    /// Whether so many rows take so little that it may be done unasked.
    pub fn is_quick(self, rows: usize) -> bool {
        rows <= if self.on_map() { QUICK_MAP } else { QUICK_VECTORS }
    }
}

/// How clusters are found.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ClusterParams {
    /// Where they are looked for, and how.
    pub method: ClusterMethod,
    /// Fewest rows of a cluster (HDBSCAN); `None` is a hundredth of the rows, 5 to 100. Larger values give fewer, larger clusters.
    pub min_size: Option<usize>,
    /// Neighbours that make a place dense (HDBSCAN), usual 2 to 20; larger values leave more rows as noise. Default 5.
    pub min_samples: usize,
    /// How many clusters k-means makes. Default 8.
    pub k: usize,
    /// How far density is smoothed, in shares of the map's extent. Default 0.02, usual 0.005 to 0.08; larger values give fewer clusters; of few
    /// rows more is taken, see [`ClusterParams::blur`].
    pub bandwidth: f32,
    /// Seed of k-means' first centres.
    pub seed: u64,
}

impl Default for ClusterParams {
    fn default() -> Self {
        Self { method: ClusterMethod::default(), min_size: None, min_samples: 5, k: 8, bandwidth: 0.02, seed: 42 }
    }
}

impl ClusterParams {
    /// How far density is smoothed among so many rows of a map of `dimensions`, in shares of its extent: at least 0.6 of the usual gap
    /// between as many points spread evenly (but no more than 0.08), as each would be a hill of its own else.
    pub fn blur(&self, rows: usize, dimensions: usize) -> f32 {
        let gap = (rows.max(1) as f32).powf(-1.0 / dimensions.max(1) as f32);
        self.bandwidth.max((0.6 * gap).min(0.08))
    }

    /// The fewest rows of a cluster among so many rows.
    pub fn fewest(&self, rows: usize) -> usize {
        self.min_size.unwrap_or_else(|| (rows / 100).clamp(5, 100)).max(2)
    }
}

/// Clusters at one level of detail.
#[derive(Clone, Debug, Default)]
pub struct ClusterLevel {
    /// Cluster of each row, −1 for noise.
    pub labels: Arc<[i32]>,
    /// A name a cluster, all different.
    pub names: Arc<[String]>,
    /// Rows of each cluster.
    pub sizes: Arc<[usize]>,
}

/// Where the rows lie that clusters are looked for among.
#[derive(Clone, Debug)]
pub enum ClusterSpace {
    /// In the original space.
    Vectors(Vectors),
    /// On a map.
    Map(Positions),
}

impl ClusterSpace {
    /// The values of a row.
    pub fn row(&self, at: usize) -> &[f32] {
        match self {
            Self::Vectors(vectors) => vectors.row(at),
            Self::Map(points) => points.row(at),
        }
    }
}

/// Clusters of an embedding set's rows.
#[derive(Clone, Debug)]
pub struct Clustering {
    /// How they were found.
    pub params: ClusterParams,
    /// The corpus rows, in the order of labels.
    pub rows: Arc<[RowId]>,
    /// The clusters as asked for.
    pub fine: ClusterLevel,
    /// Fewer and larger ones, for a map seen from afar; the same where there are few.
    pub coarse: ClusterLevel,
    /// How surely each row belongs to its cluster, 0 to 1.
    pub membership: Arc<[f32]>,
    /// Where the rows lie that clusters were looked for among.
    pub space: ClusterSpace,
    /// What stands for each cluster; found at the first question.
    pub exemplars: OnceLock<Exemplars>,
    /// Seconds it took.
    pub seconds: f64,
}

impl Clustering {
    /// Position of a corpus row among the labels.
    pub fn position_of(&self, row: RowId) -> Option<usize> {
        if self.rows.get(row.index()) == Some(&row) {
            return Some(row.index());
        }
        self.rows.binary_search(&row).ok()
    }

    /// Finds what stands for each cluster, so that the first question is answered in no time.
    pub fn prepare(&self) -> &Exemplars {
        let row = |at: usize| self.space.row(at);
        self.exemplars.get_or_init(|| Exemplars::surest(&row, &self.fine.labels, &self.membership))
    }

    /// The likeliest clusters of the row at a position, by the distance to what stands for each.
    pub fn likeliest(&self, position: usize) -> Likeliest {
        self.prepare().likeliest(self.space.row(position))
    }

    /// What there is to tell of a row: "lentil soup 72 % · bread oven 20 %", or that it is in none and what is nearest; `None` for rows that
    /// were not looked at.
    pub fn told(&self, row: RowId) -> Option<String> {
        let at = self.position_of(row)?;
        let likely = self.likeliest(at).into_iter();
        // The likeliest is told however small its share among many.
        let likely = likely.enumerate().filter(|&(place, (_, share))| place == 0 || share >= 0.005);
        let likely = likely.filter_map(|(_, (cluster, share))| {
            let name = self.fine.names.get(usize::try_from(cluster).ok()?)?;
            Some(format!("{name} {:.0} %", share * 100.0))
        });
        let likely = likely.collect::<Vec<_>>().join(" · ");
        Some(match (self.fine.labels[at] < 0, likely.is_empty()) {
            (false, _) => likely,
            (true, true) => "none".to_owned(),
            (true, false) => format!("none; the nearest are {likely}"),
        })
    }

    /// Number of clusters.
    pub fn len(&self) -> usize {
        self.fine.sizes.len()
    }

    /// Whether none was found.
    pub fn is_empty(&self) -> bool {
        self.fine.sizes.is_empty()
    }

    /// Whether they are of positions on a map, and go with it.
    pub fn is_of_map(&self) -> bool {
        self.params.method.on_map()
    }

    /// Share of rows in no cluster, 0 to 1.
    pub fn noise(&self) -> f32 {
        let noise = self.fine.labels.iter().filter(|&&label| label < 0).count();
        noise as f32 / self.fine.labels.len().max(1) as f32
    }
}
