//! Clusters of a model's rows with names: found on the map or in the original space, at two levels of detail.
//!
//! Invariant: same input and parameters, same clusters, at any number of threads.

use std::sync::Arc;
use std::time::Instant;

use super::project::natural_metric;
use super::{Environment, TaskError, shared_graph};
use crate::analysis::clusters::{ClusterParams as Cut, Clusters, Hierarchy};
use crate::analysis::names::{NameParams, name_classes, name_texts};
use crate::corpus::{Corpus, Modality};
use crate::picture::Layout;
use crate::progress::Progress;
use crate::vectors::{RowId, Vectors};
use crate::workspace::{ClusterLevel, ClusterMethod, ClusterParams, Clustering, EmbeddingSet};

/// Up to so many rows clusters of the vectors are found unasked.
const QUICK_VECTORS: usize = 20_000;
/// Up to so many rows clusters of the map are found unasked.
const QUICK_MAP: usize = 300_000;
/// Neighbours of the shared graph that clusters of the vectors look at.
const NEIGHBOURS: usize = 15;
/// Clusters beyond which a coarser level is looked for, and how much larger its clusters are.
const MANY: usize = 9;
const COARSER: usize = 4;
/// Words in a name.
const WORDS: usize = 3;

/// Rows to look for clusters among.
#[derive(Clone, Debug)]
pub struct ClusterRequest {
    /// The texts and pictures, for names.
    pub corpus: Arc<Corpus>,
    /// The vectors.
    pub set: Arc<EmbeddingSet>,
    /// The map: its rows are those clustered.
    pub layout: Arc<Layout>,
    /// How.
    pub params: ClusterParams,
}

impl ClusterRequest {
    /// Whether it takes so little that it may be done unasked.
    pub fn is_quick(&self) -> bool {
        self.layout.len() <= if self.params.method.on_map() { QUICK_MAP } else { QUICK_VECTORS }
    }

    /// The vectors of the map's rows.
    fn vectors(&self) -> Vectors {
        if *self.layout.rows() == self.set.rows {
            return self.set.vectors.clone();
        }
        self.set.vectors.select(self.layout.rows().iter().filter_map(|&row| self.set.position_of(row)))
    }
}

/// Finds clusters and names them.
///
/// # Errors
/// Cancelled.
pub fn clusters(request: &ClusterRequest, env: &Environment, progress: &Progress) -> Result<Clustering, TaskError> {
    env.run(|| {
        let started = Instant::now();
        let found = find(request, progress)?;
        progress.stage("Naming clusters", "steps", 0);
        let rows = request.layout.rows().clone();
        let fine = level(request, &found.fine, progress)?;
        let coarse = match &found.coarse {
            Some(labels) => level(request, labels, progress)?,
            None => fine.clone(),
        };
        Ok(Clustering {
            params: request.params,
            rows,
            fine,
            coarse,
            membership: found.membership.into(),
            seconds: started.elapsed().as_secs_f64(),
        })
    })
}

/// The folders of rows as numbers, the same for the same folder.
pub fn folder_labels(corpus: &Corpus, rows: &[RowId]) -> Arc<[i32]> {
    let mut numbers = std::collections::BTreeMap::new();
    let number = |&row: &RowId| {
        let next = numbers.len() as i32;
        *numbers.entry(corpus.item_of(row).label.as_str()).or_insert(next)
    };
    rows.iter().map(number).collect()
}

/// Labels without names.
struct Found {
    fine: Vec<i32>,
    coarse: Option<Vec<i32>>,
    membership: Vec<f32>,
}

fn find(request: &ClusterRequest, progress: &Progress) -> Result<Found, TaskError> {
    let params = &request.params;
    let points = request.layout.points();
    match params.method {
        ClusterMethod::HdbscanMap => {
            Ok(by_density(&Hierarchy::of_points(points, params.min_samples, progress)?, params))
        }
        ClusterMethod::HdbscanVectors => {
            let vectors = request.vectors();
            if let Some(exact) = Hierarchy::of_vectors(&vectors, params.min_samples, progress)? {
                return Ok(by_density(&exact, params));
            }
            let metric = natural_metric(&vectors);
            let own = vectors.len() != request.set.vectors.len();
            let shared = if own { Default::default() } else { request.set.graph.clone() };
            let needed = NEIGHBOURS.max(params.min_samples);
            let graph = shared_graph(&shared, &vectors, metric, needed, progress)?;
            Ok(by_density(&Hierarchy::of_graph(&vectors, &graph, params.min_samples, progress)?, params))
        }
    }
}

/// The clusters of a hierarchy, and larger ones where they are many.
fn by_density(hierarchy: &Hierarchy, params: &ClusterParams) -> Found {
    let cut = |min_size: usize| hierarchy.clusters(&Cut { min_size, ..Cut::default() });
    let fewest = params.fewest(hierarchy.len());
    let fine = cut(fewest);
    let mut coarse: Option<Clusters> = None;
    let mut size = fewest;
    while coarse.as_ref().unwrap_or(&fine).count() > MANY {
        size *= COARSER;
        let larger = cut(size);
        if larger.count() < 2 {
            break;
        }
        coarse = Some(larger);
    }
    Found { membership: fine.probabilities, fine: fine.labels, coarse: coarse.map(|found| found.labels) }
}

/// Sizes and names of labels.
fn level(request: &ClusterRequest, labels: &[i32], progress: &Progress) -> Result<ClusterLevel, TaskError> {
    let count = labels.iter().max().map_or(0, |&most| (most + 1).max(0) as usize);
    let mut sizes = vec![0usize; count];
    for label in labels.iter().filter_map(|&label| usize::try_from(label).ok()) {
        sizes[label] += 1;
    }
    let (corpus, rows) = (&request.corpus, request.layout.rows());
    let pictures = rows.iter().filter(|&&row| corpus.item_of(row).modality == Modality::Image).count();
    let params = NameParams { terms: WORDS, ..NameParams::default() };
    let names = if 2 * pictures > rows.len() {
        let notes = &request.set.notes;
        let note =
            |at: usize| request.set.position_of(rows[at]).and_then(|at| notes.get(at)).map_or("", String::as_str);
        name_classes(note, labels, &params, progress)?
    } else {
        name_texts(|at| corpus.text_of(rows[at]), labels, &params, progress)?
    };
    let names = names.iter().map(ToString::to_string).collect();
    Ok(ClusterLevel { labels: labels.into(), names, sizes: sizes.into() })
}
