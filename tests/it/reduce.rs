//! Shorter vectors and the measures of maps against scikit-learn and `SciPy`. The fixtures and how they were made are in
//! `tests/fixtures/numerics` (`make_reduce.py`).
#![allow(clippy::unwrap_used)] // a helper that cannot read its fixture has no test to go on with

use std::ops::Range;
use std::path::PathBuf;

use embedlens::progress::Progress;
use embedlens::projection::{
    CostSettings, MapNeighbours, Pca, Reduction, distance_correlation, quality_by_point, reduction_costs,
};
use embedlens::search::exact_graph;
use embedlens::vectors::{Metric, RowBlocks, Vectors, VectorsError, normalize_rows, npy};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/numerics").join(name)
}

fn array(name: &str) -> Vectors {
    npy::read(&file(&format!("{name}.npy"))).unwrap()
}

fn known() -> serde_json::Value {
    serde_json::from_str(&fs_err::read_to_string(file("reduce.json")).unwrap()).unwrap()
}

fn assert_near(found: f32, expected: &serde_json::Value, bound: f64, what: &str) {
    let expected = expected.as_f64().unwrap();
    assert!((f64::from(found) - expected).abs() <= bound, "{what}: {found}, expected {expected}");
}

#[test]
fn the_share_explained_so_far_equals_scikit_learns() {
    let known = known();
    let pca = Pca::fit(&array("digits-x"), 40).unwrap();
    for (at, share) in pca.explained_so_far().iter().enumerate() {
        assert_near(*share, &known["explained_so_far"][at], 1e-5, "explained");
    }
}

/// Rows that are made when asked for, as those of a file would be.
struct Lent(Vectors);

impl RowBlocks for Lent {
    fn row_count(&self) -> usize {
        self.0.len()
    }

    fn row_length(&self) -> usize {
        self.0.dim()
    }

    fn block<'a>(&'a self, rows: Range<usize>, room: &'a mut Vec<f32>) -> Result<&'a [f32], VectorsError> {
        room.clear();
        rows.for_each(|row| room.extend_from_slice(self.0.row(row)));
        Ok(room)
    }
}

#[test]
fn rows_read_in_blocks_have_the_components_of_rows_in_memory() {
    for name in ["digits-x", "wide-x"] {
        let x = array(name);
        let whole = Pca::fit(&x, 5).unwrap();
        let read = Pca::fit_blocks(&Lent(x.clone()), 5, &Progress::new()).unwrap();
        assert_eq!(whole, read);
        let coordinates = read.transform_blocks(&Lent(x.clone()), &Progress::new()).unwrap();
        assert_eq!(coordinates.values(), whole.transform(&x).unwrap().values());
    }
}

#[test]
fn neighbours_kept_by_shorter_vectors_equal_scikit_learns() {
    let known = known();
    let x = array("digits-x");
    let mut unit = x.values().to_vec();
    normalize_rows(&mut unit, x.dim());
    let unit = Vectors::new(unit, x.dim()).unwrap();
    let costs = reduction_costs(&unit, &[4, 16, 32], &CostSettings::default(), &Progress::new()).unwrap();
    assert_eq!(costs.len(), 9);
    for cost in costs {
        let kept = &known["kept"][cost.reduction.k().to_string()];
        match cost.reduction {
            Reduction::Pca { .. } => assert_near(cost.kept, &kept["pca"], 2e-3, "PCA"),
            // The first few pixels take few values, so many neighbours are equally far and may be either.
            Reduction::Truncate { .. } => assert_near(cost.kept, &kept["truncate"], 5e-3, "first dimensions"),
            Reduction::Random { k, .. } => {
                let best = kept["pca"].as_f64().unwrap();
                assert!(f64::from(cost.kept) < best && cost.kept > 0.1, "random {k}: {}", cost.kept);
            }
        }
        assert_eq!(cost.bytes, 4 * cost.reduction.k());
    }
}

#[test]
fn the_quality_of_a_map_in_space_equals_scikit_learns() {
    let (x, known) = (array("digits-x"), known());
    let solid = Pca::fit(&x, 3).unwrap().transform(&x).unwrap();
    let points: Vec<[f32; 3]> = solid.rows().map(|row| [row[0], row[1], row[2]]).collect();
    let (found, by_point) = quality_by_point(&x, &points, 2000, 1, &Progress::new()).unwrap();
    assert_near(found.trustworthiness, &known["solid"]["trustworthiness"], 1e-4, "trustworthiness");
    assert_near(found.continuity, &known["solid"]["continuity"], 1e-4, "continuity");
    assert_near(found.neighbours_kept, &known["solid"]["kept"], 1e-3, "kept");
    let mean = by_point.iter().map(|point| point.trustworthiness).sum::<f32>() / by_point.len() as f32;
    assert!((mean - found.trustworthiness).abs() < 1e-5);
    let graph = exact_graph(&x, Metric::Euclidean, 10, &Progress::new()).unwrap();
    let all = MapNeighbours::new(&points).of_all(&graph, 10, &|_, _| false, &Progress::new()).unwrap();
    let mean = all.iter().map(|point| point.kept).sum::<f32>() / all.len() as f32;
    assert_near(mean, &known["solid"]["kept"], 1e-3, "kept of all");
}

#[test]
fn distances_and_neighbours_of_a_plane_map_equal_scipys_and_scikit_learns() {
    let (x, known) = (array("digits-x"), known());
    let points: Vec<[f32; 2]> = array("digits-layout").rows().map(|row| [row[0], row[1]]).collect();
    let found = distance_correlation(&x, &points, 2000, 1, &Progress::new()).unwrap();
    assert_eq!(found.pairs, 400 * 399 / 2);
    assert_near(found.pearson, &known["layout"]["pearson"], 1e-5, "Pearson");
    assert_near(found.spearman, &known["layout"]["spearman"], 1e-5, "Spearman");
    let graph = exact_graph(&x, Metric::Euclidean, 30, &Progress::new()).unwrap();
    let map = MapNeighbours::new(&points);
    let all = map.of_all(&graph, 10, &|_, _| false, &Progress::new()).unwrap();
    let mean = |of: fn(&embedlens::projection::PointNeighbours) -> f32| all.iter().map(of).sum::<f32>() / 400.0;
    assert_near(mean(|point| point.kept), &known["layout"]["kept"], 1e-3, "kept");
    assert_near(mean(|point| point.trust), &known["layout"]["trust_30"], 1e-3, "trust");
}
