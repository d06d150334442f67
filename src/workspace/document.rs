//! The artefacts and who made them.

use std::sync::Arc;

use super::SharedGraph;
use crate::models::{ModelCard, Similarity};
use crate::projection::{
    DistanceCorrelation, FEWEST_JUDGED, FittedReduction, Method, PacmapParams, Quality, TsneParams, UmapParams,
};
use crate::search::NeighbourGraph;
use crate::vectors::{Metric, RowId, Vectors};

/// Id of an embedding set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmbeddingSetId(pub u32);

/// Id of a projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectionId(pub u32);

/// The vectors of one corpus revision under one model.
#[derive(Clone, Debug)]
pub struct EmbeddingSet {
    /// Revision of the corpus its rows belong to.
    pub revision: [u8; 32],
    /// The model.
    pub card: ModelCard,
    /// The model's fingerprint.
    pub fingerprint: String,
    /// The corpus rows it holds, ascending: the rows whose modality the model reads and whose embedding succeeded.
    pub rows: Arc<[RowId]>,
    /// One vector a row, in the order of `rows`.
    pub vectors: Vectors,
    /// What was done to the model's vectors, one after the other, to make them shorter; empty for most sets. A question goes the same way.
    pub reductions: Arc<[FittedReduction]>,
    /// Its neighbour graphs, made when first asked for and shared by all that need neighbours.
    pub graph: SharedGraph,
    /// Tokens the model saw of each row; zeros for pictures.
    pub tokens: Arc<[u32]>,
    /// Tokens of each row it did not see.
    pub cut: Arc<[u32]>,
    /// Likeliest classes of each picture ("tabby 0.61, lynx 0.12"); empty for texts.
    pub notes: Arc<[String]>,
    /// Rows that could not be embedded, and why.
    pub failed: Arc<[(RowId, String)]>,
    /// Rows that came from the cache.
    pub cached: usize,
    /// Rows made of what another model on the same network had seen: in no time, and not counted as embedded.
    pub shared: usize,
    /// Inputs that were really embedded: equal rows count once.
    pub embedded: usize,
    /// Seconds spent embedding them.
    pub seconds: f64,
    /// Tokens embedded in those seconds.
    pub tokens_embedded: u64,
    /// Megabytes (1,000,000 bytes) this program grew by when the model was opened; what it shares with a model opened before it is
    /// not counted. `None` where the system does not tell.
    pub model_memory_mb: Option<f64>,
}

/// How fast a model was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Inputs a second.
    pub per_second: f64,
    /// Inputs it was measured on.
    pub inputs: usize,
}

impl EmbeddingSet {
    /// Position of a corpus row in this set.
    pub fn position_of(&self, row: RowId) -> Option<usize> {
        // Rows ascend and start at 0 in the common case, so the row is often its own position.
        if self.rows.get(row.index()) == Some(&row) {
            return Some(row.index());
        }
        self.rows.binary_search(&row).ok()
    }

    /// What its model's makers compare its vectors by; the cosine where they are of length 1, and for the sum of absolute differences,
    /// which is not searched by.
    pub fn metric(&self) -> Metric {
        match self.card.similarity {
            Similarity::Dot if !self.card.normalized => Metric::Dot,
            Similarity::Euclidean if !self.card.normalized => Metric::Euclidean,
            _ => Metric::Cosine,
        }
    }

    /// What its maps count as near where the lengths of its vectors would say otherwise: the cosine, of a model whose vectors are compared
    /// by it without being of length 1.
    pub fn map_metric(&self) -> Option<Metric> {
        let by_angle = self.metric() == Metric::Cosine && !self.card.normalized && !self.card.is_of_file();
        by_angle.then_some(Metric::Cosine)
    }

    /// Bytes its vectors take in memory.
    pub fn bytes(&self) -> u64 {
        size_of_val(self.vectors.values()) as u64
    }

    /// Inputs embedded a second, neither cached rows nor repetitions counted; `None` when nothing was embedded.
    pub fn rows_per_second(&self) -> Option<f64> {
        self.speed().map(|speed| speed.per_second)
    }

    /// The same with the number of inputs it was measured on.
    pub fn speed(&self) -> Option<Speed> {
        let measured = self.embedded > 0 && self.seconds > 0.0;
        measured.then(|| Speed { per_second: self.embedded as f64 / self.seconds, inputs: self.embedded })
    }
}

/// What a projection was made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProjectionParams {
    /// The method.
    pub method: Method,
    /// 2 or 3: with 3, UMAP, `PaCMAP` and PCA find three axes, and the map is a picture of space seen from one side. Default 2.
    pub dimensions: usize,
    /// What counts as near; `None` takes the cosine of vectors of length 1 and the distance of others.
    pub metric: Option<Metric>,
    /// t-SNE's own parameters; unused by others.
    pub tsne: TsneParams,
    /// UMAP's own parameters; unused by others.
    pub umap: UmapParams,
    /// `PaCMAP`'s own parameters; unused by others.
    pub pacmap: PacmapParams,
}

impl ProjectionParams {
    /// A method with its usual parameters.
    pub fn new(method: Method) -> Self {
        Self {
            method,
            dimensions: 2,
            metric: None,
            tsne: TsneParams::default(),
            umap: UmapParams::default(),
            pacmap: PacmapParams::default(),
        }
    }
}

/// A map as it was at one moment of its optimisation.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Iterations (t-SNE, `PaCMAP`) or epochs (UMAP) done.
    pub iteration: u32,
    /// A position a row.
    pub points: Arc<[[f32; 2]]>,
}

/// What is known of the neighbours a layout was made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GraphFacts {
    /// Neighbours a row that the graph holds; a layout may use fewer.
    pub k: usize,
    /// Whether no row can have a neighbour closer than those listed.
    pub exact: bool,
    /// Share of the true neighbours that are listed, 0 to 1, measured on a sample of rows; `None` where it was not measured.
    pub recall: Option<f32>,
}

impl GraphFacts {
    /// Of a graph.
    pub fn of(graph: &NeighbourGraph) -> Self {
        Self { k: graph.k, exact: graph.exact, recall: graph.recall }
    }

    /// "exact", or "93.5 % of the true neighbours found".
    pub fn words(&self) -> String {
        match (self.exact, self.recall) {
            (true, _) => "exact".to_owned(),
            (false, Some(recall)) => format!("{:.1} % of the true neighbours found", recall * 100.0),
            (false, None) => "approximate".to_owned(),
        }
    }
}

/// Positions of an embedding set, or of some of its rows, in the plane.
#[derive(Clone, Debug)]
pub struct Projection {
    /// How it was made.
    pub params: ProjectionParams,
    /// The corpus rows, as in the embedding set, or those of them that were laid out.
    pub rows: Arc<[RowId]>,
    /// A position a row.
    pub points: Arc<[[f32; 2]]>,
    /// The same in three dimensions, where the method was asked for three: `points` are its first two axes.
    pub space: Option<Arc<[[f32; 3]]>>,
    /// The map from its start on, at evenly spaced moments; empty for PCA and where it was not kept.
    pub history: Arc<[Moment]>,
    /// Share of the variance along each principal component; PCA only (others keep that of their start).
    pub explained_variance: Arc<[f32]>,
    /// (iteration, KL divergence) as it ran; t-SNE only.
    pub kl: Arc<[(u32, f32)]>,
    /// The neighbours it was made of; `None` for PCA, which needs none, and for positions from elsewhere.
    pub graph: Option<GraphFacts>,
    /// Whether all vectors were equal: the map shows nothing then, and is not measured.
    pub all_equal: bool,
    /// How far it may be trusted; `None` until measured, and for maps of too few points to judge.
    pub quality: Option<Quality>,
    /// How far its distances follow those of the original space; `None` until measured.
    pub distances: Option<DistanceCorrelation>,
    /// Seconds for the neighbours, the layout, and the quality.
    pub seconds: [f64; 3],
    /// Of the layout's seconds, those for the principal components it starts from, and those to weigh the neighbours.
    pub preparing: [f64; 2],
    /// What there is to tell of how it was made: neighbours from the cache, a layout that was continued. Whole phrases without a full stop.
    pub notes: Arc<[String]>,
}

impl Projection {
    /// Positions alone: nothing known of how they came to be.
    pub fn new(params: ProjectionParams, rows: Arc<[RowId]>, points: Arc<[[f32; 2]]>) -> Self {
        Self {
            params,
            rows,
            points,
            space: None,
            history: [].into(),
            explained_variance: [].into(),
            kl: [].into(),
            graph: None,
            all_equal: false,
            quality: None,
            distances: None,
            seconds: [0.0; 3],
            preparing: [0.0; 2],
            notes: [].into(),
        }
    }

    /// Whether it has points enough that figures of what it keeps say something of it.
    pub fn is_judged(&self) -> bool {
        self.points.len() >= FEWEST_JUDGED
    }
}
