//! What a map did to the neighbours of every point: those it kept, those it tore away and those it pulled in.
//!
//! Compares the shared neighbour graph of the original space with the nearest points on the map; finds no neighbours in the original
//! space itself. Invariant: figures belong to positions, the same at any number of threads.

use rayon::prelude::*;

use super::plane::PlaneTree;
use crate::progress::{Cancelled, Progress};
use crate::search::NeighbourGraph;

/// How one point fared, by its nearest neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PointNeighbours {
    /// Share of its nearest neighbours in the original space that are among its nearest on the map, 0 to 1.
    pub kept: f32,
    /// Share of its nearest on the map that are anywhere among the neighbours the graph holds of it, 0 to 1.
    pub trust: f32,
}

/// The points of a map, ready to be asked for their neighbours. `D` is 2 or 3.
#[derive(Clone, Debug)]
pub struct MapNeighbours<const D: usize> {
    tree: PlaneTree<D>,
}

impl<const D: usize> MapNeighbours<D> {
    /// Takes in the points of a map: about 10 ms for 70,000.
    pub fn new(points: &[[f32; D]]) -> Self {
        Self { tree: PlaneTree::new(points) }
    }

    /// As [`MapNeighbours::new`], for maps of a million points.
    pub fn new_with(points: &[[f32; D]], progress: &Progress) -> Result<Self, Cancelled> {
        PlaneTree::new_with(points, progress).map(|tree| Self { tree })
    }

    /// The tree itself.
    pub fn tree(&self) -> &PlaneTree<D> {
        &self.tree
    }

    /// How every point fared, by its `k` nearest neighbours (10 is usual; at most those the graph holds).
    ///
    /// A point without neighbours in the graph fares perfectly; one that has no place on the map keeps none. Points beyond the graph
    /// or the map are left out. Counts points in the stage "Comparing neighbours".
    pub fn of_all(
        &self,
        graph: &NeighbourGraph,
        k: usize,
        progress: &Progress,
    ) -> Result<Vec<PointNeighbours>, Cancelled> {
        let count = self.tree.len().min(graph.len());
        progress.stage("Comparing neighbours", "points", count as u64);
        let k = k.min(graph.k);
        let near = self.tree.all(k, progress)?;
        progress.check()?;
        let fared = (0..count).into_par_iter().with_min_len(1024).map(|position| {
            let (held, on_map) = (graph.of(position), near.of(position));
            let close = &held[..k];
            if close.is_empty() {
                return PointNeighbours { kept: 1.0, trust: 1.0 };
            }
            let among = |list: &[u32]| on_map.iter().filter(|other| list.contains(other)).count() as f32;
            PointNeighbours { kept: among(close) / close.len() as f32, trust: among(held) / on_map.len().max(1) as f32 }
        });
        Ok(fared.collect())
    }

    /// The true neighbours that the map tore away: those of the point's `k` nearest in the original space that are not among its `k`
    /// nearest on the map, nearest first. Costs microseconds.
    pub fn torn(&self, graph: &NeighbourGraph, position: usize, k: usize) -> Vec<u32> {
        let (close, on_map) = self.both(graph, position, k);
        close.into_iter().filter(|other| !on_map.contains(other)).collect()
    }

    /// The strangers that the map pulled in: those of the point's `k` nearest on the map that are not among its `k` nearest in the
    /// original space, nearest first. Costs microseconds.
    pub fn intruders(&self, graph: &NeighbourGraph, position: usize, k: usize) -> Vec<u32> {
        let (close, on_map) = self.both(graph, position, k);
        on_map.into_iter().filter(|other| !close.contains(other)).collect()
    }

    fn both(&self, graph: &NeighbourGraph, position: usize, k: usize) -> (Vec<u32>, Vec<u32>) {
        if position >= graph.len() {
            return (Vec::new(), Vec::new());
        }
        let k = k.min(graph.k);
        (graph.of(position)[..k].to_vec(), self.tree.nearest(position, k))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::exact_graph;
    use crate::vectors::{Metric, Vectors};

    #[test]
    fn a_line_folded_in_two_tears_its_middle_apart() {
        let line: Vec<f32> = (0..200).map(|at| at as f32).collect();
        let vectors = Vectors::new(line, 1).unwrap();
        let graph = exact_graph(&vectors, Metric::Euclidean, 20, &Progress::new()).unwrap();
        let straight: Vec<[f32; 2]> = (0..200).map(|at| [at as f32, 0.0]).collect();
        let map = MapNeighbours::new(&straight);
        let all = map.of_all(&graph, 10, &Progress::new()).unwrap();
        assert!(all.iter().all(|point| *point == PointNeighbours { kept: 1.0, trust: 1.0 }));
        assert!(map.torn(&graph, 100, 10).is_empty() && map.intruders(&graph, 100, 10).is_empty());

        let mut folded = straight.clone();
        folded[100..].iter_mut().for_each(|point| *point = [point[0] - 100.0, 0.3]);
        let map = MapNeighbours::new(&folded);
        let all = map.of_all(&graph, 10, &Progress::new()).unwrap();
        assert_eq!(map.torn(&graph, 50, 4), [48, 52]);
        assert_eq!(map.intruders(&graph, 50, 4), [150, 149, 151][..2]);
        assert!(all[50].kept < 0.7 && all[50].trust < 0.7, "{:?}", all[50]);
        folded[50] = [f32::NAN; 2];
        let broken = MapNeighbours::new(&folded);
        assert_eq!(broken.of_all(&graph, 10, &Progress::new()).unwrap()[50].kept, 0.0);
        assert_eq!(broken.torn(&graph, 50, 4).len(), 4);
        assert!(broken.torn(&graph, 5000, 4).is_empty());
    }
}
