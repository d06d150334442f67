//! Fewer dimensions of a set: what they cost by each way, and a set of its own that has them.
//!
//! Invariant: the rows of a set that was made so are those of the set it was made of, in the same order.

use std::sync::Arc;
use std::time::Instant;

use super::{Environment, TaskError};
use crate::models::{ModelCard, ModelSource, Similarity};
use crate::progress::Progress;
use crate::projection::{CostSettings, FittedReduction, Reduction, ReductionCost, reduction_costs};
use crate::vectors::{Metric, Vectors};
use crate::workspace::EmbeddingSet;

/// Numbers of dimensions worth asking for; those below a set's own are measured.
const KEPT: [usize; 7] = [8, 16, 32, 64, 128, 256, 512];

/// The neighbours kept and the bytes a vector of each way to fewer dimensions, over a sample of vectors with neighbours among all: those of
/// the set, and those of the sets that [`reduced_set`] makes of it.
///
/// # Errors
/// Cancelled; vectors without a decomposition.
pub fn reductions(set: &EmbeddingSet, env: &Environment, progress: &Progress) -> Result<Vec<ReductionCost>, TaskError> {
    let ks: Vec<usize> = KEPT.into_iter().filter(|&k| k < set.vectors.dim()).collect();
    let settings = CostSettings { metric: set.metric(), ..CostSettings::default() };
    Ok(env.run(|| reduction_costs(&set.vectors, &ks, &settings, progress))?)
}

/// A set of shorter vectors made of another's. Questions are embedded by the model of that and made shorter the same way.
///
/// By PCA its vectors are compared by their distance, which orders as the cosine does where the vectors it is made of have length 1: their
/// mean is taken off, after which cosines are others.
///
/// # Errors
/// Cancelled; no vectors, or vectors without a decomposition.
pub fn reduced_set(
    set: &EmbeddingSet,
    way: Reduction,
    env: &Environment,
    progress: &Progress,
) -> Result<EmbeddingSet, TaskError> {
    env.run(|| {
        let started = Instant::now();
        let fitted = FittedReduction::fit(&set.vectors, way, progress)?;
        let vectors = fitted.apply(&set.vectors, progress)?;
        let card = card_of(set, &fitted);
        Ok(EmbeddingSet {
            fingerprint: format!("{} {}", set.fingerprint, way.spelled()),
            card,
            vectors,
            reductions: set.reductions.iter().cloned().chain([fitted]).collect(),
            graph: Default::default(),
            cached: 0,
            shared: 0,
            embedded: 0,
            seconds: started.elapsed().as_secs_f64(),
            tokens_embedded: 0,
            model_memory_mb: None,
            ..set.clone()
        })
    })
}

/// A question in the space of a set whose vectors were made shorter.
///
/// # Errors
/// It has other dimensions than the model's vectors.
pub fn as_short(query: Arc<[f32]>, set: &EmbeddingSet) -> Result<Arc<[f32]>, TaskError> {
    if set.reductions.is_empty() {
        return Ok(query);
    }
    let mut vector = Vectors::new(query.to_vec(), query.len())?;
    for reduction in set.reductions.iter() {
        vector = reduction.apply(&vector, &Progress::new())?;
    }
    Ok(vector.values().into())
}

fn card_of(set: &EmbeddingSet, fitted: &FittedReduction) -> ModelCard {
    let (base, way) = (&set.card, fitted.reduction());
    let (before, k) = (fitted.dimensions(), way.k());
    let by = match way {
        Reduction::Pca { .. } => format!("their first {k} principal components"),
        Reduction::Truncate { .. } => format!("their first {k} dimensions, brought back to their length"),
        Reduction::Random { .. } => format!("{k} random directions"),
    };
    let held = fitted.pca().and_then(|pca| pca.explained_so_far().last().copied());
    let held = held.map_or_else(String::new, |held| format!("; {:.0} % of the variance is kept", held * 100.0));
    let by_distance = matches!(way, Reduction::Pca { .. });
    // One command makes vectors shorter once.
    let command = format!(": `embedlens embed … --reduce {}` writes such vectors to a file", way.spelled());
    let command = if set.reductions.is_empty() { command } else { String::new() };
    let mut weaknesses = vec![format!("goes with what is loaded{command}")];
    if by_distance && set.metric() != Metric::Euclidean && !base.normalized {
        weaknesses.push(format!("its neighbours go by distance, those of {} do not", base.name));
    }
    ModelCard {
        id: base.id.shortened(&way.spelled()),
        name: format!("{} {}", base.name, way.spelled()),
        dimensions: k,
        precision: None,
        runs_as: None,
        similarity: match way.compared_by(set.metric()) {
            Metric::Cosine => Similarity::Cosine,
            Metric::Dot => Similarity::Dot,
            Metric::Euclidean => Similarity::Euclidean,
        },
        normalized: base.normalized && matches!(way, Reduction::Truncate { .. }),
        remarks: Vec::new(),
        source: ModelSource::Made { of: base.id.clone(), made_by: base.maker().cloned() },
        size_bytes: 0,
        about: format!(
            "The {before} dimensions of {} by {by}{held}. Questions are embedded by the same model and made as short.",
            base.name
        ),
        strengths: vec![format!("{} bytes a vector in the place of {}", 4 * k, 4 * before)],
        weaknesses,
        best_for: format!("seeing what {k} dimensions lose, beside {}", base.name),
        ..base.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ModelId;
    use crate::tasks::{EmbedRequest, LoadRequest, Only, Query, QueryRequest, answer, embed, load};
    use crate::vectors::RowId;

    #[test]
    #[cfg(feature = "bundled-models")]
    fn a_reduced_set_is_asked_as_the_whole_one() {
        let dir = tempfile::tempdir().unwrap();
        let texts = ["lentil soup", "a heron at the pond", "onion soup with bread", "the rocket left", "a duck swims"];
        for (at, text) in texts.iter().enumerate() {
            fs_err::write(dir.path().join(format!("{at}.txt")), text).unwrap();
        }
        let (env, progress) = (Environment::default(), Progress::new());
        let request = LoadRequest { paths: vec![dir.path().to_owned()], ..LoadRequest::default() };
        let corpus = Arc::new(load(&request, &env, &progress).unwrap());
        let request = EmbedRequest::new(corpus.clone(), ModelId("all-MiniLM-L6-v2-static-256".into()));
        let (whole, _) = embed(&request, &env, &progress).unwrap();
        let hits = |set: &EmbeddingSet| {
            let request = QueryRequest {
                corpus: corpus.clone(),
                sets: vec![Arc::new(set.clone())],
                query: Query::Text("soup".into()),
                top: 5,
                only: Only::default(),
            };
            let found = answer(&request, &env, &progress).unwrap();
            assert_eq!((&found.unanswered[..], found.vectors[0].1.len()), (&[][..], set.vectors.dim()));
            found.groups[0].hits.iter().map(|&(row, _)| row).collect::<Vec<_>>()
        };
        // Five vectors span four directions: nothing is lost, so that the order is the same.
        let short = reduced_set(&whole, Reduction::Pca { k: 4 }, &env, &progress).unwrap();
        assert_eq!((short.card.id.0.as_str(), short.vectors.dim()), ("all-MiniLM-L6-v2-static-256 pca:4", 4));
        assert_eq!((short.metric(), &short.rows), (Metric::Euclidean, &whole.rows));
        assert_eq!(hits(&short), hits(&whole));
        // And once more of that.
        let shorter = reduced_set(&short, Reduction::Random { k: 3, seed: 1 }, &env, &progress).unwrap();
        assert_eq!(shorter.card.name, format!("{} pca:4 random:3", whole.card.name));
        assert_eq!((shorter.reductions.len(), hits(&shorter).len()), (2, 5));
        assert_eq!(shorter.card.maker(), Some(&whole.card.id));
    }

    #[test]
    fn a_made_set_is_compared_as_the_one_it_is_made_of() {
        let ways = [Reduction::Pca { k: 2 }, Reduction::Truncate { k: 2 }, Reduction::Random { k: 2, seed: 1 }];
        let metrics = |similarity, normalized| {
            let mut set = plain_set(Vectors::new(vec![0.6, 0.0, 0.8, 0.0, 1.0, 0.0], 3).unwrap());
            (set.card.similarity, set.card.normalized) = (similarity, normalized);
            let made = |way| reduced_set(&set, way, &Environment::default(), &Progress::new()).unwrap().metric();
            (set.metric(), ways.map(made))
        };
        let (by_distance, by_angle, by_product) = (Metric::Euclidean, Metric::Cosine, Metric::Dot);
        assert_eq!(metrics(Similarity::Dot, true), (by_angle, [by_distance, by_angle, by_angle]));
        assert_eq!(metrics(Similarity::Dot, false), (by_product, [by_distance, by_product, by_product]));
        assert_eq!(metrics(Similarity::Cosine, false), (by_angle, [by_distance, by_angle, by_angle]));
        assert_eq!(metrics(Similarity::Euclidean, false), (by_distance, [by_distance; 3]));
    }

    #[test]
    fn the_share_told_is_that_of_the_set_made() {
        let (env, progress) = (Environment::default(), Progress::new());
        // Vectors of many lengths, off the origin.
        let value = |at: usize| ((at * 7919 % 104_729) as f32 * 0.613).sin() * (1 + at / 12 % 5) as f32 + 0.4;
        let vectors = Vectors::new((0..400 * 12).map(value).collect::<Vec<_>>(), 12).unwrap();
        let nearest = |set: &EmbeddingSet| {
            let index = set.graph.index(&set.vectors, set.metric());
            let of = |at: usize| {
                let others = |position: usize| position != at;
                index.top_k(set.vectors.row(at), 10, Some(&others)).into_iter().map(|hit| hit.position).collect()
            };
            (0..400).map(of).collect::<Vec<Vec<u32>>>()
        };
        for similarity in [Similarity::Cosine, Similarity::Dot, Similarity::Euclidean] {
            let mut set = plain_set(vectors.clone());
            (set.card.similarity, set.card.normalized) = (similarity, false);
            let whole = nearest(&set);
            let costs = reductions(&set, &env, &progress).unwrap();
            assert_eq!(costs.len(), 3);
            for cost in costs {
                let made = nearest(&reduced_set(&set, cost.reduction, &env, &progress).unwrap());
                let both = |(whole, made): (&Vec<u32>, &Vec<u32>)| whole.iter().filter(|at| made.contains(at)).count();
                let share = whole.iter().zip(&made).map(both).sum::<usize>() as f32 / 4000.0;
                assert!((share - cost.kept).abs() < 0.003, "{similarity:?} {cost:?}: {share}");
            }
        }
    }

    /// A set of a model that says nothing else.
    fn plain_set(vectors: Vectors) -> EmbeddingSet {
        let count = vectors.len();
        EmbeddingSet {
            revision: [0; 32],
            card: ModelCard::plain("m", vectors.dim()),
            fingerprint: String::new(),
            rows: (0..count as u32).map(RowId).collect(),
            vectors,
            reductions: Default::default(),
            graph: Default::default(),
            tokens: [].into(),
            cut: [].into(),
            notes: [].into(),
            failed: [].into(),
            cached: 0,
            shared: 0,
            embedded: count,
            seconds: 1.0,
            tokens_embedded: 0,
            model_memory_mb: None,
        }
    }
}
