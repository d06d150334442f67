//! Clusters against hdbscan and scikit-learn. The fixtures are made by `tests/fixtures/numerics/make_clusters.py`.
#![allow(clippy::unwrap_used)] // a helper that cannot read its fixture has no test to go on with

use std::collections::HashMap;
use std::path::PathBuf;

use embedlens::analysis::clusters::{
    ClusterParams, Clusters, Hierarchy, KMeansParams, Selection, average_linkage, k_means,
};
use embedlens::progress::Progress;
use embedlens::search::exact_graph;
use embedlens::vectors::{Metric, Vectors, npy};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/numerics").join(name)
}

fn list<T: npyz::Deserialize>(name: &str) -> Vec<T> {
    let bytes = fs_err::read(file(&format!("{name}.npy"))).unwrap();
    npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap()
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    x: String,
    min_size: usize,
    min_samples: usize,
    leaves: bool,
    epsilon: f64,
    clusters: usize,
    noise: usize,
}

impl Case {
    fn vectors(&self) -> Vectors {
        npy::read(&file(&format!("{}.npy", self.x))).unwrap()
    }

    fn params(&self) -> ClusterParams {
        let selection = if self.leaves { Selection::Leaves } else { Selection::ExcessOfMass };
        ClusterParams { min_size: self.min_size, selection, epsilon: self.epsilon, ..ClusterParams::default() }
    }
}

fn figures() -> serde_json::Value {
    serde_json::from_str(&fs_err::read_to_string(file("clusters.json")).unwrap()).unwrap()
}

fn cases() -> Vec<Case> {
    serde_json::from_value(figures()["cases"].clone()).unwrap()
}

/// Whether both say the same but for the numbers of clusters.
fn same_up_to_names(found: &[i32], expected: &[i32]) -> bool {
    let (mut there, mut back) = (HashMap::new(), HashMap::new());
    found.iter().zip(expected).all(|(&found, &expected)| {
        (found < 0) == (expected < 0)
            && *there.entry(found).or_insert(expected) == expected
            && *back.entry(expected).or_insert(found) == found
    })
}

/// The adjusted Rand index (Hubert and Arabie 1985), noise as one more cluster.
fn rand_index(a: &[i32], b: &[i32]) -> f64 {
    let pairs = |count: &u64| (count * count.saturating_sub(1)) as f64 / 2.0;
    let (mut both, mut left, mut right) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (&a, &b) in a.iter().zip(b) {
        *both.entry((a, b)).or_insert(0u64) += 1;
        *left.entry(a).or_insert(0u64) += 1;
        *right.entry(b).or_insert(0u64) += 1;
    }
    let (left, right): (f64, f64) = (left.values().map(pairs).sum(), right.values().map(pairs).sum());
    let expected = left * right / pairs(&(a.len() as u64));
    (both.values().map(pairs).sum::<f64>() - expected) / ((left + right) / 2.0 - expected)
}

fn check(case: &Case, found: &Clusters) {
    let labels: Vec<i32> = list(&format!("clusters-{}-labels", case.name));
    let name = &case.name;
    let index = rand_index(&found.labels, &labels);
    assert!(same_up_to_names(&found.labels, &labels), "{name}: adjusted Rand index {index}");
    assert_eq!(found.count(), case.clusters, "{name}");
    assert_eq!(found.labels.iter().filter(|&&label| label < 0).count(), case.noise, "{name}");
    for (what, found) in [("probabilities", &found.probabilities), ("outliers", &found.outliers)] {
        let expected: Vec<f32> = list(&format!("clusters-{name}-{what}"));
        for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-4, "{name} {what}[{row}]: {found}, expected {expected}");
        }
    }
    assert!(found.sizes.is_sorted_by(|a, b| a >= b));
}

#[test]
fn clusters_of_few_dimensions_are_those_of_hdbscan() {
    for case in cases() {
        let vectors = case.vectors();
        let Some(hierarchy) = Hierarchy::of_vectors(&vectors, case.min_samples, &Progress::new()).unwrap() else {
            continue;
        };
        check(&case, &hierarchy.clusters(&case.params()));
    }
}

#[test]
fn threads_change_nothing() {
    let vectors = cases()[0].vectors();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let hierarchy = pool.install(|| Hierarchy::of_vectors(&vectors, 5, &Progress::new())).unwrap().unwrap();
        hierarchy.clusters(&ClusterParams::default())
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn degenerate_input_does_no_harm() {
    let params = ClusterParams { min_size: 5, ..ClusterParams::default() };
    let of = |points: &[[f32; 2]]| Hierarchy::of_points(points, 5, &Progress::new()).unwrap().clusters(&params);
    for rows in [0, 1, 2, 3, 6] {
        let found = of(&vec![[1.0, 2.0]; rows]);
        assert_eq!((found.labels.len(), found.count()), (rows, 0));
    }
    let mut points = vec![[1.0f32, 2.0]; 20_000];
    points.extend(vec![[3.0, 3.0]; 30_000]);
    points.extend([[f32::NAN, 0.0], [0.0, f32::INFINITY], [f32::MAX, f32::MIN]]);
    let found = of(&points);
    assert_eq!(found.sizes, [30_000, 20_000]);
    assert_eq!(found.labels[50_000..], [-1, -1, -1]);
    assert!(found.probabilities.iter().chain(&found.outliers).all(|value| (0.0..=1.0).contains(value)));
    let progress = Progress::new();
    progress.cancel();
    assert!(Hierarchy::of_points(&points, 5, &progress).is_err());
}

#[test]
fn clusters_from_the_graph_agree_with_the_exact_ones() {
    for case in cases().iter().filter(|case| ["ten-0", "ten-1", "digits-0", "space-0"].contains(&case.name.as_str())) {
        let vectors = case.vectors();
        let graph = exact_graph(&vectors, Metric::Euclidean, 15, &Progress::new()).unwrap();
        let hierarchy = Hierarchy::of_graph(&vectors, &graph, case.min_samples, &Progress::new()).unwrap();
        let found = hierarchy.clusters(&case.params());
        let index = rand_index(&found.labels, &list::<i32>(&format!("clusters-{}-labels", case.name)));
        assert!(index > 0.98, "{}: {index}", case.name);
    }
}

#[test]
fn graphs_of_few_broken_or_equal_rows_do_no_harm() {
    let mut values = vec![1.0f32; 3 * 200];
    values.extend(vec![2.0; 3 * 300]);
    values.extend([f32::NAN, 0.0, 0.0, 0.0, 0.0, 0.0]);
    for metric in [Metric::Euclidean, Metric::Cosine, Metric::Dot] {
        for rows in [0, 1, 2, 5, 502] {
            let vectors = Vectors::new(values[..3 * rows].to_vec(), 3).unwrap();
            let graph = exact_graph(&vectors, metric, 6, &Progress::new()).unwrap();
            let hierarchy = Hierarchy::of_graph(&vectors, &graph, 5, &Progress::new()).unwrap();
            let found = hierarchy.clusters(&ClusterParams::default());
            assert_eq!(found.labels.len(), rows);
            if rows == 502 && metric == Metric::Euclidean {
                assert_eq!(found.sizes, [300, 200]);
            }
        }
    }
}

#[test]
fn k_means_is_as_good_as_that_of_scikit_learn() {
    let vectors = npy::read(&file("clusters-digits-x.npy")).unwrap();
    let figures = figures();
    for (k, expected) in figures["digits_inertia"].as_object().unwrap() {
        let params = KMeansParams { k: k.parse().unwrap(), starts: 10, ..KMeansParams::default() };
        let found = k_means(&vectors, &params, &Progress::new()).unwrap();
        assert!(found.inertia < 1.01 * expected.as_f64().unwrap(), "{k}: {} against {expected}", found.inertia);
        assert!(found.sizes.is_sorted_by(|a, b| a >= b) && found.sizes.iter().sum::<u32>() == 900);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(found, pool.install(|| k_means(&vectors, &params, &Progress::new())).unwrap());
    }
}

#[test]
fn k_means_of_degenerate_input_does_no_harm() {
    let of = |values: Vec<f32>, k| {
        let params = KMeansParams { k, ..KMeansParams::default() };
        k_means(&Vectors::new(values, 2).unwrap(), &params, &Progress::new()).unwrap()
    };
    assert!(of(vec![], 3).labels.is_empty());
    assert_eq!(of(vec![1.0, 2.0], 3).labels, [0]);
    assert_eq!(of(vec![1.0; 400], 3).inertia, 0.0);
    assert_eq!(of(vec![f32::NAN; 8], 0).labels, [0; 4]);
    assert_eq!(of(vec![f32::INFINITY, 0.0, 1.0, 5.0, 1.0, -5.0], 9).labels.len(), 3);
}

#[test]
fn centres_are_grouped_as_scipy_and_scikit_learn_group_them() {
    let centres = npy::read(&file("linkage-x.npy")).unwrap();
    for groups in [2, 9, 25] {
        let expected: Vec<i32> = list(&format!("linkage-{groups}"));
        let found = average_linkage(centres.values(), centres.dim(), groups);
        assert_eq!(found.iter().map(|&group| group as i32).collect::<Vec<_>>(), expected, "{groups} groups");
    }
}
