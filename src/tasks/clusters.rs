//! Clusters of a model's rows with names: found on the map or in the original space, at two levels of detail.
//!
//! Invariant: same input and parameters, same clusters, at any number of threads.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::neighbours::depth_for_clusters;
use super::project::natural_metric;
use super::{Environment, RowInfo, TaskError, shared_graph};
use crate::analysis::clusters::{
    ClusterParams as Cut, Clusters, DensityParams, Exemplars, Hierarchy, KMeansParams, average_linkage,
    density_clusters, k_means,
};
use crate::analysis::names::{NameParams, name_classes, name_texts};
use crate::corpus::{Corpus, Modality};
use crate::progress::Progress;
use crate::vectors::{RowId, Vectors};
use crate::workspace::{
    ClusterLevel, ClusterMethod, ClusterParams, ClusterSpace, Clustering, EmbeddingSet, MapPoints, Positions,
    SharedGraph,
};

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
    /// The map, in the dimensions it was made in: its rows are those clustered.
    pub map: MapPoints,
    /// How.
    pub params: ClusterParams,
}

impl ClusterRequest {
    /// Whether it takes so little that it may be done unasked.
    pub fn is_quick(&self) -> bool {
        self.params.method.is_quick(self.map.rows.len())
    }

    /// The vectors of the map's rows.
    fn vectors(&self) -> Vectors {
        if self.map.rows == self.set.rows {
            return self.set.vectors.clone();
        }
        self.set.vectors.select(self.map.rows.iter().filter_map(|&row| self.set.position_of(row)))
    }
}

/// Finds clusters and names them.
///
/// # Errors
/// Cancelled.
pub fn clusters(request: &ClusterRequest, env: &Environment, progress: &Progress) -> Result<Clustering, TaskError> {
    let (corpus, rows, set) = (&request.corpus, &request.map.rows, &request.set);
    let vectors = || request.vectors();
    let text = |at: usize| corpus.text_of(rows[at]);
    let note = |at: usize| set.position_of(rows[at]).and_then(|at| set.notes.get(at)).map_or("", String::as_str);
    env.run(|| {
        let input = Input {
            params: request.params,
            env,
            rows: rows.clone(),
            points: &request.map.at,
            vectors: &vectors,
            graph: if *rows == set.rows { set.graph.clone() } else { SharedGraph::default() },
            words: Words {
                pictures: rows.iter().filter(|&&row| corpus.item_of(row).modality == Modality::Image).count(),
                text: &text,
                note: &note,
            },
        };
        input.clusters(progress)
    })
}

/// Rows without a corpus to look for clusters among: vectors from a file, or the rows of a map.
#[derive(Clone, Debug)]
pub struct RowClusterRequest {
    /// A vector a row.
    pub vectors: Vectors,
    /// A position a row, of two or three dimensions; may be empty where the method does not look at the map.
    pub points: Positions,
    /// What is known of the rows, for names.
    pub rows: Arc<[RowInfo]>,
    /// Likeliest classes of each picture; may be empty.
    pub notes: Arc<[String]>,
    /// The vectors' neighbour graphs: used where made, and made here where not.
    pub graph: SharedGraph,
    /// How.
    pub params: ClusterParams,
}

/// As [`clusters`], for rows of any origin: the rows of the answer are their positions.
///
/// # Errors
/// Cancelled.
pub fn row_clusters(
    request: &RowClusterRequest,
    env: &Environment,
    progress: &Progress,
) -> Result<Clustering, TaskError> {
    let (rows, notes) = (&request.rows, &request.notes);
    let vectors = || request.vectors.clone();
    let text = |at: usize| rows[at].text.as_str();
    let note = |at: usize| notes.get(at).map_or("", String::as_str);
    env.run(|| {
        let input = Input {
            params: request.params,
            env,
            rows: (0..rows.len() as u32).map(RowId).collect(),
            points: &request.points,
            vectors: &vectors,
            graph: request.graph.clone(),
            words: Words { pictures: rows.iter().filter(|row| row.is_image()).count(), text: &text, note: &note },
        };
        input.clusters(progress)
    })
}

/// What clusters are looked for in, wherever it came from.
struct Input<'a> {
    params: ClusterParams,
    env: &'a Environment,
    rows: Arc<[RowId]>,
    points: &'a Positions,
    vectors: &'a (dyn Fn() -> Vectors + Sync),
    graph: SharedGraph,
    words: Words<'a>,
}

/// What clusters are named by, row by row.
struct Words<'a> {
    /// Rows that are pictures.
    pictures: usize,
    text: &'a (dyn Fn(usize) -> &'a str + Sync),
    note: &'a (dyn Fn(usize) -> &'a str + Sync),
}

impl Input<'_> {
    fn vectors(&self) -> Vectors {
        (self.vectors)()
    }

    fn clusters(&self, progress: &Progress) -> Result<Clustering, TaskError> {
        let started = Instant::now();
        let found = find(self, progress)?;
        progress.stage("Naming clusters", "steps", 0);
        let fine = level(self, &found.fine, progress)?;
        let coarse = match &found.coarse {
            Some(labels) => level(self, labels, progress)?,
            None => fine.clone(),
        };
        Ok(Clustering {
            params: self.params,
            rows: self.rows.clone(),
            fine,
            coarse,
            membership: found.membership.into(),
            space: found.space,
            exemplars: found.means.map(OnceLock::from).unwrap_or_default(),
            seconds: started.elapsed().as_secs_f64(),
        })
    }
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
    space: ClusterSpace,
    /// What stands for each cluster, where that is not its surest rows.
    means: Option<Exemplars>,
}

fn find(request: &Input<'_>, progress: &Progress) -> Result<Found, TaskError> {
    let params = &request.params;
    let points = request.points;
    let on_map = || ClusterSpace::Map(points.clone());
    let vectors = request.vectors();
    // Of equal rows, what is found is the jitter of their map.
    if vectors.are_all_equal() {
        let (fine, membership) = (vec![-1; vectors.len()], vec![0.0; vectors.len()]);
        return Ok(Found { fine, coarse: None, membership, space: ClusterSpace::Vectors(vectors), means: None });
    }
    match params.method {
        ClusterMethod::HdbscanMap => {
            let found = match points {
                Positions::Plane(points) => Hierarchy::of_points(points, params.min_samples, progress)?,
                Positions::Space(points) => Hierarchy::of_points(points, params.min_samples, progress)?,
            };
            by_density(&found, params, on_map(), progress)
        }
        ClusterMethod::HdbscanVectors => {
            if let Some(exact) = Hierarchy::of_vectors(&vectors, params.min_samples, progress)? {
                return by_density(&exact, params, ClusterSpace::Vectors(vectors), progress);
            }
            let metric = natural_metric(&vectors);
            let needed = depth_for_clusters(params.min_samples, vectors.len());
            let graph =
                shared_graph(&request.graph, &vectors, (metric, needed), request.env, progress)?.nearest(needed);
            let found = Hierarchy::of_graph(&vectors, &graph, params.min_samples, progress)?;
            by_density(&found, params, ClusterSpace::Vectors(vectors), progress)
        }
        ClusterMethod::KMeans => {
            let params = KMeansParams { k: params.k, seed: params.seed, ..KMeansParams::default() };
            let found = k_means(&vectors, &params, progress)?;
            let coarse = merged(&found.labels, &found.means, vectors.dim());
            let means = Exemplars::means(found.means, vectors.dim());
            around(ClusterSpace::Vectors(vectors), (found.labels, coarse), means, progress)
        }
        ClusterMethod::Density => {
            let (labels, means) = match points {
                Positions::Plane(points) => hills(points, params),
                Positions::Space(points) => hills(points, params),
            };
            around(on_map(), labels, means, progress)
        }
    }
}

/// Clusters around means, with the share that each row has of its own.
fn around(
    space: ClusterSpace,
    (fine, coarse): Levels,
    means: Exemplars,
    progress: &Progress,
) -> Result<Found, TaskError> {
    let membership = means.own_shares(&|at| space.row(at), &fine, progress)?;
    Ok(Found { fine, coarse, membership, space, means: Some(means) })
}

/// Labels, and those of the coarser level.
type Levels = (Vec<i32>, Option<Vec<i32>>);

/// The hills of a map, and wider ones where they are many.
fn hills<const D: usize>(points: &[[f32; D]], params: &ClusterParams) -> (Levels, Exemplars) {
    let params = DensityParams { bandwidth: params.blur(points.len(), D), ..DensityParams::default() };
    let labels = density_clusters(points, &params).labels;
    let count = labels.iter().max().map_or(0, |&most| (most + 1).max(0) as usize);
    let mut sums = vec![([0.0f64; D], 0.0f64); count];
    for (point, &label) in points.iter().zip(&labels) {
        if let Some(sum) = usize::try_from(label).ok().and_then(|label| sums.get_mut(label)) {
            sum.0.iter_mut().zip(point).for_each(|(sum, &value)| *sum += f64::from(value));
            sum.1 += 1.0;
        }
    }
    let centres: Vec<f32> = sums.iter().flat_map(|(sum, rows)| sum.map(|sum| (sum / rows.max(1.0)) as f32)).collect();
    let coarse = merged(&labels, &centres, D);
    ((labels, coarse), Exemplars::means(centres, D))
}

/// Clusters put together where they are many: those whose centres, of `dim` values each, lie together. Numbered by size, as clusters are.
fn merged(labels: &[i32], centres: &[f32], dim: usize) -> Option<Vec<i32>> {
    let groups = average_linkage(centres, dim, MANY);
    let count = groups.iter().max().map_or(0, |&most| most as usize + 1);
    if count > MANY || count == groups.len() {
        return None;
    }
    let group = |&label: &i32| usize::try_from(label).ok().and_then(|label| groups.get(label)).copied();
    let mut sizes = vec![0usize; count];
    labels.iter().filter_map(group).for_each(|group| sizes[group as usize] += 1);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&group| (std::cmp::Reverse(sizes[group]), group));
    let mut number = vec![-1; count];
    order.iter().zip(0..).for_each(|(&group, place)| number[group] = place);
    Some(labels.iter().map(|label| group(label).map_or(-1, |group| number[group as usize])).collect())
}

/// The clusters of a hierarchy, and larger ones where they are many.
fn by_density(
    hierarchy: &Hierarchy,
    params: &ClusterParams,
    space: ClusterSpace,
    progress: &Progress,
) -> Result<Found, TaskError> {
    let cut = |min_size: usize| hierarchy.clusters_with(&Cut { min_size, ..Cut::default() }, progress);
    let fewest = params.fewest(hierarchy.len());
    let fine = cut(fewest)?;
    let mut coarse: Option<Clusters> = None;
    let mut size = fewest;
    while coarse.as_ref().unwrap_or(&fine).count() > MANY {
        size *= COARSER;
        let larger = cut(size)?;
        if larger.count() < 2 {
            break;
        }
        coarse = Some(larger);
    }
    let coarse = coarse.map(|found| found.labels);
    Ok(Found { membership: fine.probabilities, fine: fine.labels, coarse, space, means: None })
}

/// Sizes and names of labels.
fn level(request: &Input<'_>, labels: &[i32], progress: &Progress) -> Result<ClusterLevel, TaskError> {
    let count = labels.iter().max().map_or(0, |&most| (most + 1).max(0) as usize);
    let mut sizes = vec![0usize; count];
    for label in labels.iter().filter_map(|&label| usize::try_from(label).ok()) {
        sizes[label] += 1;
    }
    let words = &request.words;
    let params = NameParams { terms: WORDS, ..NameParams::default() };
    let names = if 2 * words.pictures > request.rows.len() {
        name_classes(words.note, labels, &params, progress)?
    } else {
        name_texts(words.text, labels, &params, progress)?
    };
    // Rows without words give names without letters: the first of those is nothing at all, the next are numbers from 2 on.
    let shown = |name: String| if name.trim().is_empty() { "1".to_owned() } else { name };
    let names = names.iter().map(|name| shown(name.to_string())).collect();
    Ok(ClusterLevel { labels: labels.into(), names, sizes: sizes.into() })
}
