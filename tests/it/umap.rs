//! UMAP against umap-learn, and how it behaves. The fixtures are made by `tests/fixtures/numerics/make_umap.py`.
#![allow(clippy::unwrap_used)] // a helper that cannot read its fixture has no test to go on with

use std::path::PathBuf;

use embedlens::progress::Progress;
use embedlens::projection::{Curve, FuzzySet, Pca, ProjectionError, Umap, UmapParams, UmapStart};
use embedlens::search::{NeighbourGraph, exact_graph, top_k};
use embedlens::vectors::{Metric, Vectors, npy};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/numerics").join(name)
}

fn array(name: &str) -> Vectors {
    npy::read(&file(&format!("{name}.npy"))).unwrap()
}

fn json() -> serde_json::Value {
    serde_json::from_str(&fs_err::read_to_string(file("umap.json")).unwrap()).unwrap()
}

fn digit_labels() -> Vec<Option<u32>> {
    let bytes = fs_err::read(file("digits-y.npy")).unwrap();
    let labels: Vec<u8> = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap();
    labels.into_iter().map(|label| Some(u32::from(label))).collect()
}

fn graph(vectors: &Vectors, metric: Metric, k: usize) -> NeighbourGraph {
    exact_graph(vectors, metric, k, &Progress::new()).unwrap()
}

/// Digits, their neighbours and their principal components.
fn digits() -> (Vectors, NeighbourGraph, Vec<[f32; 2]>) {
    let x = array("digits-x");
    let graph = graph(&x, Metric::Euclidean, 14);
    let start = Pca::fit(&x, 2).unwrap().transform(&x).unwrap().rows().map(|row| [row[0], row[1]]).collect();
    (x, graph, start)
}

fn finished<const D: usize>(graph: &NeighbourGraph, start: &[[f32; D]], params: &UmapParams) -> Umap<D> {
    let mut umap = Umap::new(graph, start, params, None).unwrap();
    umap.run_to(usize::MAX);
    umap
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// Against a list of row, neighbour and weight.
fn assert_set(set: &FuzzySet, expected: &Vectors) {
    let mut dense = vec![0.0f32; 400 * 400];
    expected.rows().for_each(|edge| dense[400 * edge[0] as usize + edge[1] as usize] = edge[2]);
    assert_eq!(set.len(), 400);
    for row in 0..400 {
        let (columns, weights) = set.row(row);
        let mut found = vec![0.0; 400];
        columns.iter().zip(weights).for_each(|(&column, &weight)| found[column as usize] = weight);
        for (column, (found, expected)) in found.iter().zip(&dense[400 * row..]).enumerate() {
            assert!((found - expected).abs() <= 1e-4, "({row}, {column}): {found}, expected {expected}");
        }
    }
}

#[test]
fn the_fuzzy_set_equals_umap_learn_with_and_without_labels() {
    let (_, graph, _) = digits();
    let set = FuzzySet::from_graph(&graph, 15).unwrap();
    assert_set(&set, &array("umap-fuzzy"));
    let mut labels = digit_labels();
    labels.iter_mut().step_by(7).for_each(|label| *label = None);
    assert_set(&set.with_labels(&labels, 0.5).unwrap(), &array("umap-labels"));
    assert!(matches!(set.with_labels(&labels[1..], 0.5), Err(ProjectionError::LengthsDiffer { .. })));
}

#[test]
fn the_curve_equals_umap_learn() {
    let json = json();
    for expected in json["curves"].as_array().unwrap() {
        let number = |key: &str| expected[key].as_f64().unwrap();
        let found = Curve::fit(number("min_dist") as f32, number("spread") as f32);
        for (found, key) in [(found.a, "a"), (found.b, "b")] {
            assert!((f64::from(found) - number(key)).abs() < 1e-3, "{key}: {found}, expected {expected}");
        }
    }
}

/// Wherever it begins, on the plane and in space, the map is about as faithful as umap-learn's.
#[test]
fn maps_are_as_faithful_as_umap_learns() {
    let (x, graph, start) = digits();
    let theirs = json()["trustworthiness_10"][0].as_f64().unwrap() as f32;
    for start_at in [UmapStart::Given, UmapStart::Spectral, UmapStart::Random] {
        let params = UmapParams { start: start_at, ..UmapParams::default() };
        let map = finished(&graph, &start, &params);
        let ours = trustworthiness(&x, map.points());
        assert!(ours > theirs - 0.01, "{start_at:?}: {ours}, umap-learn {theirs}");
    }
    let deep: Vec<[f32; 3]> = start.iter().zip(x.rows()).map(|(at, row)| [at[0], at[1], row[20]]).collect();
    let map = finished(&graph, &deep, &UmapParams::default());
    assert!(map.points().iter().flatten().all(|value| value.is_finite()));
}

/// Share by rank, as scikit-learn has it, with 10 neighbours.
fn trustworthiness(x: &Vectors, points: &[[f32; 2]]) -> f32 {
    let flat = Vectors::new(points.iter().flatten().copied().collect::<Vec<_>>(), 2).unwrap();
    let n = x.len();
    let (near, all) = (graph(&flat, Metric::Euclidean, 10), graph(x, Metric::Euclidean, n - 1));
    let mut penalty = 0;
    for row in 0..n {
        for &other in near.of(row) {
            let rank = 1 + all.of(row).iter().position(|&at| at == other).unwrap();
            penalty += rank.saturating_sub(10);
        }
    }
    1.0 - 2.0 * penalty as f32 / (n * 10 * (2 * n - 31)) as f32
}

#[test]
fn bytes_do_not_depend_on_threads_or_on_how_the_way_was_cut() {
    let (_, graph, start) = digits();
    let params = UmapParams { epochs: Some(60), ..UmapParams::default() };
    let whole = in_pool(1, || finished(&graph, &start, &params));
    let cut = in_pool(3, || {
        let mut umap = Umap::new(&graph, &start, &params, None).unwrap();
        for epoch in [1, 2, 17, 17, 3, 59, 60, 61] {
            umap.run_to(epoch);
        }
        umap
    });
    assert_eq!(whole.points(), cut.points());
    assert_eq!((cut.epoch(), cut.epochs()), (60, 60));
    let other = finished(&graph, &start, &UmapParams { seed: 7, ..params });
    assert_ne!(whole.points(), other.points());
}

/// Middle of some points, and how far the furthest lies from it.
fn ball<const D: usize>(points: &[[f32; D]]) -> ([f32; D], f32) {
    let middle = std::array::from_fn(|axis| points.iter().map(|point| point[axis]).sum::<f32>() / points.len() as f32);
    let far = |point: &[f32; D]| point.iter().zip(middle).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
    (middle, points.iter().map(far).fold(0.0, f32::max))
}

/// Share of the ten nearest on the map that are among the ten nearest of the vectors.
fn kept<const D: usize>(near: &NeighbourGraph, points: &[[f32; D]]) -> f32 {
    let flat = Vectors::new(points.iter().flatten().copied().collect::<Vec<_>>(), D).unwrap();
    let on_map = graph(&flat, Metric::Euclidean, 10);
    let same = |row: usize| on_map.of(row).iter().filter(|other| near.of(row)[..10].contains(other)).count();
    (0..points.len()).map(same).sum::<usize>() as f32 / (10 * points.len()) as f32
}

/// Groups that share no neighbours lie beside each other, on the plane and in space, whole and as faithful within as a map of the
/// group alone; no pair of near points leaps away from the rest.
#[test]
fn groups_without_common_neighbours_stay_together() {
    fn check<const D: usize>(x: &Vectors, sizes: &[usize], params: &UmapParams) {
        let near = graph(x, Metric::Euclidean, 14);
        let start: Vec<[f32; D]> = x.rows().map(|row| std::array::from_fn(|axis| row[axis])).collect();
        let map = finished(&near, &start, params);
        let (mut first, mut widths, mut middles) = (0, 0.0, Vec::new());
        for &size in sizes {
            let (middle, width) = ball(&map.points()[first..first + size]);
            assert!(width < 8.0, "{D} dimensions: {size} points reach {width} from their middle");
            let own = x.select(first..first + size);
            let alone = graph(&own, Metric::Euclidean, 14);
            let theirs = finished(&alone, &start[first..first + size], params);
            let (together, apart) = (kept(&alone, &map.points()[first..first + size]), kept(&alone, theirs.points()));
            // Few points among many mostly push others than each other.
            let less = if size < 100 { 0.2 } else { 0.05 };
            assert!(together > apart - less, "{D} dimensions: {size} points keep {together}, alone {apart}");
            widths += width;
            middles.push((middle, width));
            first += size;
        }
        let (_, whole) = ball(map.points());
        assert!(whole < 2.5 * widths, "{D} dimensions: {whole} wide, its parts together {widths}");
        for (at, (one, width)) in middles.iter().enumerate() {
            for (other, wide) in &middles[..at] {
                let apart = one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                assert!(apart > 0.7 * (width + wide), "{D} dimensions: {apart} apart, {width} and {wide} wide");
            }
        }
    }
    let sizes = [700, 300, 40];
    let rows: usize = sizes.iter().sum();
    let mut random = 1u64;
    let mut unit = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 40) as f32 / (1u32 << 24) as f32 - 0.5
    };
    let group = |row: usize| usize::from(row >= sizes[0]) + usize::from(row >= sizes[0] + sizes[1]);
    let values: Vec<f32> = (0..6 * rows).map(|at| unit() + if at % 6 == group(at / 6) { 30.0 } else { 0.0 }).collect();
    let x = Vectors::new(values, 6).unwrap();
    for seed in [42, 7] {
        let params = UmapParams { seed, ..UmapParams::default() };
        check::<2>(&x, &sizes, &params);
        check::<3>(&x, &sizes, &params);
    }
}

#[test]
fn labels_part_what_they_part() {
    let (_, graph, start) = digits();
    let labels = digit_labels();
    let agreement = |labels_given: Option<&[Option<u32>]>| {
        let mut umap = Umap::new(&graph, &start, &UmapParams::default(), labels_given).unwrap();
        umap.run_to(usize::MAX);
        let flat = Vectors::new(umap.points().iter().flatten().copied().collect::<Vec<_>>(), 2).unwrap();
        let near = self::graph(&flat, Metric::Euclidean, 10);
        let same = (0..400).map(|row| near.of(row).iter().filter(|&&at| labels[at as usize] == labels[row]).count());
        same.sum::<usize>() as f32 / 4000.0
    };
    let (without, with) = (agreement(None), agreement(Some(&labels)));
    assert!(with > without && with > 0.97, "{without} without labels, {with} with them");
}

#[test]
fn odd_input_gives_finite_maps_or_says_why_not() {
    let params = UmapParams { epochs: Some(30), ..UmapParams::default() };
    let check = |values: Vec<f32>, metric: Metric| {
        let rows = values.len() / 2;
        let vectors = Vectors::new(values, 2).unwrap();
        let start: Vec<[f32; 2]> = vectors.rows().map(|row| [row[0], row[1]]).collect();
        let graph = graph(&vectors, metric, 14);
        match Umap::new(&graph, &start, &params, None) {
            Ok(mut umap) => {
                umap.run_to(30);
                assert_eq!(umap.points().len(), rows);
                assert!(umap.points().iter().flatten().all(|value| value.is_finite()), "{rows} rows");
            }
            Err(error) => assert_eq!(error, ProjectionError::NoNeighbours { rows }),
        }
    };
    for metric in [Metric::Euclidean, Metric::Cosine] {
        for rows in [0, 1, 2, 3, 5, 16, 17, 33] {
            check((0..2 * rows).map(|at| (at * at % 7) as f32).collect(), metric);
        }
        check([1.0, 2.0].repeat(3000), metric);
        check([1.0, 2.0, f32::NAN, 3.0, 4.0, 4.5, -1.0, 1.0, 1e30, -1e30, f32::INFINITY, 0.0].to_vec(), metric);
        check([f32::NAN; 20].to_vec(), metric);
    }
    let graph = NeighbourGraph::new(1, Metric::Euclidean, [1, 9], [-1.0, -1.0]);
    let wrong = Umap::new(&graph, &[[0.0, 0.0], [1.0, 1.0]], &params, None);
    assert_eq!(wrong.err(), Some(ProjectionError::NoSuchRow { row: 9, rows: 2 }));
    assert!(matches!(
        Umap::new(&graph, &[[0.0, 0.0]], &params, None).err(),
        Some(ProjectionError::LengthsDiffer { .. })
    ));
}

#[test]
fn parameters_can_change_on_the_way() {
    let (x, graph, start) = digits();
    let mut umap = Umap::new(&graph, &start, &UmapParams::default(), None).unwrap();
    umap.run_to(100);
    let before = umap.curve();
    umap.set_min_dist(0.8, 1.0);
    umap.set_repulsion(3, 1.5);
    umap.set_learning_rate(f32::NAN);
    umap.run_to(500);
    assert!(umap.curve().a < before.a);
    assert!(trustworthiness(&x, umap.points()) > 0.9);
}

#[test]
fn a_snapshot_goes_on_as_if_it_had_never_been_put_away() {
    let (_, graph, start) = digits();
    let labels = digit_labels();
    let mut whole = Umap::new(&graph, &start, &UmapParams::default(), Some(&labels)).unwrap();
    whole.run_to(40);
    whole.set_min_dist(0.3, 1.0);
    let text = serde_json::to_string(&whole.snapshot()).unwrap();
    let mut again = Umap::<2>::resume(&graph, &serde_json::from_str(&text).unwrap(), Some(&labels)).unwrap();
    assert_eq!(again.epoch(), 40);
    whole.run_to(80);
    again.run_to(80);
    assert_eq!(whole.points(), again.points());
}

/// A quarter of the digits, placed by their neighbours among the others, comes to lie among its like.
#[test]
fn new_points_are_placed_among_their_like() {
    let x = array("digits-x");
    let labels = digit_labels();
    let old = Vectors::new(x.values()[..300 * x.dim()].to_vec(), x.dim()).unwrap();
    let start: Vec<[f32; 2]> =
        Pca::fit(&old, 2).unwrap().transform(&old).unwrap().rows().map(|row| [row[0], row[1]]).collect();
    let umap = finished(&graph(&old, Metric::Euclidean, 14), &start, &UmapParams::default());
    let found: Vec<_> = (300..400).flat_map(|row| top_k(&old, x.row(row), Metric::Euclidean, 15, None)).collect();
    let indices: Vec<u32> = found.iter().map(|hit| hit.position).collect();
    let scores: Vec<f32> = found.iter().map(|hit| hit.score).collect();
    let neighbours = NeighbourGraph::new(15, Metric::Euclidean, indices, scores);
    let placed = umap.transform(&neighbours).unwrap();
    assert_eq!(placed, in_pool(1, || umap.transform(&neighbours).unwrap()));
    let map = Vectors::new(umap.points().iter().flatten().copied().collect::<Vec<_>>(), 2).unwrap();
    let right = placed.iter().zip(&labels[300..]).filter(|(at, label)| {
        let near = top_k(&map, at.as_slice(), Metric::Euclidean, 5, None);
        near.iter().filter(|hit| labels[hit.position as usize] == **label).count() >= 3
    });
    let right = right.count();
    assert!(right >= 85, "{right} of 100");
    let nobody = NeighbourGraph { scores: vec![f32::NEG_INFINITY; 1500].into(), ..neighbours.clone() };
    assert!(umap.transform(&nobody).unwrap().iter().flatten().all(|value| value.is_finite()));
    let none = NeighbourGraph { indices: [].into(), scores: [].into(), ..neighbours.clone() };
    assert!(umap.transform(&none).unwrap().is_empty());
    let wrong = NeighbourGraph { indices: vec![300; 1500].into(), ..neighbours };
    assert_eq!(umap.transform(&wrong), Err(ProjectionError::NoSuchRow { row: 300, rows: 300 }));
}
