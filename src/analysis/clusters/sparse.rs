//! The hierarchy of vectors of many dimensions, from their neighbour graph.
//!
//! Not exact: only edges of the graph are used where it hangs together, and its parts are joined by the nearest pairs that some
//! representatives of each find among all rows (all rows of a part where few are left to join). Measured once against
//! hdbscan's exact tree: adjusted Rand index 1.0 on 5,000 pictures of 50 dimensions, 0.995 on 5,000 text vectors of 384, where hdbscan
//! agrees with itself on the same rows in another order to 0.992. Distances are
//! Euclidean; for the cosine, those of the rows made to length 1, which are √(2 − 2 cosine). Invariant: same graph, same tree, at any
//! number of threads.

use std::borrow::Cow;

use rayon::prelude::*;

use super::Hierarchy;
use super::merges::{Edge, Forest};
use crate::progress::{Cancelled, Progress};
use crate::search::NeighbourGraph;
use crate::vectors::products::{Centred, column_means_unless, products_into};
use crate::vectors::{Metric, Vectors, dot, norm, normalize_rows, squared_distance};

/// Rows that stand for all parts together when parts are joined.
const REPRESENTATIVES: usize = 6144;
/// Most rows that stand for one part.
const OF_ONE: usize = 2048;
/// Representatives of one task.
const ROWS: usize = 64;
/// Rows they are compared with at a time.
const BASE: usize = 1024;
/// Times a nearest pair is looked for again from its own ends.
const REFINE: usize = 3;
/// Pieces that edges are sorted by.
const PIECES: usize = 32;

impl Hierarchy {
    /// Of vectors of any dimension, over their neighbour graph; nearly exact.
    ///
    /// `min_samples` as for [`Hierarchy::of_points`]; at most the graph's `k` counts. A graph of another set's length gives no
    /// clusters. Counts vectors in the stage "Finding clusters".
    pub fn of_graph(
        vectors: &Vectors,
        graph: &NeighbourGraph,
        min_samples: usize,
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        progress.stage("Finding clusters", "items", vectors.len() as u64);
        if graph.k == 0 || graph.len() != vectors.len() {
            return Self::of_edges(vectors.len(), Vec::new(), Vec::new(), progress);
        }
        let space = Space::new(vectors, graph, min_samples, progress)?;
        let edges = space.graph_edges(graph, progress)?;
        let mut forest = Forest::new(vectors.len());
        let mut edges = shortest(edges, &mut forest, progress)?;
        space.join_parts(&mut forest, &mut edges, progress)?;
        progress.advance(vectors.len() as u64);
        // Merges count sound rows only.
        let mut place = vec![0u32; vectors.len()];
        for (at, &row) in (0u32..).zip(&space.sound) {
            place[row as usize] = at;
        }
        for edge in &mut edges {
            (edge.a, edge.b) = (place[edge.a as usize], place[edge.b as usize]);
        }
        Self::of_edges(vectors.len(), space.sound, edges, progress)
    }
}

/// Rows made ready for Euclidean distances, and their squared core distances; infinite for broken rows.
struct Space<'a> {
    values: Cow<'a, [f32]>,
    dim: usize,
    squares: Vec<f32>,
    core: Vec<f32>,
    sound: Vec<u32>,
}

impl<'a> Space<'a> {
    fn new(
        vectors: &'a Vectors,
        graph: &NeighbourGraph,
        min_samples: usize,
        progress: &Progress,
    ) -> Result<Self, Cancelled> {
        let dim = vectors.dim();
        let stop = || progress.is_cancelled();
        let norms: Vec<f32> =
            vectors.values().par_chunks(dim).map(|row| if stop() { 0.0 } else { norm(row) }).collect();
        progress.check()?;
        let sound = (0u32..).zip(&norms).filter(|(_, norm)| norm.is_finite()).map(|(row, _)| row).collect();
        let values = if graph.metric == Metric::Cosine {
            if norms.iter().all(|norm| (norm - 1.0).abs() < 1e-6) {
                Cow::Borrowed(vectors.values())
            } else {
                Cow::Owned(of_length_one(vectors, &stop))
            }
        } else {
            let mean = column_means_unless(vectors, &stop);
            Cow::Owned(Centred { vectors, mean: &mean }.all_unless(&stop))
        };
        progress.check()?;
        let squares = values.par_chunks(dim).map(|row| if stop() { 0.0 } else { dot(row, row) }).collect();
        progress.check()?;
        let mut space = Self { values, dim, squares, core: Vec::new(), sound };
        let samples = min_samples.clamp(1, graph.k);
        space.core = (0..vectors.len())
            .into_par_iter()
            .with_min_len(64)
            .map(|row| {
                if !norms[row].is_finite() || stop() {
                    return f32::INFINITY;
                }
                let near = &graph.of(row)[..samples];
                near.iter().map(|&other| space.squared(row, other as usize)).fold(0.0, f32::max)
            })
            .collect();
        progress.check().map(|()| space)
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.dim..(row + 1) * self.dim]
    }

    fn squared(&self, a: usize, b: usize) -> f32 {
        squared_distance(self.row(a), self.row(b))
    }

    fn edge(&self, a: usize, b: usize) -> Edge {
        let apart = self.squared(a, b);
        let length = apart.max(self.core[a]).max(self.core[b]);
        Edge { length: f64::from(length), apart: f64::from(apart), a: a.min(b) as u32, b: a.max(b) as u32 }
    }

    /// Every edge of the graph between sound rows, once, in blocks.
    fn graph_edges(&self, graph: &NeighbourGraph, progress: &Progress) -> Result<Vec<Vec<Edge>>, Cancelled> {
        self.sound
            .par_chunks(4096)
            .map(|rows| {
                progress.check()?;
                Ok(rows.iter().flat_map(|&row| self.edges_of(row, graph)).collect())
            })
            .collect()
    }

    fn edges_of(&self, row: u32, graph: &NeighbourGraph) -> impl Iterator<Item = Edge> {
        graph.of(row as usize).iter().filter_map(move |&other| {
            let twice = other < row && graph.of(other as usize).contains(&row);
            let edge = self.edge(row as usize, other as usize);
            (!twice && edge.length.is_finite()).then_some(edge)
        })
    }

    /// Adds the edges between the parts of the forest: in rounds, each part but the largest joins the nearest other.
    fn join_parts(&self, forest: &mut Forest, edges: &mut Vec<Edge>, progress: &Progress) -> Result<(), Cancelled> {
        while edges.len() + 1 < self.sound.len() {
            let (part, count) = forest.components();
            let mut members: Vec<Vec<u32>> = vec![Vec::new(); count];
            for &row in &self.sound {
                members[part[row as usize] as usize].push(row);
            }
            let largest = (0..count).max_by_key(|&part| members[part].len()).unwrap_or(0);
            let parts = members.iter().filter(|members| !members.is_empty()).count();
            let each = (REPRESENTATIVES / parts.max(1)).clamp(1, OF_ONE);
            let asking: Vec<u32> =
                (0..count).filter(|&part| part != largest).flat_map(|part| spread(&members[part], each)).collect();
            let found = self.nearest_outside(&asking, &part, progress)?;
            let mut best: Vec<Option<Edge>> = vec![None; count];
            for (&row, other) in asking.iter().zip(found) {
                let edge = self.edge(row as usize, other as usize);
                let best = &mut best[part[row as usize] as usize];
                if best.is_none_or(|best| Edge::order(&edge, &best).is_lt()) {
                    *best = Some(edge);
                }
            }
            let mut joining: Vec<Edge> =
                best.into_iter().flatten().map(|edge| self.refined(edge, &part, &members)).collect();
            joining.sort_unstable_by(Edge::order);
            let before = edges.len();
            edges.extend(joining.into_iter().filter(|edge| forest.join(edge.a, edge.b)));
            if edges.len() == before {
                break;
            }
        }
        Ok(())
    }

    /// For each of `asking`, the nearest row of another part by mutual reachability.
    fn nearest_outside(&self, asking: &[u32], part: &[u32], progress: &Progress) -> Result<Vec<u32>, Cancelled> {
        let blocks: Vec<Vec<u32>> = asking
            .par_chunks(ROWS)
            .with_max_len(1)
            .map(|asking| {
                let queries: Vec<f32> = asking.iter().flat_map(|&row| self.row(row as usize)).copied().collect();
                let mut best = vec![(f32::INFINITY, self.sound[0]); asking.len()];
                let mut products = vec![0.0; ROWS * BASE];
                for (number, base) in self.values.chunks(BASE * self.dim).enumerate() {
                    progress.check()?;
                    let (first, columns) = (number * BASE, base.len() / self.dim);
                    let products = &mut products[..asking.len() * columns];
                    products_into(&queries, base, self.dim, products);
                    for ((&row, products), best) in asking.iter().zip(products.chunks(columns)).zip(&mut best) {
                        let (own, square, core) =
                            (part[row as usize], self.squares[row as usize], self.core[row as usize]);
                        for (other, product) in (first..).zip(products) {
                            let apart = square + self.squares[other] - 2.0 * product;
                            let length = apart.max(core).max(self.core[other]);
                            // A broken row's core distance is infinite.
                            if length < best.0 && part[other] != own {
                                *best = (length, other as u32);
                            }
                        }
                    }
                }
                Ok(best.into_iter().map(|(_, other)| other).collect())
            })
            .collect::<Result<_, Cancelled>>()?;
        Ok(blocks.concat())
    }

    /// Looks again from each end among all rows of the other's part.
    fn refined(&self, mut edge: Edge, part: &[u32], members: &[Vec<u32>]) -> Edge {
        for _ in 0..REFINE {
            let before = edge;
            for flip in [false, true] {
                let (from, to) = if flip { (edge.b, edge.a) } else { (edge.a, edge.b) };
                let nearest = members[part[to as usize] as usize]
                    .par_iter()
                    .with_min_len(256)
                    .map(|&other| self.edge(from as usize, other as usize))
                    .min_by(Edge::order);
                edge = nearest.filter(|nearest| Edge::order(nearest, &edge).is_lt()).unwrap_or(edge);
            }
            if edge == before {
                break;
            }
        }
        edge
    }
}

/// Rows made to length 1; not all of them once `stop` says yes.
fn of_length_one(vectors: &Vectors, stop: &(dyn Fn() -> bool + Sync)) -> Vec<f32> {
    let mut values = vec![0.0f32; vectors.values().len()];
    let some = 1024 * vectors.dim();
    values.par_chunks_mut(some).zip(vectors.values().par_chunks(some)).for_each(|(out, rows)| {
        if !stop() {
            out.copy_from_slice(rows);
            normalize_rows(out, vectors.dim());
        }
    });
    values
}

/// The edges that join the forest, shortest first. Sorted by pieces of about as many, from the shortest on, without those whose ends
/// hang together by then.
fn shortest(blocks: Vec<Vec<Edge>>, forest: &mut Forest, progress: &Progress) -> Result<Vec<Edge>, Cancelled> {
    let step = (blocks.iter().map(Vec::len).sum::<usize>() / 4096).max(1);
    let mut marks: Vec<f64> = blocks.iter().flatten().step_by(step).map(|edge| edge.length).collect();
    marks.sort_unstable_by(f64::total_cmp);
    let marks: Vec<f64> = marks.chunks((marks.len() / PIECES).max(1)).skip(1).map(|piece| piece[0]).collect();
    let mut pieces: Vec<Vec<Edge>> = vec![Vec::new(); marks.len() + 1];
    for edges in blocks {
        progress.check()?;
        for edge in edges {
            pieces[marks.partition_point(|mark| mark.total_cmp(&edge.length).is_le())].push(edge);
        }
    }
    let mut joined = Vec::new();
    for mut piece in pieces {
        progress.check()?;
        piece.retain(|edge| forest.root(edge.a) != forest.root(edge.b));
        progress.check()?;
        piece.par_sort_unstable_by(Edge::order);
        progress.check()?;
        joined.extend(piece.into_iter().filter(|edge| forest.join(edge.a, edge.b)));
    }
    Ok(joined)
}

/// At most `most` of the rows, spread evenly.
fn spread(rows: &[u32], most: usize) -> impl Iterator<Item = u32> {
    let count = rows.len().min(most);
    (0..count).map(move |at| rows[at * rows.len() / count])
}
