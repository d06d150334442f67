//! Neighbour graphs on disk, so that the next start need not find them again.
//!
//! A graph lies under the identity of its vectors and holds the hashes of their rows, so that it can also serve a larger set that has
//! those rows. Finds no neighbours itself. Invariant: a graph that is handed out is the one that was put there for the same vectors.

use std::path::Path;

use super::identity::{RowHash, SetIdentity};
use super::shelf::{Damaged, Shelf};
use crate::search::NeighbourGraph;
use crate::vectors::{Metric, Vectors};

/// Bytes that all graphs together may take.
const LIMIT: u64 = 1 << 30;
/// Graphs of other sets that are looked at for the rows of a set.
const TRIED: usize = 3;
/// Bytes before the arrays: neighbours asked for, neighbours a row, rows, whether exact, recall.
const HEAD: usize = 32;

/// The stored graphs.
#[derive(Clone, Debug)]
pub struct GraphStore {
    shelf: Shelf,
}

/// A stored graph and how deep it was asked to be.
#[derive(Clone, Debug)]
pub struct StoredGraph {
    /// The graph.
    pub graph: NeighbourGraph,
    /// Neighbours a row that were asked for; sets with few or broken rows give less.
    pub asked: usize,
}

/// A stored graph of some of a set's rows.
#[derive(Clone, Debug)]
pub struct SmallerGraph {
    /// The graph.
    pub stored: StoredGraph,
    /// Where its rows stand in the larger set.
    pub places: Vec<u32>,
}

impl GraphStore {
    /// The graphs in a cache folder.
    pub fn in_cache(dir: &Path) -> Self {
        Self { shelf: Shelf::new(dir.join("graphs"), LIMIT) }
    }

    /// The graph of these vectors, if one as deep as `k` is there.
    ///
    /// # Errors
    /// It was there and was damaged.
    pub fn find(&self, identity: &SetIdentity, metric: Metric, k: usize) -> Result<Option<StoredGraph>, Damaged> {
        let (word, rows) = (identity.word(), identity.rows.len());
        let fits = |name: &Name| name.metric == metric && name.word == word && name.asked >= k && name.rows == rows;
        let Some(name) = self.names().into_iter().find(fits) else { return Ok(None) };
        let found = self.read(&name)?;
        Ok(found.filter(|(_, rows)| **rows == *identity.rows).map(|(stored, _)| stored))
    }

    /// A graph of at least `fewest` of these vectors, and of no others, with at least `k` neighbours a row.
    ///
    /// # Errors
    /// It was there and was damaged.
    pub fn find_smaller(
        &self,
        (identity, dim): (&SetIdentity, usize),
        metric: Metric,
        (k, fewest): (usize, usize),
    ) -> Result<Option<SmallerGraph>, Damaged> {
        let rows = identity.rows.len();
        let fits = |name: &Name| {
            name.metric == metric && name.dim == dim && name.asked >= k && (fewest..rows).contains(&name.rows)
        };
        for name in self.names().into_iter().filter(fits).take(TRIED) {
            let Some((stored, hashes)) = self.read(&name)? else { continue };
            if let Some(places) = identity.places_of(&hashes).filter(|_| stored.graph.k >= k) {
                return Ok(Some(SmallerGraph { stored, places }));
            }
        }
        Ok(None)
    }

    /// Keeps the graph of these vectors, in the place of a shallower one.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn keep(&self, identity: &SetIdentity, vectors: &Vectors, stored: &StoredGraph) -> std::io::Result<()> {
        let StoredGraph { graph, asked } = stored;
        if graph.len() != identity.rows.len() || graph.is_empty() {
            return Ok(());
        }
        let name =
            Name { metric: graph.metric, dim: vectors.dim(), rows: graph.len(), asked: *asked, word: identity.word() };
        let mut head = [0u8; HEAD];
        for (place, number) in [*asked, graph.k, graph.len()].into_iter().enumerate() {
            head[8 * place..8 * place + 8].copy_from_slice(&(number as u64).to_le_bytes());
        }
        head[24] = u8::from(graph.exact);
        head[28..].copy_from_slice(&graph.recall.unwrap_or(f32::NAN).to_le_bytes());
        let indices: Vec<u8> = graph.indices.iter().flat_map(|index| index.to_le_bytes()).collect();
        let scores: Vec<u8> = graph.scores.iter().flat_map(|score| score.to_le_bytes()).collect();
        self.shelf.put(&name.file(), &[&head, identity.rows.as_flattened(), &indices, &scores])?;
        let older = |other: &Name| other.word == name.word && other.metric == name.metric && other.asked < name.asked;
        self.names().iter().filter(|other| older(other)).for_each(|other| self.shelf.remove(&other.file()));
        Ok(())
    }

    fn names(&self) -> Vec<Name> {
        self.shelf.names().iter().filter_map(|name| Name::parse(name)).collect()
    }

    fn read(&self, name: &Name) -> Result<Option<(StoredGraph, Vec<RowHash>)>, Damaged> {
        let file = name.file();
        let Some(bytes) = self.shelf.get(&file)? else { return Ok(None) };
        let read = parse(&bytes, name.metric);
        if read.is_none() {
            self.shelf.remove(&file);
            let reason = "its numbers make no sense".to_owned();
            return Err(Damaged { path: self.shelf.path(&file), reason });
        }
        Ok(read)
    }
}

/// What a file's name says: `cosine-384-70000-90-HASH.graph`.
struct Name {
    metric: Metric,
    dim: usize,
    rows: usize,
    asked: usize,
    word: String,
}

impl Name {
    fn file(&self) -> String {
        format!("{}-{}-{}-{}-{}.graph", word_of(self.metric), self.dim, self.rows, self.asked, self.word)
    }

    fn parse(file: &str) -> Option<Self> {
        let mut parts = file.strip_suffix(".graph")?.split('-');
        let metric = parts.next()?;
        let metric =
            [Metric::Cosine, Metric::Dot, Metric::Euclidean].into_iter().find(|&one| word_of(one) == metric)?;
        let mut number = || parts.next()?.parse().ok();
        let (dim, rows, asked) = (number()?, number()?, number()?);
        Some(Self { metric, dim, rows, asked, word: parts.next()?.to_owned() })
    }
}

fn word_of(metric: Metric) -> &'static str {
    match metric {
        Metric::Cosine => "cosine",
        Metric::Dot => "dot",
        Metric::Euclidean => "euclidean",
    }
}

fn parse(bytes: &[u8], metric: Metric) -> Option<(StoredGraph, Vec<RowHash>)> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let number = |place: usize| {
        let (words, _) = head.as_chunks::<8>();
        words.get(place).and_then(|&word| usize::try_from(u64::from_le_bytes(word)).ok())
    };
    let (asked, k, rows) = (number(0)?, number(1)?, number(2)?);
    let cells = rows.checked_mul(k)?;
    let (hashes, rest) = rest.split_at_checked(rows.checked_mul(size_of::<RowHash>())?)?;
    let (words, left) = rest.as_chunks::<4>();
    let (indices, scores) = words.split_at_checked(cells)?;
    if k == 0 || scores.len() != cells || !left.is_empty() {
        return None;
    }
    let indices: Vec<u32> = indices.iter().map(|&word| u32::from_le_bytes(word)).collect();
    if indices.iter().any(|&index| index as usize >= rows) {
        return None;
    }
    let scores: Vec<f32> = scores.iter().map(|&word| f32::from_le_bytes(word)).collect();
    let recall = f32::from_le_bytes([head[28], head[29], head[30], head[31]]);
    let graph = NeighbourGraph {
        exact: head[24] == 1,
        recall: Some(recall).filter(|recall| !recall.is_nan()),
        ..NeighbourGraph::new(k, metric, indices, scores)
    };
    Some((StoredGraph { graph, asked }, hashes.as_chunks().0.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;
    use crate::search::exact_graph;

    fn vectors(rows: usize) -> Vectors {
        Vectors::new((0..rows * 3).map(|at| ((at * at) as f32 * 0.37).sin()).collect::<Vec<f32>>(), 3).unwrap()
    }

    fn graph(vectors: &Vectors, k: usize) -> StoredGraph {
        StoredGraph { graph: exact_graph(vectors, Metric::Euclidean, k, &Progress::new()).unwrap(), asked: k }
    }

    #[test]
    fn a_graph_is_found_by_its_vectors_and_by_a_larger_set() {
        let dir = tempfile::tempdir().unwrap();
        let store = GraphStore::in_cache(dir.path());
        let (set, more) = (vectors(40), vectors(44));
        let (identity, larger) = (SetIdentity::of(&set), SetIdentity::of(&more));
        let find = |k| store.find(&identity, Metric::Euclidean, k).unwrap();
        assert!(find(5).is_none());
        store.keep(&identity, &set, &graph(&set, 5)).unwrap();
        let made = graph(&set, 9);
        store.keep(&identity, &set, &made).unwrap();
        assert_eq!(store.names().len(), 1, "the deeper one took the other's place");
        let found = find(7).unwrap();
        assert_eq!((&found.graph.indices, &found.graph.scores), (&made.graph.indices, &made.graph.scores));
        assert_eq!((found.asked, found.graph.exact, found.graph.recall), (9, true, None));
        assert!(find(10).is_none() && store.find(&identity, Metric::Cosine, 5).unwrap().is_none());
        assert!(store.find(&larger, Metric::Euclidean, 5).unwrap().is_none());
        let smaller = store.find_smaller((&larger, 3), Metric::Euclidean, (9, 30)).unwrap().unwrap();
        assert_eq!(smaller.places, (0..40).collect::<Vec<u32>>());
        assert!(store.find_smaller((&larger, 3), Metric::Euclidean, (9, 41)).unwrap().is_none());
    }

    #[test]
    fn a_damaged_graph_is_told_and_gone() {
        let dir = tempfile::tempdir().unwrap();
        let store = GraphStore::in_cache(dir.path());
        let set = vectors(20);
        let identity = SetIdentity::of(&set);
        store.keep(&identity, &set, &graph(&set, 4)).unwrap();
        let path = store.shelf.path(&store.names()[0].file());
        let mut bytes = fs_err::read(&path).unwrap();
        bytes[400] ^= 1;
        fs_err::write(&path, bytes).unwrap();
        assert!(store.find(&identity, Metric::Euclidean, 4).is_err());
        assert!(store.find(&identity, Metric::Euclidean, 4).unwrap().is_none());
    }
}
