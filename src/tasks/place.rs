//! New points on a map that is done: each where its nearest rows are, and no old point moves.
//!
//! PCA places by its axes, t-SNE, UMAP and `PaCMAP` by the neighbours among the old rows. Invariant: the old points keep their places to the bit,
//! and where a new one lies depends on the map and on its own vector (UMAP: and on which others are placed with it).

use std::sync::Arc;
use std::time::Instant;

use super::project::{COMPONENTS, measure, metric_of_map, space_of};
use super::{Environment, TaskError, shared_graph};
use crate::progress::Progress;
use crate::projection::{
    self, Method, Pca, PlaceError, PlaceParams, ProjectionError, Umap, UmapSnapshot, pacmap_place,
};
use crate::search::NeighbourGraph;
use crate::vectors::{RowId, Vectors};
use crate::workspace::{EmbeddingSet, Projection, SetIdentity, SharedGraph};

/// New vectors whose nearest are found between two looks at whether to go on.
const BATCH: usize = 1024;

/// A map and what is to be placed on it.
#[derive(Clone, Debug)]
pub struct PlaceRequest {
    /// The vectors on the map.
    pub vectors: Vectors,
    /// Their neighbour graphs.
    pub graph: SharedGraph,
    /// The map, of all of them.
    pub projection: Arc<Projection>,
    /// The vectors to be placed.
    pub new: Vectors,
}

/// Where new vectors lie.
#[derive(Clone, Debug)]
pub struct Placed {
    /// A position each; on a map of three dimensions the first two axes.
    pub points: Arc<[[f32; 2]]>,
    /// The same in three dimensions, where the map has three.
    pub space: Option<Arc<[[f32; 3]]>>,
    /// Seconds it took.
    pub seconds: f64,
}

/// Places vectors on a map.
///
/// # Errors
/// Cancelled; vectors of another dimension.
pub fn place(request: &PlaceRequest, env: &Environment, progress: &Progress) -> Result<Placed, TaskError> {
    env.run(|| placed(request, env, progress))
}

fn placed(request: &PlaceRequest, env: &Environment, progress: &Progress) -> Result<Placed, TaskError> {
    let PlaceRequest { vectors, projection, new, .. } = request;
    let started = Instant::now();
    if new.dim() != vectors.dim() {
        return Err(ProjectionError::Dimension { expected: vectors.dim(), found: new.dim() }.into());
    }
    if projection.points.len() != vectors.len() {
        return Err(ProjectionError::LengthsDiffer { graph: vectors.len(), start: projection.points.len() }.into());
    }
    progress.stage("Placing new points", "items", 0);
    let params = &projection.params;
    let (points, space) = match params.method {
        Method::Pca => {
            let pca = Pca::fit_with(vectors, COMPONENTS.min(vectors.dim()), progress)?;
            let space = params.dimensions == 3;
            (pca.plane(new)?, space.then(|| space_of(&pca, new)).transpose()?)
        }
        Method::Tsne => {
            let how = PlaceParams::default();
            let near = nearest_old(request, how.neighbours.max((3.0 * how.perplexity) as usize), progress)?;
            let points = projection::place(&projection.points, &near, &how, progress);
            (points.map_err(told)?, None)
        }
        Method::Umap => match &projection.space {
            Some(space) => {
                let space = by_umap::<3>(request, space, (env, progress))?;
                (space.iter().map(|&[x, y, _]| [x, y]).collect(), Some(space))
            }
            None => (by_umap::<2>(request, &projection.points, (env, progress))?, None),
        },
        Method::Pacmap => {
            let near = params.pacmap.neighbours_for(vectors.len());
            let found = nearest_old(request, near, progress)?;
            match &projection.space {
                Some(space) => {
                    let space = pacmap_place(space, &found, near, progress)?;
                    (space.iter().map(|&[x, y, _]| [x, y]).collect(), Some(space))
                }
                None => (pacmap_place(&projection.points, &found, near, progress)?, None),
            }
        }
    };
    Ok(Placed { points: points.into(), space: space.map(Into::into), seconds: started.elapsed().as_secs_f64() })
}

fn told(error: PlaceError) -> TaskError {
    match error {
        PlaceError::Projection(error) => error.into(),
        PlaceError::Cancelled(cancelled) => cancelled.into(),
    }
}

/// The UMAP as it was at its end, and from there its `transform`.
fn by_umap<const D: usize>(
    request: &PlaceRequest,
    points: &[[f32; D]],
    (env, progress): (&Environment, &Progress),
) -> Result<Vec<[f32; D]>, TaskError> {
    let params = request.projection.params.umap;
    let metric = metric_of_map(&request.projection.params, &request.vectors);
    let (rows, needed) = (request.vectors.len(), params.neighbours_needed());
    let graph = shared_graph(&request.graph, &request.vectors, (metric, needed), env, progress)?;
    let snapshot = UmapSnapshot {
        params,
        epoch: params.epochs_for(rows),
        coordinates: points.iter().flatten().copied().collect(),
    };
    let umap = Umap::<D>::resumed(&graph, &snapshot, None, progress)?;
    progress.check()?;
    Ok(umap.transform(&nearest_old(request, params.n_neighbors, progress)?)?)
}

/// The `k` rows on the map nearest to each new vector, by the metric of the map.
fn nearest_old(request: &PlaceRequest, k: usize, progress: &Progress) -> Result<NeighbourGraph, TaskError> {
    let PlaceRequest { vectors, projection, new, .. } = request;
    let metric = metric_of_map(&projection.params, vectors);
    let k = k.min(vectors.len());
    let index = request.graph.index(vectors, metric);
    progress.check()?;
    progress.stage("Finding the nearest of the map", "items", new.len() as u64);
    let (mut indices, mut scores) = (Vec::with_capacity(new.len() * k), Vec::with_capacity(new.len() * k));
    for rows in new.values().chunks(BATCH * new.dim()) {
        progress.check()?;
        let batch = Vectors::new(rows, new.dim())?;
        for hits in index.top_k_batch(&batch, k, None) {
            // A broken vector has no neighbours; it is put where nothing draws it.
            let missing = k - hits.len();
            indices.extend(hits.iter().map(|hit| hit.position));
            scores.extend(hits.iter().map(|hit| hit.score));
            indices.resize(indices.len() + missing, 0);
            scores.resize(scores.len() + missing, f32::NEG_INFINITY);
        }
        progress.advance(batch.len() as u64);
    }
    progress.check()?;
    Ok(NeighbourGraph::new(k, metric, indices, scores))
}

/// A set that has grown, and the map of what it was.
#[derive(Clone, Debug)]
pub struct PlaceNewRequest {
    /// What it was.
    pub before: Arc<EmbeddingSet>,
    /// The map of that.
    pub map: Arc<Projection>,
    /// What it is now.
    pub set: Arc<EmbeddingSet>,
}

/// The map of before with the new rows of a set placed on it.
///
/// # Errors
/// Cancelled; a row of before is no longer there.
pub fn place_new(request: &PlaceNewRequest, env: &Environment, progress: &Progress) -> Result<Projection, TaskError> {
    let PlaceNewRequest { before, map, set } = request;
    env.run(|| {
        let started = Instant::now();
        progress.stage("Looking for the rows of before", "steps", 0);
        let (old, now): (&SetIdentity, _) = (before.graph.identity(&before.vectors), set.graph.identity(&set.vectors));
        let places = now.places_of(&old.rows).ok_or(TaskError::RowsGone)?;
        let mut known = vec![None; set.rows.len()];
        (0u32..).zip(&places).for_each(|(row, &place)| known[place as usize] = Some(row as usize));
        let fresh: Vec<usize> = (0..known.len()).filter(|&place| known[place].is_none()).collect();
        let found = placed(
            &PlaceRequest {
                vectors: before.vectors.clone(),
                graph: before.graph.clone(),
                projection: map.clone(),
                new: set.vectors.select(fresh.iter().copied()),
            },
            env,
            progress,
        )?;
        let points: Vec<[f32; 2]> = joined(&known, &map.points, &found.points);
        let space = map.space.as_ref().zip(found.space.as_ref()).map(|(old, new)| joined(&known, old, new));
        let placing = started.elapsed().as_secs_f64();
        let started = Instant::now();
        let measured = match &space {
            Some(space) => measure((&set.vectors, &map.params), space, progress)?,
            None => measure((&set.vectors, &map.params), &points, progress)?,
        };
        Ok(Projection {
            space: space.map(Into::into),
            quality: measured.map(|(quality, _)| quality),
            distances: measured.map(|(_, distances)| distances),
            explained_variance: map.explained_variance.clone(),
            seconds: [0.0, placing, started.elapsed().as_secs_f64()],
            notes: [format!("{} new rows placed on the map of before", fresh.len())].into(),
            ..Projection::new(map.params, set.rows.clone(), points.into())
        })
    })
}

/// Old places where rows are known, the new ones in between.
fn joined<const D: usize>(known: &[Option<usize>], old: &[[f32; D]], new: &[[f32; D]]) -> Vec<[f32; D]> {
    let mut new = new.iter();
    known.iter().map(|row| row.map_or_else(|| new.next().copied().unwrap_or([0.0; D]), |row| old[row])).collect()
}

/// Where a query would lie on the map of a set: among its nearest rows; in the plane the third axis is 0. `None` for a vector of another
/// dimension, and for maps of some rows alone, or that came with a file.
///
/// # Errors
/// Cancelled.
pub fn place_query(
    set: &EmbeddingSet,
    map: &Arc<Projection>,
    query: &[f32],
    env: &Environment,
    progress: &Progress,
) -> Result<Option<[f32; 3]>, TaskError> {
    if query.len() != set.vectors.dim() || map.points.len() != set.vectors.len() {
        return Ok(None);
    }
    let request = PlaceRequest {
        vectors: set.vectors.clone(),
        graph: set.graph.clone(),
        projection: map.clone(),
        new: Vectors::new(query.to_vec(), query.len())?,
    };
    let found = place(&request, env, progress)?;
    let flat = || found.points.first().map(|&[x, y]| [x, y, 0.0]);
    let at = found.space.as_ref().map_or_else(flat, |space| space.first().copied());
    Ok(at.filter(|point| point.iter().all(|value| value.is_finite())))
}

/// The rows of a source without a corpus, by number.
pub fn numbered(rows: usize) -> Arc<[RowId]> {
    (0..rows as u32).map(RowId).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::{LiveSlot, ProjectRequest, project};
    use crate::workspace::ProjectionParams;

    /// Three clouds on the corners of a simplex; row `n` is of cloud `n % 3`.
    fn clouds(rows: std::ops::Range<u32>) -> Vectors {
        let mut values = Vec::new();
        for n in rows {
            let mut row = [0.05, 0.05, 0.05, (n as f32 * 0.7).sin() * 0.1, (n as f32 * 1.3).cos() * 0.1];
            row[n as usize % 3] = 1.0;
            values.extend(row);
        }
        Vectors::new(values, 5).unwrap()
    }

    #[test]
    fn new_points_lie_in_their_cloud_and_old_ones_stay() {
        let env = Environment::default();
        let in_space = [Method::Umap, Method::Pacmap].map(|method| (method, 3));
        let flat = [Method::Pca, Method::Tsne, Method::Umap, Method::Pacmap].map(|method| (method, 2));
        for (method, dimensions) in flat.into_iter().chain(in_space) {
            let params = ProjectionParams { dimensions, ..ProjectionParams::new(method) };
            let old = clouds(0..150);
            let request = ProjectRequest::new(old.clone(), numbered(150), params);
            let map = project(&request, &LiveSlot::default(), &env, &Progress::new()).unwrap();
            let request = PlaceRequest {
                vectors: old,
                graph: request.graph.clone(),
                projection: Arc::new(map),
                new: clouds(150..165),
            };
            let found = place(&request, &env, &Progress::new()).unwrap();
            let space = |points: &[[f32; 2]], space: &Option<Arc<[[f32; 3]]>>| -> Vec<[f32; 3]> {
                let flat = || points.iter().map(|&[x, y]| [x, y, 0.0]).collect();
                space.as_ref().map_or_else(flat, |space| space.to_vec())
            };
            let (old, new) =
                (space(&request.projection.points, &request.projection.space), space(&found.points, &found.space));
            for (row, point) in new.iter().enumerate() {
                let apart = |other: &[f32; 3]| (0..3).map(|axis| (other[axis] - point[axis]).powi(2)).sum::<f32>();
                let nearest = (0..150).min_by(|&a, &b| apart(&old[a]).total_cmp(&apart(&old[b]))).unwrap();
                assert_eq!(nearest % 3, row % 3, "{method:?} in {dimensions}: row {row} lies by {nearest}");
            }
        }
    }

    #[test]
    fn other_dimensions_are_refused() {
        let old = clouds(0..30);
        let map = Projection::new(ProjectionParams::new(Method::Tsne), numbered(30), vec![[0.0; 2]; 30].into());
        let new = Vectors::new(vec![1.0; 8], 4).unwrap();
        let request = PlaceRequest { vectors: old, graph: SharedGraph::default(), projection: Arc::new(map), new };
        let error = place(&request, &Environment::default(), &Progress::new()).unwrap_err();
        assert!(error.to_string().contains("5 dimensions"), "{error}");
    }
}
