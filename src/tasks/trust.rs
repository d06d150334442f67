//! Where a map keeps neighbours and where it does not, point by point, measured in the original space.
//!
//! Uses the set's shared graph. A map of some rows can only keep those: its true neighbours are the nearest among them. Invariant:
//! answers follow the order of the map's rows.

use super::neighbours::{metric_of, nearest_among};
use super::{Environment, TaskError, shared_graph};
use crate::progress::Progress;
use crate::projection::{MapNeighbours, PlaneTree};
use crate::vectors::RowId;
use crate::workspace::{EmbeddingSet, MapPoints, Positions, RowShares, SharedGraph};

/// Neighbours looked at.
const NEIGHBOURS: usize = 10;

/// The share of each point's 10 nearest neighbours in the original space that are among its 10 nearest on the map, for every point.
///
/// # Errors
/// Cancelled.
pub fn map_trust(
    set: &EmbeddingSet,
    map: &MapPoints,
    env: &Environment,
    progress: &Progress,
) -> Result<RowShares, TaskError> {
    env.run(|| {
        let wanted = (metric_of(set), NEIGHBOURS);
        let graph = if map.rows == set.rows {
            shared_graph(&set.graph, &set.vectors, wanted, env, progress)?
        } else {
            let part = set.vectors.select(map.rows.iter().filter_map(|&row| set.position_of(row)));
            shared_graph(&SharedGraph::default(), &part, wanted, env, progress)?
        };
        let fared = match &map.at {
            Positions::Plane(points) => {
                MapNeighbours::new_with(points, progress)?.of_all(&graph, NEIGHBOURS, progress)?
            }
            Positions::Space(points) => {
                MapNeighbours::new_with(points, progress)?.of_all(&graph, NEIGHBOURS, progress)?
            }
        };
        let shares = fared.iter().map(|point| point.kept).collect();
        Ok(RowShares { rows: map.rows.clone(), shares })
    })
}

/// The true neighbours of a row that the map tore away, and the false ones that it pulled in: of the `k` nearest in the original space those
/// that are not among the `k` nearest on the map, and the other way round.
pub fn torn(set: &EmbeddingSet, map: &MapPoints, row: RowId, k: usize) -> (Vec<RowId>, Vec<RowId>) {
    let Some(position) = map.position_of(row) else { return Default::default() };
    let near = match &map.at {
        Positions::Plane(points) => PlaneTree::new(points).nearest(position, k),
        Positions::Space(points) => PlaneTree::new(points).nearest(position, k),
    };
    let on_map: Vec<RowId> = near.into_iter().map(|other| map.rows[other as usize]).collect();
    let there = |other: RowId| map.position_of(other).is_some();
    let whole = map.rows == set.rows;
    let real = nearest_among(set, row, k, if whole { None } else { Some(&there) });
    let real: Vec<RowId> = real.into_iter().map(|(other, _)| other).collect();
    let torn = real.iter().copied().filter(|other| !on_map.contains(other)).collect();
    let pulled = on_map.iter().copied().filter(|other| !real.contains(other)).collect();
    (torn, pulled)
}
