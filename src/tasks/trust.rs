//! Where a map keeps neighbours and where it does not, point by point, measured in the original space.
//!
//! Uses the set's shared graph. A map of some rows can only keep those: its true neighbours are the nearest among them. Invariant:
//! answers follow the order of the map's rows.

use super::neighbours::{metric_of, nearest_among};
use super::{Environment, TaskError, shared_graph};
use crate::progress::Progress;
use crate::projection::{MapNeighbours, PlaneTree, differences};
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
        let whole = map.rows == set.rows;
        let vectors = match whole {
            true => set.vectors.clone(),
            false => set.vectors.select(map.rows.iter().filter_map(|&row| set.position_of(row))),
        };
        let shared = if whole { set.graph.clone() } else { SharedGraph::default() };
        let graph = shared_graph(&shared, &vectors, wanted, env, progress)?;
        let same = |a: u32, b: u32| vectors.row(a as usize) == vectors.row(b as usize);
        let fared = match &map.at {
            Positions::Plane(points) => {
                MapNeighbours::new_with(points, progress)?.of_all(&graph, NEIGHBOURS, &same, progress)?
            }
            Positions::Space(points) => {
                MapNeighbours::new_with(points, progress)?.of_all(&graph, NEIGHBOURS, &same, progress)?
            }
        };
        let shares = fared.iter().map(|point| point.kept).collect();
        Ok(RowShares { rows: map.rows.clone(), shares })
    })
}

/// The true neighbours of a row that the map tore away, and the false ones that it pulled in: of the `k` nearest in the original space those
/// that are not among the `k` nearest on the map, and the other way round. Rows that are equal stand for one another.
pub fn torn(set: &EmbeddingSet, map: &MapPoints, row: RowId, k: usize) -> (Vec<RowId>, Vec<RowId>) {
    let Some(position) = map.position_of(row) else { return Default::default() };
    let near = match &map.at {
        Positions::Plane(points) => PlaneTree::new(points).nearest(position, k),
        Positions::Space(points) => PlaneTree::new(points).nearest(position, k),
    };
    let there = |other: RowId| map.position_of(other).is_some();
    let whole = map.rows == set.rows;
    let real = nearest_among(set, row, k, if whole { None } else { Some(&there) });
    let real: Vec<u32> = real.into_iter().filter_map(|(other, _)| map.position_of(other)).map(|at| at as u32).collect();
    let vector = |at: u32| set.position_of(map.rows[at as usize]).map(|position| set.vectors.row(position));
    let (torn, pulled) = differences(&real, &near, &|a, b| vector(a) == vector(b));
    let rows = |positions: Vec<u32>| positions.into_iter().map(|at| map.rows[at as usize]).collect();
    (rows(torn), rows(pulled))
}
