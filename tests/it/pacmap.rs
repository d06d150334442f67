//! `PaCMAP` against the authors' package, and how it behaves. The fixtures are made by `tests/fixtures/numerics/make_pacmap.py`.
#![allow(clippy::unwrap_used)] // a helper that cannot read its fixture has no test to go on with

use std::collections::HashSet;
use std::path::PathBuf;

use embedlens::progress::Progress;
use embedlens::projection::{
    Pacmap, PacmapPairs, PacmapParams, PairCounts, PairWeights, Pca, ProjectionError, pacmap_place,
};
use embedlens::search::{NeighbourGraph, exact_graph, top_k};
use embedlens::vectors::{Metric, Vectors, npy};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/numerics").join(name)
}

fn array(name: &str) -> Vectors {
    npy::read(&file(&format!("{name}.npy"))).unwrap()
}

fn points(name: &str) -> Vec<[f32; 2]> {
    array(name).rows().map(|row| [row[0], row[1]]).collect()
}

fn json() -> serde_json::Value {
    serde_json::from_str(&fs_err::read_to_string(file("pacmap.json")).unwrap()).unwrap()
}

/// The pairs that the package made of the digits: each row's partners of one kind.
fn partners(name: &str) -> Vec<[u32; 2]> {
    let bytes = fs_err::read(file(&format!("{name}.npy"))).unwrap();
    let all: Vec<i32> = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap();
    let each = all.len() / 400;
    (0u32..).zip(&all).map(|(at, &end)| [at / each as u32, end as u32]).collect()
}

fn their_pairs() -> PacmapPairs {
    PacmapPairs::from_lists(400, &partners("pacmap-near"), &partners("pacmap-mid"), &partners("pacmap-further"))
}

fn graph(vectors: &Vectors, metric: Metric, k: usize) -> NeighbourGraph {
    exact_graph(vectors, metric, k, &Progress::new()).unwrap()
}

/// Digits, their neighbours and their principal components.
fn digits() -> (Vectors, NeighbourGraph, Vec<[f32; 2]>) {
    let x = array("digits-x");
    let graph = graph(&x, Metric::Euclidean, 60);
    let start = Pca::fit(&x, 2).unwrap().transform(&x).unwrap().rows().map(|row| [row[0], row[1]]).collect();
    (x, graph, start)
}

fn finished<const D: usize>(
    (x, graph): (&Vectors, &NeighbourGraph),
    start: &[[f32; D]],
    params: &PacmapParams,
) -> Pacmap<D> {
    let mut map = Pacmap::new(graph, x, start, params).unwrap();
    map.run_to(usize::MAX);
    map
}

fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

fn set(pairs: &[[u32; 2]]) -> HashSet<[u32; 2]> {
    pairs.iter().copied().collect()
}

#[test]
fn pairs_of_neighbours_equal_the_packages() {
    let (x, graph, _) = digits();
    let pairs = PacmapPairs::new(&graph, &x, &PacmapParams::default(), &Progress::new()).unwrap();
    assert_eq!(set(&pairs.near()), set(&partners("pacmap-near")));
}

/// Each point begins as many pairs as it should, none with itself, none twice, no further pair with a neighbour; mid-near pairs lie
/// nearer than further ones but further than neighbours; other seeds give other pairs.
#[test]
fn pairs_at_random_are_what_they_should_be() {
    let (x, graph, _) = digits();
    for (rows, ratio) in [(400, 2.0), (60, 2.0), (40, 2.0), (400, 7.5)] {
        let x = x.select(0..rows);
        let graph = if rows == 400 { graph.clone() } else { self::graph(&x, Metric::Euclidean, 60) };
        let params = PacmapParams { fp_ratio: ratio, ..PacmapParams::default() };
        let of = |seed: u64| PacmapPairs::new(&graph, &x, &PacmapParams { seed, ..params }, &Progress::new()).unwrap();
        let (pairs, again, other) = (of(42), of(42), of(43));
        assert_eq!((pairs.mid(), pairs.further()), (again.mid(), again.further()));
        assert!(pairs.mid() != other.mid() && pairs.further() != other.further());
        let counts = params.counts(rows);
        for (kind, each) in [(pairs.near(), counts.near), (pairs.mid(), counts.mid), (pairs.further(), counts.further)]
        {
            let mut begun = vec![0; rows];
            kind.iter().for_each(|pair| begun[pair[0] as usize] += 1);
            assert_eq!(begun, vec![each; rows], "{rows} rows");
            assert_eq!(set(&kind).len(), kind.len(), "{rows} rows: a pair twice");
            assert!(kind.iter().all(|pair| pair[0] != pair[1] && (pair[1] as usize) < rows));
        }
        assert!(set(&pairs.near()).is_disjoint(&set(&pairs.further())));
        let mean = |pairs: &[[u32; 2]]| {
            let far = |&[a, b]: &[u32; 2]| embedlens::vectors::squared_distance(x.row(a as usize), x.row(b as usize));
            pairs.iter().map(far).sum::<f32>() / pairs.len() as f32
        };
        let [near, mid, further] = [mean(&pairs.near()), mean(&pairs.mid()), mean(&pairs.further())];
        assert!(near < 0.8 * mid && mid < 0.95 * further, "{rows} rows: {near}, {mid}, {further}");
        // All points are as likely as any other to be pushed: twenty of 400, each about twenty times.
        let mut met = vec![0; rows];
        pairs.further().iter().for_each(|pair| met[pair[1] as usize] += 1);
        assert!(met.iter().all(|&times| times > 0 && times < 3 * counts.further), "{met:?}");
    }
}

#[test]
fn weights_and_numbers_of_pairs_equal_the_packages() {
    let json = json();
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    for expected in json["weights"].as_array().unwrap() {
        let expected = numbers(expected);
        let found = PacmapParams::default().weights(expected[0] as usize);
        for (found, expected) in [found.mid, found.near, found.further].iter().zip(&expected[1..]) {
            assert!((f64::from(*found) - expected).abs() < 1e-3, "{found}, expected {expected}");
        }
    }
    for expected in json["counts"].as_array().unwrap() {
        let number = |key: &str| expected[key].as_f64().unwrap();
        let params = PacmapParams {
            n_neighbors: expected["n_neighbors"].as_u64().map(|near| near as usize),
            mn_ratio: number("mn_ratio") as f32,
            fp_ratio: number("fp_ratio") as f32,
            ..PacmapParams::default()
        };
        let [near, mid, further] = ["near", "mid", "further"].map(|key| number(key) as usize);
        assert_eq!(params.counts(number("n") as usize), PairCounts { near, mid, further }, "{expected}");
    }
    let short = PacmapParams { iterations: 90, ..PacmapParams::default() };
    assert_eq!([19, 20, 39, 40].map(|iteration| short.weights(iteration).near), [2.0, 3.0, 3.0, 1.0]);
}

#[test]
fn the_gradient_equals_the_packages() {
    let map = Pacmap::at(&their_pairs(), points("pacmap-layout"), &PacmapParams::default()).unwrap();
    let expected = points("pacmap-gradients");
    for (iteration, expected) in [0, 150, 300].into_iter().zip(expected.chunks(400)) {
        let found = map.gradient(PacmapParams::default().weights(iteration));
        let scale = expected.iter().flatten().fold(0.0f32, |most, value| most.max(value.abs())).max(1.0);
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() < 1e-4 * scale, "{iteration}: {found}, expected {expected}");
        }
    }
}

/// Further pairs by how far on they stand, with those that were exchanged, push as their list does.
#[test]
fn the_gradient_does_not_depend_on_how_pairs_are_held() {
    let (x, graph, _) = digits();
    for rows in [400, 50, 17] {
        let x = x.select(0..rows);
        let graph = if rows == 400 { graph.clone() } else { self::graph(&x, Metric::Euclidean, 60) };
        let pairs = PacmapPairs::new(&graph, &x, &PacmapParams::default(), &Progress::new()).unwrap();
        let listed = PacmapPairs::from_lists(rows, &pairs.near(), &pairs.mid(), &pairs.further());
        let layout = points("pacmap-layout")[..rows].to_vec();
        let weights = PairWeights { near: 2.0, mid: 3.0, further: 1.0 };
        let of = |pairs: &PacmapPairs| {
            Pacmap::at(pairs, layout.clone(), &PacmapParams::default()).unwrap().gradient(weights)
        };
        for (a, b) in of(&pairs).iter().flatten().zip(of(&listed).iter().flatten()) {
            assert!((a - b).abs() < 1e-4, "{rows} rows: {a}, {b}");
        }
    }
}

#[test]
fn twenty_iterations_move_points_as_the_package_does() {
    let mut map = Pacmap::at(&their_pairs(), points("pacmap-layout"), &PacmapParams::default()).unwrap();
    map.run_to(20);
    let expected = points("pacmap-moved");
    let found = map.points().iter().flatten().zip(expected.iter().flatten());
    let worst = found.map(|(found, expected)| (found - expected).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-2, "{worst}");
}

/// On the plane and in space the map is as faithful as the package's.
#[test]
fn maps_are_as_faithful_as_the_packages() {
    let (x, graph, start) = digits();
    let theirs: Vec<f32> =
        json()["trustworthiness_10"].as_array().unwrap().iter().map(|trust| trust.as_f64().unwrap() as f32).collect();
    let theirs = theirs.iter().sum::<f32>() / theirs.len() as f32;
    let trust = |seed: u64| {
        let params = PacmapParams { seed, ..PacmapParams::default() };
        trustworthiness(&x, finished((&x, &graph), &start, &params).points())
    };
    let ours = (trust(1) + trust(2) + trust(3)) / 3.0;
    assert!(ours > theirs - 0.005, "{ours}, the package {theirs}");
    let deep: Vec<[f32; 3]> = start.iter().zip(x.rows()).map(|(at, row)| [at[0], at[1], row[20]]).collect();
    let map = finished((&x, &graph), &deep, &PacmapParams::default());
    let ours = trustworthiness(&x, map.points());
    assert!(ours > theirs, "{ours} in space");
}

/// Share by rank, as scikit-learn has it, with 10 neighbours.
fn trustworthiness<const D: usize>(x: &Vectors, points: &[[f32; D]]) -> f32 {
    let flat = Vectors::new(points.iter().flatten().copied().collect::<Vec<_>>(), D).unwrap();
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
    let (x, graph, start) = digits();
    // Several tasks, the last group not full.
    let x = Vectors::new(x.values().repeat(3)[..1190 * x.dim()].to_vec(), x.dim()).unwrap();
    let graph = if x.len() == 400 { graph } else { self::graph(&x, Metric::Euclidean, 60) };
    let start: Vec<[f32; 2]> = start.repeat(3)[..x.len()].to_vec();
    let params = PacmapParams { iterations: 90, ..PacmapParams::default() };
    let whole = in_pool(1, || finished((&x, &graph), &start, &params));
    let cut = in_pool(3, || {
        let mut map = Pacmap::new(&graph, &x, &start, &params).unwrap();
        for iteration in [1, 2, 17, 17, 3, 59, 90, 91] {
            map.run_to(iteration);
        }
        map
    });
    assert_eq!(whole.points(), cut.points());
    assert_eq!((cut.iteration(), cut.iterations()), (90, 90));
    let other = finished((&x, &graph), &start, &PacmapParams { seed: 7, ..params });
    assert_ne!(whole.points(), other.points());
}

#[test]
fn odd_input_gives_finite_maps_or_says_why_not() {
    let params = PacmapParams { iterations: 120, ..PacmapParams::default() };
    let check = |values: Vec<f32>, metric: Metric| {
        let rows = values.len() / 2;
        let vectors = Vectors::new(values, 2).unwrap();
        let start: Vec<[f32; 2]> = vectors.rows().map(|row| [row[0], row[1]]).collect();
        let graph = graph(&vectors, metric, 60);
        match Pacmap::new(&graph, &vectors, &start, &params) {
            Ok(mut map) => {
                map.run_to(120);
                assert_eq!(map.points().len(), rows);
                assert!(map.points().iter().flatten().all(|value| value.abs() < 1e3), "{rows} rows");
                if rows == 3000 {
                    let places: HashSet<[u32; 2]> = map.points().iter().map(|at| at.map(f32::to_bits)).collect();
                    assert!(places.len() > 2900, "equal points part: {}", places.len());
                }
            }
            Err(error) => assert_eq!(error, ProjectionError::NoNeighbours { rows }),
        }
    };
    for metric in [Metric::Euclidean, Metric::Cosine, Metric::Dot] {
        for rows in [0, 1, 2, 3, 4, 5, 8, 11, 16, 17, 33, 36, 61] {
            check((0..2 * rows).map(|at| (at * at % 7) as f32).collect(), metric);
        }
        check([1.0, 2.0].repeat(3000), metric);
        check([1.0, 2.0, 3.0, -1.0, 0.0, 0.0].repeat(700), metric);
        check([1.0, 2.0, f32::NAN, 3.0, 4.0, 4.5, -1.0, 1.0, 1e30, -1e30, f32::INFINITY, 0.0].to_vec(), metric);
        check([f32::NAN; 20].to_vec(), metric);
    }
    let two = Vectors::new(vec![0.0, 0.0, 1.0, 1.0], 2).unwrap();
    let start = [[0.0, 0.0], [1.0, 1.0]];
    let graph = NeighbourGraph::new(1, Metric::Euclidean, [1, 9], [-1.0, -1.0]);
    let wrong = Pacmap::new(&graph, &two, &start, &params);
    assert_eq!(wrong.err(), Some(ProjectionError::NoSuchRow { row: 9, rows: 2 }));
    let short = Pacmap::new(&graph, &two, &start[..1], &params).err();
    assert!(matches!(short, Some(ProjectionError::LengthsDiffer { .. })));
    let three = Vectors::new(vec![0.0; 6], 2).unwrap();
    let short = Pacmap::new(&graph, &three, &[[0.0, 0.0]; 3], &params).err();
    assert!(matches!(short, Some(ProjectionError::LengthsDiffer { .. })));
}

#[test]
fn wild_parameters_are_brought_into_range_and_some_can_change_on_the_way() {
    let (x, graph, start) = digits();
    let wild = PacmapParams {
        n_neighbors: Some(0),
        mn_ratio: f32::NAN,
        fp_ratio: f32::INFINITY,
        learning_rate: -3.0,
        ..PacmapParams::default()
    };
    let map = finished((&x, &graph), &start, &PacmapParams { iterations: 0, ..wild });
    assert_eq!(map.iteration(), 0);
    for params in [wild, PacmapParams { n_neighbors: Some(usize::MAX), fp_ratio: 1e9, ..wild }] {
        let map = finished((&x, &graph), &start, &PacmapParams { iterations: 60, ..params });
        assert!(map.points().iter().flatten().all(|value| value.is_finite()));
    }
    let mut map = Pacmap::new(&graph, &x, &start, &PacmapParams::default()).unwrap();
    map.run_to(100);
    map.set_learning_rate(f32::NAN);
    map.set_learning_rate(0.5);
    map.run_to(500);
    assert_eq!(map.iteration(), 450);
    assert!(trustworthiness(&x, map.points()) > 0.95);
}

#[test]
fn a_snapshot_goes_on_as_if_it_had_never_been_put_away() {
    let (x, graph, start) = digits();
    let mut whole = Pacmap::new(&graph, &x, &start, &PacmapParams::default()).unwrap();
    whole.run_to(130);
    whole.set_learning_rate(0.7);
    let text = serde_json::to_string(&whole.snapshot()).unwrap();
    let snapshot = serde_json::from_str(&text).unwrap();
    let mut again = Pacmap::<2>::resume(&graph, &x, &snapshot).unwrap();
    assert_eq!(again.iteration(), 130);
    assert_eq!(again.points(), whole.points());
    whole.run_to(300);
    again.run_to(300);
    assert_eq!(whole.points(), again.points());
    let other = Pacmap::<3>::resume(&graph, &x, &snapshot);
    assert!(matches!(other.err(), Some(ProjectionError::Snapshot(_))));
}

#[test]
fn cancelling_ends_it() {
    let (x, graph, start) = digits();
    let progress = Progress::new();
    let mut map = Pacmap::prepared(&graph, &x, &start, &PacmapParams::default(), &progress).unwrap();
    map.run_until(5, &progress).unwrap();
    progress.cancel();
    assert!(map.run_until(10, &progress).is_err());
    assert_eq!(map.iteration(), 5);
    let none = Pacmap::prepared(&graph, &x, &start, &PacmapParams::default(), &progress);
    assert_eq!(none.err(), Some(ProjectionError::Cancelled));
}

/// A quarter of the digits, placed by their neighbours among the others, comes to lie among its like.
#[test]
fn new_points_are_placed_among_their_like() {
    let x = array("digits-x");
    let bytes = fs_err::read(file("digits-y.npy")).unwrap();
    let labels: Vec<u8> = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec().unwrap();
    let old = x.select(0..300);
    let start: Vec<[f32; 2]> =
        Pca::fit(&old, 2).unwrap().transform(&old).unwrap().rows().map(|row| [row[0], row[1]]).collect();
    let map = finished((&old, &graph(&old, Metric::Euclidean, 60)), &start, &PacmapParams::default());
    let found: Vec<_> = (300..400).flat_map(|row| top_k(&old, x.row(row), Metric::Euclidean, 15, None)).collect();
    let indices: Vec<u32> = found.iter().map(|hit| hit.position).collect();
    let scores: Vec<f32> = found.iter().map(|hit| hit.score).collect();
    let neighbours = NeighbourGraph::new(15, Metric::Euclidean, indices, scores);
    let place = |near: &NeighbourGraph| pacmap_place(map.points(), near, 10, &Progress::new());
    let placed = place(&neighbours).unwrap();
    assert_eq!(placed, in_pool(1, || place(&neighbours).unwrap()));
    let flat = Vectors::new(map.points().iter().flatten().copied().collect::<Vec<_>>(), 2).unwrap();
    let right = placed.iter().zip(&labels[300..]).filter(|(at, label)| {
        let near = top_k(&flat, at.as_slice(), Metric::Euclidean, 5, None);
        near.iter().filter(|hit| labels[hit.position as usize] == **label).count() >= 3
    });
    let right = right.count();
    assert!(right >= 85, "{right} of 100");
    let nobody = NeighbourGraph { scores: vec![f32::NEG_INFINITY; 1500].into(), ..neighbours.clone() };
    assert!(place(&nobody).unwrap().iter().flatten().all(|value| value.is_finite()));
    let none = NeighbourGraph { indices: [].into(), scores: [].into(), ..neighbours.clone() };
    assert!(place(&none).unwrap().is_empty());
    let wrong = NeighbourGraph { indices: vec![300; 1500].into(), ..neighbours };
    assert_eq!(place(&wrong), Err(ProjectionError::NoSuchRow { row: 300, rows: 300 }));
}
