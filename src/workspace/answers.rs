//! What questions to a workspace give back: ranked lists and agreement of models.

use std::sync::Arc;

use crate::corpus::Modality;
use crate::models::ModelId;
use crate::vectors::RowId;

/// The hits of one model among the rows of one modality, best first.
#[derive(Clone, Debug)]
pub struct AnswerGroup {
    /// The model whose embedding set was searched.
    pub model: ModelId,
    /// Its short name.
    pub model_name: String,
    /// What kind of rows these are. Scores of different groups are not on one scale.
    pub modality: Modality,
    /// Rows and their scores, greatest first.
    pub hits: Arc<[(RowId, f32)]>,
}

/// The answer of all embedding sets to one query.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What was asked, as shown: the text, or the picture's file name.
    pub query: String,
    /// How many rows of the corpus it was asked of; `None` stands for all.
    pub within: Option<usize>,
    /// One list a model and modality.
    pub groups: Vec<AnswerGroup>,
    /// Models that cannot answer this kind of query, and why in one sentence.
    pub unanswered: Vec<(ModelId, String)>,
    /// What is wrong with how it was asked, a sentence each.
    pub remarks: Vec<String>,
    /// The query's own vector in the space of each model that can answer.
    pub vectors: Vec<(ModelId, Arc<[f32]>)>,
    /// Seconds to embed the query with all models.
    pub seconds_embed: f64,
    /// Seconds to search all sets.
    pub seconds_search: f64,
}

/// How far two embedding sets agree on the rows both hold, in the original space.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// First model.
    pub a: ModelId,
    /// Second model.
    pub b: ModelId,
    /// Neighbours compared for each row.
    pub k: usize,
    /// Rows both hold.
    pub rows: Arc<[RowId]>,
    /// Share of the `k` nearest neighbours that both models name, for each of `rows`, 0 to 1.
    pub overlap: Arc<[f32]>,
    /// Mean of `overlap`.
    pub mean_overlap: f32,
    /// What random vectors would share: `k / (rows − 1)`.
    pub random_overlap: f32,
    /// Linear centred kernel alignment, 0 to 1 (Kornblith et al. 2019); 1 when one is a rotation of the other.
    pub cka: f32,
    /// Orthogonal Procrustes disparity, 0 to 1; 0 when one is a rotation of the other.
    pub procrustes: f32,
}
