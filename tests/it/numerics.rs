//! The numerics against outside references: scikit-learn, `SciPy`, openTSNE and linfa. The fixtures and how they were made are in
//! `tests/fixtures/numerics`.
#![allow(clippy::unwrap_used)] // a helper that cannot read its fixture has no test to go on with

use std::path::PathBuf;

use embedlens::analysis::{linear_cka, neighbour_overlap, procrustes, rank_biased_overlap};
use embedlens::progress::Progress;
use embedlens::projection::{
    Affinities, Pca, Tsne, TsneParams, linfa_tsne, neighbours_needed, noise, quality, quality_by_point,
};
use embedlens::search::{NeighbourGraph, exact_graph, top_k};
use embedlens::vectors::{Metric, Vectors, npy};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/numerics").join(name)
}

fn array(name: &str) -> Vectors {
    npy::read(&file(&format!("{name}.npy"))).unwrap()
}

/// A one-dimensional array of f32.
fn list(name: &str) -> Vec<f32> {
    let bytes = fs_err::read(file(&format!("{name}.npy"))).unwrap();
    npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
}

fn integers(name: &str) -> Vec<i32> {
    let bytes = fs_err::read(file(&format!("{name}.npy"))).unwrap();
    npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
}

fn plane(vectors: &Vectors) -> Vec<[f32; 2]> {
    vectors.rows().map(|row| [row[0], row[1]]).collect()
}

fn json(name: &str) -> serde_json::Value {
    serde_json::from_str(&fs_err::read_to_string(file(name)).unwrap()).unwrap()
}

fn number(value: &serde_json::Value, path: &str) -> f64 {
    value.pointer(path).and_then(serde_json::Value::as_f64).unwrap_or_else(|| panic!("no number at {path}"))
}

fn assert_close(found: &[f32], expected: &[f32], bound: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= bound, "{what}[{at}]: {found}, expected {expected}");
    }
}

fn graph(vectors: &Vectors, metric: Metric, k: usize) -> NeighbourGraph {
    exact_graph(vectors, metric, k, &Progress::new()).unwrap()
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// Tall by columns, wide by rows: equal to scikit-learn, signs included.
#[test]
fn pca_equals_scikit_learn() {
    for (prefix, k) in [("pca-", 10), ("wide-", 8)] {
        let of = |name: &str| array(&format!("{prefix}{name}"));
        let x = of("x");
        let pca = Pca::fit(&x, k).unwrap();
        assert_close(&pca.mean, &list(&format!("{prefix}mean")), 1e-5, "mean");
        assert_close(&pca.components, of("components").values(), 1e-4, "components");
        assert_close(pca.transform(&x).unwrap().values(), of("projected").values(), 5e-4, "projected");
        let variance = list(&format!("{prefix}variance"));
        for (found, expected) in pca.explained_variance.iter().zip(&variance) {
            assert!((found / expected - 1.0).abs() < 1e-4, "variance {found}, expected {expected}");
        }
        assert_close(&pca.explained_variance_ratio, &list(&format!("{prefix}ratio")), 1e-5, "ratio");
    }
}

#[test]
fn pca_finds_the_directions_linfa_finds() {
    use linfa::traits::Fit;
    let x = array("digits-x");
    let ours = Pca::fit(&x, 5).unwrap();
    let values = x.values().iter().map(|&value| f64::from(value)).collect();
    let records = ndarray::Array2::from_shape_vec((x.len(), x.dim()), values).unwrap();
    let theirs = linfa_reduction::Pca::params(5).fit(&linfa::DatasetBase::from(records)).unwrap();
    for (ours, theirs) in ours.components.chunks(x.dim()).zip(theirs.components().rows()) {
        let along: f64 = ours.iter().zip(theirs).map(|(&a, b)| f64::from(a) * b).sum();
        let length: f64 = theirs.iter().map(|value| value * value).sum::<f64>().sqrt();
        assert!((along / length).abs() > 0.9999, "{}", along / length);
    }
}

#[test]
fn neighbours_equal_scikit_learns() {
    let x = array("digits-x");
    let cases = [
        (Metric::Cosine, "digits-knn-cosine", "digits-knn-cosine-scores", 1.0),
        (Metric::Euclidean, "digits-knn-euclidean", "digits-knn-euclidean-distances", -1.0),
    ];
    for (metric, indices, scores, sign) in cases {
        let (graph, expected) = (graph(&x, metric, 15), array(scores));
        assert_eq!((graph.len(), graph.k), (400, 15));
        let same = graph.indices.iter().zip(integers(indices)).filter(|(found, expected)| **found == *expected as u32);
        assert!(same.count() >= 400 * 15 - 12, "all but ties");
        for (found, expected) in graph.scores.iter().zip(expected.values()) {
            assert!((sign * found - expected).abs() < 1e-4, "{found}, expected {expected}");
        }
        let hits = top_k(&x, x.row(17), metric, 16, None);
        assert_eq!(hits[1..].iter().map(|hit| hit.position).collect::<Vec<_>>(), graph.of(17));
    }
}

#[test]
fn affinities_equal_scikit_learns_and_the_sparse_ones_come_as_near_as_opentsnes() {
    let (x, expected, known) = (array("digits-x"), array("digits-p-rows"), json("digits-quality.json"));
    let dense = |affinities: &Affinities| {
        let mut all = vec![0.0f32; 400 * 400];
        for row in 0..400 {
            let (columns, weights) = affinities.row(row);
            columns.iter().zip(weights).for_each(|(&column, &weight)| all[row * 400 + column as usize] = weight);
        }
        all
    };
    let whole = graph(&x, Metric::Euclidean, 399);
    let found = dense(&Affinities::from_graph(&whole, 399, 30.0).unwrap());
    for (found, expected) in found.iter().zip(expected.values()) {
        assert!((found - expected).abs() <= 1e-4 * expected + 1e-9, "{found}, expected {expected}");
    }
    let needed = neighbours_needed(30.0, 400);
    assert_eq!(needed, 90);
    let sparse = dense(&Affinities::from_graph(&whole, needed, 30.0).unwrap());
    let away: f64 = sparse.iter().zip(expected.values()).map(|(a, b)| f64::from((a - b).abs()) / 2.0).sum();
    let theirs = number(&known, "/p/opentsne_nn_p_total_variation_from_p");
    assert!((away - theirs).abs() < 0.005, "{away}, openTSNE {theirs}");
}

#[test]
fn gradient_and_divergence_equal_scikit_learns() {
    let (p, known) = (array("tsne60-p"), json("tsne60.json"));
    let affinities = Affinities::from_dense(p.values(), 60, 15.0);
    let tsne = Tsne::at(affinities, plane(&array("tsne60-y")), &TsneParams::default()).unwrap();
    assert!((f64::from(tsne.kl()) - number(&known, "/kl")).abs() < 1e-4);
    assert_close(tsne.gradient().as_flattened(), array("tsne60-grad").values(), 1e-6, "gradient");
    let near = graph(&array("tsne60-x"), Metric::Euclidean, 59);
    let made = Affinities::from_graph(&near, 59, 15.0).unwrap();
    let whole = Tsne::at(made, plane(&array("tsne60-y")), &TsneParams::default()).unwrap();
    assert!((f64::from(whole.kl()) - number(&known, "/kl")).abs() < 1e-3);
}

fn lay_out(x: &Vectors, params: &TsneParams) -> Tsne {
    let graph = graph(x, Metric::Euclidean, neighbours_needed(params.perplexity, x.len()));
    let start = Pca::fit(x, 2).unwrap().plane(x).unwrap();
    let mut tsne = Tsne::new(&graph, &start, params).unwrap();
    tsne.run_to(params.iterations);
    tsne
}

/// By the mean of as many starts as openTSNE had: a map of so few points ends in one of several valleys, a few per cent apart, by the
/// last bits of its start.
#[test]
fn the_map_is_no_worse_than_opentsnes() {
    let (x, known) = (array("digits-x"), json("digits-quality.json"));
    let params = TsneParams::default();
    let seeds = known["default_settings"].as_array().unwrap();
    let theirs = |of: &str| seeds.iter().map(|seed| number(seed, of)).sum::<f64>() / seeds.len() as f64;
    let near = graph(&x, Metric::Euclidean, neighbours_needed(params.perplexity, x.len()));
    let start = Pca::fit(&x, 2).unwrap().plane(&x).unwrap();
    let spread = (start.iter().map(|point| point[0] * point[0]).sum::<f32>() / start.len() as f32).sqrt();
    let dense = Affinities::from_dense(array("digits-p-rows").values(), 400, 30.0);
    let (mut exact, mut own, mut trust) = (0.0, 0.0, 0.0);
    for seed in 0..seeds.len() as u64 {
        let jitter = noise(start.len(), seed);
        let moved = |(at, by): (&[f32; 2], &[f32; 2])| [0, 1].map(|axis| at[axis] + 0.01 * spread * by[axis]);
        let start: Vec<[f32; 2]> = start.iter().zip(&jitter).map(moved).collect();
        let mut tsne = Tsne::new(&near, &start, &params).unwrap();
        tsne.run_to(params.iterations);
        exact += f64::from(Tsne::at(dense.clone(), tsne.points().to_vec(), &params).unwrap().kl());
        own += f64::from(tsne.kl());
        trust += f64::from(quality(&x, tsne.points(), 2000, 1, &Progress::new()).unwrap().trustworthiness);
    }
    let count = seeds.len() as f64;
    let (exact, own, trust) = (exact / count, own / count, trust / count);
    assert!(
        exact <= 1.005 * theirs("/opentsne_kl_exact"),
        "divergence {exact}, openTSNE's {}",
        theirs("/opentsne_kl_exact")
    );
    assert!(own <= 1.005 * theirs("/opentsne_kl_divergence"), "divergence {own}");
    assert!(trust >= theirs("/opentsne_trustworthiness_10") - 0.005, "trust {trust}");
}

#[test]
fn the_map_is_no_worse_than_linfas() {
    let x = array("digits-x");
    let params = TsneParams::default();
    let trust = |points: &[[f32; 2]]| quality(&x, points, 2000, 1, &Progress::new()).unwrap().trustworthiness;
    let (ours, theirs) = (trust(lay_out(&x, &params).points()), trust(&linfa_tsne(&x, &params).unwrap()));
    assert!(ours >= theirs - 0.01, "{ours}, linfa {theirs}");
}

#[test]
fn quality_equals_scikit_learns() {
    let (x, map, known) = (array("digits-x"), plane(&array("digits-layout")), json("digits-quality.json"));
    let (found, by_point) = quality_by_point(&x, &map, 2000, 1, &Progress::new()).unwrap();
    assert_eq!((found.sampled, by_point.len()), (400, 400));
    for (found, name) in
        [(found.trustworthiness, "/layout/trustworthiness_10"), (found.continuity, "/layout/continuity_10")]
    {
        assert!((f64::from(found) - number(&known, name)).abs() < 1e-4, "{name}: {found}");
    }
    // Equal distances at the tenth neighbour may fall either way.
    assert!((f64::from(found.neighbours_kept) - number(&known, "/layout/knn_10_kept")).abs() < 1e-3);
    let sampled = quality(&x, &map, 150, 1, &Progress::new()).unwrap();
    assert!((sampled.trustworthiness - found.trustworthiness).abs() < 0.01 && sampled.sampled == 150);
}

#[test]
fn agreement_equals_scipys_and_the_papers() {
    let (a, b, known) = (array("agree-a"), array("agree-b"), json("agree.json"));
    assert!((linear_cka(&a, &b).unwrap() - number(&known, "/linear_cka")).abs() < 1e-5);
    assert!((procrustes(&a, &b).unwrap() - number(&known, "/procrustes_disparity")).abs() < 1e-5);
    let overlap = neighbour_overlap(&graph(&a, Metric::Cosine, 10), &graph(&b, Metric::Cosine, 10));
    let mean = overlap.iter().map(|&share| f64::from(share)).sum::<f64>() / 200.0;
    assert!((mean - number(&known, "/knn_10_cosine_overlap")).abs() < 1e-6, "{mean}");
    for case in json("rbo.json").as_array().unwrap() {
        let list = |name: &str| {
            case[name].as_array().unwrap().iter().filter_map(serde_json::Value::as_u64).collect::<Vec<_>>()
        };
        let found = rank_biased_overlap(&list("a"), &list("b"), number(case, "/p"));
        assert!((found - number(case, "/rbo_ext")).abs() < 1e-9, "{}: {found}", case["name"]);
    }
}

/// Everything that runs in parallel gives the same bytes with one thread and with two.
#[test]
fn threads_change_nothing() {
    let x = array("digits-x");
    let all = || {
        let pca = Pca::fit(&x, 5).unwrap();
        let tsne = lay_out(&x, &TsneParams { iterations: 300, ..TsneParams::default() });
        let found = quality(&x, tsne.points(), 100, 1, &Progress::new()).unwrap();
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let cka = linear_cka(&x, &pca.transform(&x).unwrap()).unwrap();
        (bits(&pca.components), bits(tsne.points().as_flattened()), tsne.kl().to_bits(), found, cka.to_bits())
    };
    assert_eq!(in_pool(1, all), in_pool(2, all));
}

#[test]
fn a_run_cut_in_two_is_the_same_run() {
    let x = array("digits-x");
    let whole = lay_out(&x, &TsneParams { iterations: 300, ..TsneParams::default() });
    let mut cut = lay_out(&x, &TsneParams { iterations: 100, ..TsneParams::default() });
    assert_eq!(cut.iteration(), 100);
    cut.run_to(300);
    assert_eq!(whole.points(), cut.points());
}
