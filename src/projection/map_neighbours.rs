//! What a map did to the neighbours of every point: those it kept, those it tore away and those it pulled in.
//!
//! Compares the shared neighbour graph of the original space with the nearest points on the map; finds no neighbours in the original
//! space itself. Rows that are equal stand for one another: which of them a list names is chance. Invariant: figures belong to
//! positions, the same at any number of threads.

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

    /// How every point fared, by its `k` nearest neighbours (10 is usual; at most those the graph holds). `same` tells which positions
    /// hold equal rows.
    ///
    /// A point without neighbours in the graph fares perfectly; one that has no place on the map keeps none. Points beyond the graph
    /// or the map are left out. Counts points in the stage "Comparing neighbours".
    pub fn of_all(
        &self,
        graph: &NeighbourGraph,
        k: usize,
        same: &(dyn Fn(u32, u32) -> bool + Sync),
        progress: &Progress,
    ) -> Result<Vec<PointNeighbours>, Cancelled> {
        let count = self.tree.len().min(graph.len());
        progress.stage("Comparing neighbours", "points", count as u64);
        let k = k.min(graph.k);
        let near = self.tree.all(k, progress)?;
        progress.check()?;
        let fared = (0..count).into_par_iter().with_min_len(1024).map(|position| {
            let (held, on_map) = (graph.of(position), near.of(position));
            if k == 0 {
                return PointNeighbours { kept: 1.0, trust: 1.0 };
            }
            let (torn, _) = differences(&held[..k], on_map, same);
            let (_, strangers) = differences(held, on_map, same);
            let trusted = on_map.len() - strangers.len();
            PointNeighbours {
                kept: (k - torn.len()) as f32 / k as f32,
                trust: trusted as f32 / on_map.len().max(1) as f32,
            }
        });
        Ok(fared.collect())
    }
}

/// What is in `close` but not in `on_map`, and the other way round, each in its order. Of equal rows one stands for another.
pub fn differences(close: &[u32], on_map: &[u32], same: &(dyn Fn(u32, u32) -> bool + Sync)) -> (Vec<u32>, Vec<u32>) {
    let mut torn: Vec<u32> = close.iter().copied().filter(|other| !on_map.contains(other)).collect();
    let mut pulled: Vec<u32> = on_map.iter().copied().filter(|other| !close.contains(other)).collect();
    pulled.retain(|&stranger| {
        let stands_for = torn.iter().position(|&missing| same(missing, stranger));
        stands_for.map(|at| torn.remove(at)).is_none()
    });
    // What equals one of the nearest is as near.
    pulled.retain(|&stranger| !close.iter().any(|&near| same(near, stranger)));
    (torn, pulled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::exact_graph;
    use crate::vectors::{Metric, Vectors};

    fn never(_: u32, _: u32) -> bool {
        false
    }

    #[test]
    fn a_line_folded_in_two_tears_its_middle_apart() {
        let line: Vec<f32> = (0..200).map(|at| at as f32).collect();
        let vectors = Vectors::new(line, 1).unwrap();
        let graph = exact_graph(&vectors, Metric::Euclidean, 20, &Progress::new()).unwrap();
        let straight: Vec<[f32; 2]> = (0..200).map(|at| [at as f32, 0.0]).collect();
        let map = MapNeighbours::new(&straight);
        let all = map.of_all(&graph, 10, &never, &Progress::new()).unwrap();
        assert!(all.iter().all(|point| *point == PointNeighbours { kept: 1.0, trust: 1.0 }));

        let mut folded = straight.clone();
        folded[100..].iter_mut().for_each(|point| *point = [point[0] - 100.0, 0.3]);
        let map = MapNeighbours::new(&folded);
        let all = map.of_all(&graph, 10, &never, &Progress::new()).unwrap();
        let (torn, pulled) = differences(&graph.of(50)[..4], &map.tree().nearest(50, 4), &never);
        assert_eq!((torn, pulled), (vec![48, 52], vec![150, 149]));
        assert!(all[50].kept < 0.7 && all[50].trust < 0.7, "{:?}", all[50]);
        folded[50] = [f32::NAN; 2];
        let broken = MapNeighbours::new(&folded);
        assert_eq!(broken.of_all(&graph, 10, &never, &Progress::new()).unwrap()[50].kept, 0.0);
    }

    #[test]
    fn equal_rows_stand_for_one_another() {
        // Five rows, forty times each; on the map every heap of equals lies apart from the others, its members side by side.
        let values: Vec<f32> = (0..200).map(|at| [0.0, 3.0, 5.0, 9.0, 14.0][at % 5]).collect();
        let points: Vec<[f32; 2]> =
            (0..200).map(|at| [100.0 * (at % 5) as f32, ((at * 37) % 200) as f32 * 1e-3]).collect();
        let vectors = Vectors::new(values, 1).unwrap();
        let graph = exact_graph(&vectors, Metric::Euclidean, 15, &Progress::new()).unwrap();
        let same = |a: u32, b: u32| vectors.row(a as usize) == vectors.row(b as usize);
        let map = MapNeighbours::new(&points);
        let all = map.of_all(&graph, 10, &same, &Progress::new()).unwrap();
        assert!(all.iter().all(|point| *point == PointNeighbours { kept: 1.0, trust: 1.0 }));
        assert!(map.of_all(&graph, 10, &never, &Progress::new()).unwrap().iter().any(|point| point.kept < 0.5));
        // Three of one kind are wanted, and one of another; the map shows four of the first.
        assert_eq!(differences(&[0, 5, 10, 1], &[0, 15, 20, 25], &same), (vec![1], vec![]));
    }
}
