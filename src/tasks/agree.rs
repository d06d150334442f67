//! How far two models agree on the same rows, in the original space.

use std::sync::Arc;

use super::{Environment, TaskError, shared_graph};
use crate::analysis::{self, AnalysisError};
use crate::models::ModelId;
use crate::progress::Progress;
use crate::vectors::{Metric, RowId, Vectors};
use crate::workspace::{Agreement, EmbeddingSet, SharedGraph};

/// Two embedding sets to compare.
#[derive(Clone, Debug)]
pub struct AgreeRequest {
    /// First set.
    pub a: Arc<EmbeddingSet>,
    /// Second set, of the same corpus revision.
    pub b: Arc<EmbeddingSet>,
    /// Neighbours compared for each row; 10 is usual.
    pub k: usize,
}

/// Compares two sets on the rows both hold.
///
/// # Errors
/// Cancelled; no common rows; one of the sets has no variance.
pub fn agree(request: &AgreeRequest, env: &Environment, progress: &Progress) -> Result<Agreement, TaskError> {
    let (a, b) = (&*request.a, &*request.b);
    let shared: Arc<[RowId]> = if a.rows == b.rows {
        a.rows.clone()
    } else {
        a.rows.iter().copied().filter(|&row| b.position_of(row).is_some()).collect()
    };
    let names = || (a.card.name.clone(), b.card.name.clone());
    check_common(if a.revision == b.revision { shared.len() } else { 0 }, names)?;
    let side = |set: &EmbeddingSet| Side {
        id: set.card.id.clone(),
        name: set.card.name.clone(),
        vectors: on_rows(set, &shared),
        // Among fewer rows, neighbours are others.
        graph: if set.rows == shared { set.graph.clone() } else { SharedGraph::default() },
        metric: set.metric(),
    };
    let agreement = agree_vectors(&side(a), &side(b), request.k, env, progress)?;
    Ok(Agreement { rows: shared, ..agreement })
}

/// Vectors to compare, and what they are called.
pub(super) struct Side {
    pub id: ModelId,
    pub name: String,
    pub vectors: Vectors,
    pub graph: SharedGraph,
    pub metric: Metric,
}

/// Refuses fewer than two rows in common.
fn check_common(rows: usize, names: impl Fn() -> (String, String)) -> Result<(), TaskError> {
    let (a, b) = names();
    match rows {
        0 => Err(TaskError::NothingInCommon { a, b }),
        1 => Err(TaskError::OneInCommon { a, b }),
        _ => Ok(()),
    }
}

/// Compares two sets of vectors of the same things, row by row.
pub(super) fn agree_vectors(
    a: &Side,
    b: &Side,
    k: usize,
    env: &Environment,
    progress: &Progress,
) -> Result<Agreement, TaskError> {
    let failed = |source| TaskError::Analysis { a: a.name.clone(), b: b.name.clone(), source };
    let rows = a.vectors.len();
    if rows != b.vectors.len() {
        return Err(failed(AnalysisError::RowsDiffer { a: rows, b: b.vectors.len() }));
    }
    check_common(rows, || (a.name.clone(), b.name.clone()))?;
    env.run(|| {
        let graph = |side: &Side| {
            let shared = shared_graph(&side.graph, &side.vectors, (side.metric, k), env, progress)?;
            Ok::<_, TaskError>(shared.nearest(k))
        };
        let (graph_a, graph_b) = (graph(a)?, graph(b)?);
        progress.stage("Comparing the models", "steps", 3);
        let overlap = analysis::neighbour_overlap(&graph_a, &graph_b);
        progress.set_done(1);
        progress.check()?;
        let cka = analysis::linear_cka(&a.vectors, &b.vectors).map_err(failed)?;
        progress.set_done(2);
        progress.check()?;
        let procrustes = analysis::procrustes(&a.vectors, &b.vectors).map_err(failed)?;
        progress.set_done(3);
        let mean = overlap.iter().map(|&share| f64::from(share)).sum::<f64>() / overlap.len().max(1) as f64;
        Ok(Agreement {
            a: a.id.clone(),
            b: b.id.clone(),
            k: graph_a.k.min(graph_b.k),
            random_overlap: graph_a.k as f32 / (rows - 1) as f32,
            rows: (0..rows as u32).map(RowId).collect(),
            overlap: overlap.into(),
            mean_overlap: mean as f32,
            cka: cka as f32,
            procrustes: procrustes as f32,
        })
    })
}

fn on_rows(set: &EmbeddingSet, rows: &[RowId]) -> Vectors {
    if *set.rows == *rows {
        return set.vectors.clone();
    }
    set.vectors.select(rows.iter().filter_map(|&row| set.position_of(row)))
}
